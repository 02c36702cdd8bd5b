"""Trees of the reference, its oddities included."""

from hashlib import sha256

import pytest
from hypothesis import given, strategies as st

from bitpeer.bitcoin.merkle import merkle_root
from bitpeer.hashes import hash_from_text, hash_to_text
from bitpeer.jaxnet.trees import (
    MountainRange,
    branch_root,
    coinbase_branch,
    shard_root,
    weight_of,
)

SECOND = "9a4585773ce2ccd7a585c331d60a60d1e3b7d28cbb2ede3bc55445342f12f54b"
BRANCHES = {
    1: (
        "1da0af1706a31185763837b33f1d90782c0a78bbe644a59c987ab3ff9c0b346e",
        [],
    ),
    2: (
        "3cdf480a4405adaa7484538c241739961a5fb461b5122dc8435f06f0c286a8f0",
        [
            SECOND,
        ],
    ),
    3: (
        "2ba56ba0191969927a1b9740447eedee14a6fd1d799dc783ad3717451ce7fd50",
        [
            SECOND,
            "c7853a7ed880939e2e520e714e74ec9e87da9db8d78d9703399130edc0b09658",
        ],
    ),
    5: (
        "d0309406aa8bb865ef8784b803c831f6b2df9914f5b809ad1d403e3e4e7370f5",
        [
            SECOND,
            "6c1ff0ba48bf777f22fd6ff7581d811f8552c4a3aa33112342033144aa38b367",
            "45095de3ba9a33dca0ec2b6dc030ee2a0603099549fa0d8d91a724e79b1475b9",
        ],
    ),
}
"""By how many leaves there are: root and branch (fact sheet, 5.4)."""
UNEQUAL = {
    1: "b1792349612d842616ee97a44fb175f4c1b705f1e93198eb8ee78bad0a08946a",
    2: "22b080f71e2adfabc0400735deb0f6e2b11df91c31ae1ec7b6698dfa9253ded7",
    3: "96670352d65df6c9f777afa74420620642a69417c6da438935bae2ef1a2e7b2f",
    4: "3c791c1fc54e9ea18f067b7d7d374c665c0fbe29844b3035c8a155ad58d55a94",
    5: "11baf34fc3c064257f87f3f79e240b3170633af9912e2571bde5d4d958704bef",
    6: "0a6f91795ac7cc5b0baf68c9ecf1df8be3379338d6feef21feb77ad14ee69e6e",
    7: "8dada86b68c02da3bb875af13b2631e28e01d999f041db85c89a6d9123827ab8",
    8: "5171a575fa88b62ab378d12bf563ad0ab2e10496a12f73ca6dc4638f33977b52",
    9: "81ff8cbc84255f66c933421315d5a731a81d0baa9123dc3fb36869c1ddb68ced",
    17: "ad4a4a43213ecd2fc38d45df5e64492195f36282c6360469f642e3778c96bf6e",
    40: "307296edb0513bc228a96968b332430ab6e37febc69d760b56a213621251ab17",
}
EQUAL = {
    1: "b1792349612d842616ee97a44fb175f4c1b705f1e93198eb8ee78bad0a08946a",
    2: "2b2767b2273ff2e6505da509ace75e336f55b894e55a1709074013f3e009b26f",
    3: "ce8bb775e98faf28788ba98fd93f055111587ef3b26c371a8a1e7c550b4b17b3",
    4: "afca35c84fc1bcbbac7e92fa208bbca02f33876b22257743758c5fa4519d4d2c",
    5: "c2b95e89a83848febc7808588d5b44ef0784d0fca480b4975c1aac8640a57c21",
    6: "b034e525eb339ff4cf6549e9a147709a8897e319692c0692a67db92e73366940",
    7: "abaac1469ce1414f22d4f950a2d854c7dafb14f680a302ec3e7ef1a0f84c6cfb",
    8: "dac26b33f169c03f02076724f81be11b2fb2817b766fe843525f625d2a9b6114",
    9: "516eab90d94cd5e5925137f13b75774b8aebb3fcfe5d0a26ed138da15aa5fc70",
    17: "447246c2ccc7e251b9e209603909ddc1c6c545185c8a0f861e647b983b677f60",
    40: "87bebe9b759fa47bcae8775d10ab19a1ea47b91446ffeb1b4c3c4f693efbecb7",
}
"""By how many blocks there are: the root (fact sheet, 5.5, columns A and B)."""


