from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from bitpeer.decred.block import Block
from bitpeer.decred.constants import Tree
from bitpeer.decred.filters import CFilterV2
from bitpeer.decred.gcs import MAX_SCRIPT_SIZE, CommittedFilter, open_filter, regular_filter
from bitpeer.decred.header import BlockHeader
from bitpeer.decred.merkle import inclusion_proof, merkle_root
from bitpeer.decred.transaction import Tx, TxIn, TxOut, TxWitness
from bitpeer.errors import DecodeError, InvalidValue
from bitpeer.hashes import hash_to_text
from tests.decred import vectors

ANSWER = CFilterV2.decode(vectors.CFILTER_V2_432100)
BLOCK = Block.decode(vectors.BLOCK_432100)
PAID = bytes.fromhex("76a914065660dc3514f60a08fb32c37b2fa39863dd053788ac")
NOTHING = TxIn(bytes(32), 0xFFFF_FFFF)
HEADER = BlockHeader(version=1, merkle_root=bytes(range(32)))


def p2pkh(byte):
    return b"\x76\xa9\x14" + bytes((byte,)) * 20 + b"\x88\xac"


def p2sh(byte):
    return b"\xa9\x14" + bytes((byte,)) * 20 + b"\x87"


def tagged(tag, script):
    return bytes((tag,)) + script


def commitment(byte, high):
    return b"\x6a\x1e" + bytes((byte,)) * 20 + bytes(7) + bytes((high,)) + bytes(2)


def test_the_filter_of_block_432100_is_proved():
    found = open_filter(ANSWER, BLOCK.header)
    assert found.count == 17
    assert hash_to_text(found.hash) == (
        "b955ef6c551da542abbe57629f27c3059947352f8db96f5f958ea7e08b993177"
    )
    assert found.matches(PAID)
    assert not found.matches(PAID[:-1])


def test_the_filter_of_block_432100_is_reproduced():
    known = [Tx.decode(raw) for raw, _, _ in vectors.SPENT] + list(BLOCK.transactions)
    outputs = {(tx.txid, at): each for tx in known for at, each in enumerate(tx.outputs)}
    # What the ticket spends is not in dcrd's data, but its key is: this is who may spend it.
    (ticket,) = BLOCK.stake_transactions[4].inputs
    payee = bytes.fromhex("76a914140a9503d51b4b06675ba8e11195657376c3deb288ac")
    outputs[ticket[:2]] = TxOut(0, payee)
    found = regular_filter(BLOCK, lambda spent: outputs[spent[:2]])
    assert found.encoding == ANSWER.filter


def test_a_filter_of_another_block_is_refused():
    with pytest.raises(InvalidValue, match="block of a filter"):
        open_filter(ANSWER, BLOCK.header._replace(nonce=0))


@pytest.mark.parametrize(
    "change",
    [
        {"filter": b""},
        {"filter": ANSWER.filter[:-1] + b"\1"},
        {"proof_index": 1},
        {"proof_hashes": (bytes(32),)},
        {"proof_hashes": (bytes(32),) * 32},
    ],
)
def test_what_the_header_does_not_commit_to_is_refused(change):
    with pytest.raises(InvalidValue, match="hash of a filter"):
        open_filter(replace(ANSWER, **change), BLOCK.header)


def test_a_filter_may_be_one_of_several_commitments():
    own = CommittedFilter.of(HEADER.merkle_root, [b"script"])
    leaves = [b"1" * 32, own.hash, b"3" * 32]
    header = HEADER._replace(stake_root=merkle_root(leaves))
    answer = CFilterV2(header.hash, own.encoding, 1, inclusion_proof(leaves, 1))
    assert open_filter(answer, header).matches(b"script")
    with pytest.raises(InvalidValue):
        open_filter(replace(answer, proof_index=0), header)


def test_noise_is_no_filter():
    with pytest.raises(DecodeError):
        CommittedFilter(bytes(32), b"\x05\0")


def test_a_filter_of_nothing_is_empty():
    empty = CommittedFilter.of(bytes(32), [b""])
    assert (empty.encoding, empty.hash, empty.count) == (b"", bytes(32), 0)
    assert not empty.matches(b"anything")
    header = HEADER._replace(stake_root=bytes(32))
    assert open_filter(CFilterV2(header.hash, b"", 0, ()), header).count == 0


@given(st.binary(min_size=16, max_size=32), st.sets(st.binary(min_size=1, max_size=30), min_size=1))
def test_whatever_is_put_in_is_found_again(key, elements):
    found = CommittedFilter.of(key, elements)
    again = CommittedFilter(key, found.encoding)
    assert all(again.matches(each) for each in elements)
    assert again.count == len(elements)


