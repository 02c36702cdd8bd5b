import pytest
from hypothesis import given, strategies as st

from bitpeer.decred.merkle import combined_root, inclusion_proof, is_included, merkle_root
from bitpeer.hashes import hash_from_text, hash_to_text
from bitpeer.hashes.blake256 import blake256

# dcrd blockchain/standalone/merkle_test.go: mainnet block 260
LEAVES = [
    hash_from_text("5e574591d900f7f9abb8f8eb31cc9330247d27ba293ad79c348d602ece717b8b"),
    hash_from_text("b3b70fe08c2da744c9559d533e8db35b3bfefba1b0f1c7b31e7d9d523c00a426"),
    hash_from_text("dd3058a7fc691ff4dee0a8cd6030f404ffda7e7aee88aff3985f7b2bbe4792f7"),
]
ROOT = hash_from_text("a144c719391569aa20bf612bf5588bce71cd397574cb6c060e0bac100f6e5805")

leaves = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=20)


def test_the_root_of_block_260():
    assert merkle_root(LEAVES) == ROOT
    assert merkle_root([*LEAVES, LEAVES[2]]) == ROOT


def test_small_trees():
    assert merkle_root([]) == bytes(32)
    assert merkle_root(LEAVES[:1]) == LEAVES[0]
    assert merkle_root(LEAVES[:2]) == blake256(LEAVES[0] + LEAVES[1])
    assert hash_to_text(combined_root(bytes(32), bytes(32))) == (
        "988c02a849815a2c70d97fd613a333d766bcb250cd263663c58d4f954240996d"
    )


@given(leaves, st.data())
def test_a_proof_proves_one_leaf_at_one_place(hashes, data):
    index = data.draw(st.integers(0, len(hashes) - 1))
    root, proof = merkle_root(hashes), inclusion_proof(hashes, index)
    assert is_included(root, hashes[index], index, proof)
    assert not is_included(root, b"?" * 32, index, proof)
    assert not is_included(root, hashes[index], index + (1 << len(proof)), proof)
    assert not is_included(bytes(32), b"!" * 32, index, proof)


def test_an_index_is_one_of_the_tree():
    with pytest.raises(IndexError):
        inclusion_proof(LEAVES, 3)
    with pytest.raises(IndexError):
        inclusion_proof([], 0)
    assert not is_included(ROOT, LEAVES[0], -1, inclusion_proof(LEAVES, 0))


def test_a_proof_has_at_most_32_hashes():
    leaf = b"leaf" * 8
    for count in (32, 33):
        root = leaf
        for _ in range(count):
            root = blake256(root + bytes(32))
        assert is_included(root, leaf, 0, [bytes(32)] * count) == (count == 32)
