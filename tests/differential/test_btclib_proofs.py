"""btclib builds the same merkle proofs and compact filters, and finds the same things in ours."""

from btclib.block.block_filter import BasicBlockFilter
from btclib.block.partial_merkle_tree import PartialMerkleTree as TheirTree
from hypothesis import given, strategies as st

from bitpeer.bitcoin.gcs import CompactFilter
from bitpeer.bitcoin.merkle import PartialMerkleTree
from tests.differential.values import HASH


def shown(wire_hash):
    return wire_hash[::-1]


@given(
    st.lists(
        st.tuples(HASH, st.booleans()), min_size=1, max_size=40, unique_by=lambda leaf: leaf[0]
    )
)
def test_both_build_the_same_merkle_proof_and_read_the_same_out_of_it(leaves):
    txids = [txid for txid, _ in leaves]
    wanted = [index for index, (_, matched) in enumerate(leaves) if matched]
    ours = PartialMerkleTree.build(txids, wanted)
    theirs = TheirTree.from_txids(list(map(shown, txids)), [matched for _, matched in leaves])
    assert ours.transaction_count == theirs.n_transactions
    assert tuple(map(shown, ours.hashes)) == theirs.hashes
    assert ours.flags == theirs.flags
    root, matches = ours.extract()
    assert shown(root) == theirs.merkle_root
    assert tuple(zip(matches.indices, map(shown, matches.txids), strict=True)) == theirs.matches
    assert list(matches.indices) == wanted


ELEMENTS = st.lists(st.binary(min_size=1, max_size=60), max_size=30, unique=True)


@given(HASH, ELEMENTS, ELEMENTS)
def test_they_find_the_same_elements_in_our_filter(block_hash, elements, strangers):
    ours = CompactFilter.of(block_hash, elements)
    theirs = BasicBlockFilter.parse(ours.encoding, shown(block_hash))
    assert theirs.serialize() == ours.encoding
    assert theirs.element_count == ours.count == len(elements)
    assert list(theirs.element_hashes) == list(ours.numbers())
    assert shown(theirs.hash) == ours.hash
    assert shown(theirs.header(bytes(32))) == ours.header(bytes(32))
    for element in [*elements, *strangers]:
        assert ours.matches(element) == theirs.match(element)
    assert ours.matches_any(strangers) == theirs.match_any(strangers)
    assert all(map(ours.matches, elements))