SPENT = TxOut(5, p2pkh(0xFF))
COINBASE = Tx([NOTHING], [TxOut(1, p2pkh(1))])


def elements(regular, stake=(), previous=SPENT):
    """Return which of many scripts are in the filter of a block of these transactions."""
    found = regular_filter(Block(HEADER, [COINBASE, *regular], stake), lambda _: previous)
    wanted = [p2pkh(at) for at in range(1, 256)] + [p2sh(at) for at in range(1, 256)]
    return [each for each in wanted if found.matches(each)], found.count


def test_regular_transactions_are_about_what_they_pay_and_spend():
    spending = Tx([TxIn(bytes(32), 0)], [TxOut(1, p2sh(2)), TxOut(0, b"\x6a\x01x")])
    assert elements([spending]) == ([p2pkh(1), p2pkh(0xFF), p2sh(2)], 4)


@pytest.mark.parametrize(
    "output",
    [TxOut(1, p2pkh(2), 1), TxOut(1, b""), TxOut(1, bytes(MAX_SCRIPT_SIZE + 1))],
)
def test_scripts_that_nobody_can_run_are_left_out(output):
    assert elements([Tx([TxIn(bytes(32), 0)], [output])])[1] == 2
    assert elements([Tx([TxIn(bytes(32), 0)], [])], previous=output)[1] == 1


@pytest.mark.parametrize("tag", [0xBA, 0xBB, 0xBC, 0xBD, 0xC3])
@pytest.mark.parametrize("script", [p2pkh(7), p2sh(7)])
def test_the_tag_of_stake_outputs_is_left_out(tag, script):
    spent = TxOut(1, tagged(tag, script))
    staked = Tx([TxIn(bytes(32), 0, Tree.STAKE)], [])
    assert script in elements([staked], previous=spent)[0]
    # In the regular tree, or before anything else, the same byte is part of the script.
    regular = Tx([TxIn(bytes(32), 0, Tree.REGULAR)], [])
    assert script not in elements([regular], previous=spent)[0]
    odd = TxOut(1, tagged(tag, script + b"\x51"))
    assert script not in elements([staked], previous=odd)[0]


def test_tickets_are_about_what_they_spend_promise_and_give_back():
    ticket = Tx(
        [TxIn(bytes(32), 0), TxIn(bytes(32), 1)],
        [
            TxOut(9, tagged(0xBA, p2pkh(2))),
            TxOut(0, commitment(3, 0)),
            TxOut(4, tagged(0xBD, p2pkh(4))),
            TxOut(0, commitment(5, 0x80)),
            TxOut(0, tagged(0xBD, p2pkh(6))),
        ],
    )
    assert elements([], [ticket]) == (
        [p2pkh(1), p2pkh(3), p2pkh(4), p2pkh(0xFF), p2sh(5)],
        5,
    )


def test_votes_are_about_what_they_pay():
    vote = Tx(
        [NOTHING, TxIn(bytes(32), 0, Tree.STAKE)],
        [
            TxOut(0, b"\x6a\x24" + bytes(36)),
            TxOut(0, b"\x6a\x02\0\0"),
            TxOut(9, tagged(0xBB, p2sh(3))),
        ],
    )
    assert elements([], [vote]) == ([p2pkh(1), p2sh(3)], 2)


def test_revocations_are_about_what_they_pay_back():
    revocation = Tx([TxIn(bytes(32), 0, Tree.STAKE)], [TxOut(9, tagged(0xBC, p2pkh(3)))])
    assert elements([], [revocation]) == ([p2pkh(1), p2pkh(3)], 2)


def test_the_treasury_is_about_who_gives_and_takes():
    add = Tx([TxIn(bytes(32), 0)], [TxOut(9, b"\xc1"), TxOut(1, tagged(0xBD, p2pkh(3)))])
    assert elements([], [add]) == ([p2pkh(1), p2pkh(3), p2pkh(0xFF)], 3)
    spend = Tx(
        [NOTHING],
        [TxOut(0, b"\x6a\x20" + bytes(32)), TxOut(1, tagged(0xC3, p2sh(3)))],
        [TxWitness(bytes(99) + b"\xc2")],
    )
    assert elements([], [spend]) == ([p2pkh(1), p2sh(3)], 2)
    share = Tx([NOTHING], [TxOut(9, b"\xc1"), TxOut(0, b"\x6a\x0c" + bytes(12))])
    assert elements([], [share]) == ([p2pkh(1)], 1)