def leaf(number):
    return sha256(bytes((number,))).digest()


@pytest.mark.parametrize("count", BRANCHES)
def test_branches_of_the_reference(count):
    root, branch = BRANCHES[count]
    leaves = [leaf(number) for number in range(count)]
    assert [hash_to_text(each) for each in coinbase_branch(leaves)] == branch
    assert hash_to_text(branch_root(leaves[0], map(hash_from_text, branch))) == root
    assert hash_to_text(merkle_root(leaves)) == root


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40))
def test_a_branch_leads_to_the_root(txids):
    assert branch_root(txids[0], coinbase_branch(txids)) == merkle_root(txids)


def test_shards_hang_in_a_tree_of_their_own():
    assert hash_to_text(shard_root(leaf(0), 0, [leaf(1)])) == (
        "ab84846b9d8501f0f56f387e6f13786748e394db4692156d8b6ee6247486e130"
    )
    assert shard_root(leaf(1), 1, [leaf(0)]) == shard_root(leaf(0), 0, [leaf(1)])


def test_the_third_shard_of_three_stands_beside_nothing():
    pair = sha256(leaf(0) + leaf(1)).digest()
    third = sha256(leaf(2) + bytes(32)).digest()
    assert shard_root(leaf(2), 2, [bytes(32), pair]) == sha256(pair + third).digest()
    assert shard_root(leaf(0), 0, [leaf(1), third]) == sha256(pair + third).digest()


def test_the_only_shard_is_the_root():
    assert shard_root(leaf(0), 0, ()) == leaf(0)


@pytest.mark.parametrize(
    ("bits", "weight"),
    [
        (0x1E0DFFFF, 1227133952),
        (0x207FFFFF, 2 * 1024),
        (0x03000001, (1 << 255) * 1024),
        (0x02000100, (1 << 255) * 1024),
        (0x01000000, 0),
        (0x1D80FFFF, 0),
        (0xFF7FFFFF, 0),
        (0, 0),
    ],
)
def test_the_work_of_a_target(bits, weight):
    assert weight_of(bits) == weight


def mountain_range(count, weight):
    chain = MountainRange()
    for number in range(count):
        chain = chain.appended(sha256(f"leaf_{number}".encode()).digest(), weight(number))
    return chain


@pytest.mark.parametrize("count", UNEQUAL)
def test_quirk_roots_over_unequal_weights(count):
    chain = mountain_range(count, lambda number: (number + 1) << 8 * (number % 5))
    assert hash_to_text(chain.root) == UNEQUAL[count]


@pytest.mark.parametrize("count", EQUAL)
def test_roots_over_equal_weights(count):
    chain = mountain_range(count, lambda _: weight_of(0x1E0DFFFF))
    assert hash_to_text(chain.root) == EQUAL[count]
    assert chain.blocks == count
    assert chain.weight == count * 1227133952


def slow_root(leaves):
    """Return the root as the fact sheet describes it: level by level."""
    while len(leaves) > 1:
        above = []
        for at in range(0, len(leaves) - 1, 2):
            (left, left_weight), (right, right_weight) = leaves[at : at + 2]
            first = left + left_weight.to_bytes((left_weight.bit_length() + 7) // 8, "big")
            second = right + right_weight.to_bytes((right_weight.bit_length() + 7) // 8, "big")
            room = [0] * (len(first) + len(second))
            for index, byte in enumerate(first):
                room[index] = byte
            for index, byte in enumerate(second):
                if len(second) + index < len(room):
                    room[len(second) + index] = byte
            above.append((sha256(bytes(room)).digest(), left_weight + right_weight))
        leaves = above + leaves[len(leaves) - len(leaves) % 2 :]
    return leaves[0][0]


@given(st.lists(st.integers(0, 1 << 300), min_size=1, max_size=40))
def test_every_range_has_the_root_of_the_slow_way(weights):
    leaves = [(leaf(number), weight) for number, weight in enumerate(weights)]
    chain = MountainRange()
    for block, weight in leaves:
        chain = chain.appended(block, weight)
    assert chain.root == slow_root(leaves)


def test_a_block_can_be_withdrawn():
    before = mountain_range(5, lambda number: number)
    root = before.root
    before.appended(leaf(1), 1)
    assert before.root == root


def test_a_range_without_blocks_has_no_root():
    assert MountainRange().root == bytes(32)
    assert MountainRange().blocks == MountainRange().weight == 0
