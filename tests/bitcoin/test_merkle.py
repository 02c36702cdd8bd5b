import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.merkle import (
    MAX_BLOCK_TRANSACTIONS,
    MAX_FLAG_BYTES,
    PartialMerkleTree,
    merkle_root,
    root_and_mutation,
)
from bitpeer.errors import InvalidValue, LimitExceeded, Unencodable
from bitpeer.hashes import sha256d
from tests.bitcoin.vectors import unhex

# The transactions of testnet3's block 926485, and the root in its header.
TXIDS = [
    unhex("2b9baddbd2861c663978a98c6c3c7648e1cd5c41b451f4a35b7851dd4786d9d3"),
    unhex("d06d86bacf88f1f316d4470080b7869f1c298b850e7b219124ae131c0475abb0"),
    unhex("06eee51317a76a76c67499c8f782819745b58d28cdb4d8357ef7f7e6d79cc513"),
    unhex("f56da6d0bb5807561c29093066edd1d505c2fa4ae89bb895c4318481d360fd3f"),
    unhex("32a52be869fc148b6104244859c879f1319cfd86e89e6f7fc1ffaaf518fa14be"),
]
ROOT = unhex("ed7ef6680f2fb9bf1f41c3e092862fa16f8f887aa6d7880447d2b6c9f83401c3")


def leaves(count):
    return [sha256d(number.to_bytes(4, "big")) for number in range(count)]


def test_the_root_of_a_real_block():
    assert merkle_root(TXIDS) == ROOT


def test_the_roots_of_the_smallest_trees():
    one, two, three = leaves(3)
    assert merkle_root([]) == bytes(32)
    assert merkle_root(iter([one])) == one
    assert merkle_root([one, two]) == sha256d(one + two)
    assert merkle_root([one, two, three]) == sha256d(sha256d(one + two) + sha256d(three + three))


# CVE-2012-2459: blocks that differ in the repetition of their end have the same root.
@pytest.mark.parametrize(
    ("honest", "repeated"),
    [
        ([0, 1, 2], [0, 1, 2, 2]),
        ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5, 4, 5]),
        (list(range(9)), [*range(9), 8, 8, 8]),
    ],
)
def test_a_repeated_end_has_the_same_root_and_is_recognised(honest, repeated):
    names = leaves(9)
    root = merkle_root(names[at] for at in honest)
    assert root_and_mutation([names[at] for at in honest]) == (root, False)
    assert root_and_mutation([names[at] for at in repeated]) == (root, True)


def test_equal_neighbours_that_are_no_partners_are_no_mutation():
    one, two, three = leaves(3)
    assert root_and_mutation([one, two, two, three])[1] is False


@given(st.data(), st.integers(1, 70))
def test_what_was_matched_is_what_is_proved(data, count):
    txids = leaves(count)
    matches = data.draw(st.sets(st.integers(0, count - 1)))
    tree = PartialMerkleTree.build(txids, matches)
    root, proved = tree.extract()
    assert root == merkle_root(txids)
    assert proved.indices == tuple(sorted(matches))
    assert proved.txids == tuple(txids[index] for index in sorted(matches))


def test_a_tree_that_proves_nothing_is_its_root():
    assert PartialMerkleTree.build(TXIDS, ()) == (5, (ROOT,), b"\x00")


def test_the_walk_is_depth_first_and_its_bits_fill_bytes_from_the_low_end():
    tree = PartialMerkleTree.build(TXIDS, [2])
    first, last = sha256d(TXIDS[0] + TXIDS[1]), sha256d(TXIDS[4] + TXIDS[4])
    # root 1, left 1, its left 0, its right 1, the match 1, its partner 0, right of the root 0
    assert tree.flags == bytes([0b0011011])
    assert tree.hashes == (first, TXIDS[2], TXIDS[3], sha256d(last + last))
    assert tree.extract() == (ROOT, ((2,), (TXIDS[2],)))


def test_the_largest_tree():
    txids = leaves(MAX_BLOCK_TRANSACTIONS)
    tree = PartialMerkleTree.build(txids, [0, MAX_BLOCK_TRANSACTIONS - 1])
    assert tree.extract()[1].indices == (0, MAX_BLOCK_TRANSACTIONS - 1)
    whole = PartialMerkleTree.build(txids, range(MAX_BLOCK_TRANSACTIONS))
    assert len(whole.flags) == MAX_FLAG_BYTES
    assert whole.extract() == (
        merkle_root(txids),
        (tuple(range(MAX_BLOCK_TRANSACTIONS)), tuple(txids)),
    )
    with pytest.raises(Unencodable, match="16667"):
        PartialMerkleTree.build([*txids, bytes(32)], ())


@pytest.mark.parametrize("matches", [[5], [-1], [0, 5]])
def test_what_is_not_in_the_block_cannot_be_matched(matches):
    with pytest.raises(Unencodable):
        PartialMerkleTree.build(TXIDS, matches)


def test_an_empty_block_has_no_tree():
    with pytest.raises(Unencodable):
        PartialMerkleTree.build([], ())


GOOD = PartialMerkleTree.build(TXIDS, [2])


def test_padding_of_the_flags_is_not_looked_at():
    assert GOOD._replace(flags=bytes([0b10011011])).extract() == GOOD.extract()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"transaction_count": 0, "hashes": ()}, InvalidValue),
        ({"transaction_count": MAX_BLOCK_TRANSACTIONS + 1}, LimitExceeded),
        ({"transaction_count": 0xFFFFFFFF}, LimitExceeded),
        ({"transaction_count": 3}, LimitExceeded),  # fewer than hashes
        ({"hashes": ()}, InvalidValue),
        ({"hashes": GOOD.hashes[:-1]}, InvalidValue),
        ({"hashes": (*GOOD.hashes, bytes(32))}, InvalidValue),
        ({"flags": b""}, InvalidValue),
        ({"flags": GOOD.flags + b"\x00"}, InvalidValue),
        ({"flags": bytes([0b11111111])}, InvalidValue),  # descends to where no bits are left
        ({"flags": b"\x00"}, InvalidValue),  # one hash would do
    ],
)
def test_what_contradicts_itself_proves_nothing(change, error):
    with pytest.raises(error) as caught:
        GOOD._replace(**change).extract()
    assert len(str(caught.value)) < 512


def test_equal_branches_prove_nothing():
    # The repeated end of CVE-2012-2459, which proves a transaction to be at two places.
    tree = PartialMerkleTree(2, (TXIDS[0], TXIDS[0]), bytes([0b111]))
    with pytest.raises(InvalidValue, match="branches"):
        tree.extract()


@given(
    st.integers(0, 20),
    st.lists(st.sampled_from(TXIDS), max_size=8),
    st.binary(max_size=4),
)
def test_nothing_but_a_decode_error_escapes(count, hashes, flags):
    try:
        _, matches = PartialMerkleTree(count, hashes, flags).extract()
    except (InvalidValue, LimitExceeded):
        return
    assert all(index < count for index in matches.indices)
