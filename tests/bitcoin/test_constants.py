"""Numbers, against the tables of the fact sheet (5.1, 5.2, 5.4)."""

from bitpeer.bitcoin import constants
from bitpeer.bitcoin.constants import BLOCKS, TRANSACTIONS, WITNESS_FLAG, InvType, Services


def test_services() -> None:
    values = {flag.name: int(flag) for flag in Services}
    assert values == {
        "NETWORK": 0x1,
        "GETUTXO": 0x2,
        "BLOOM": 0x4,
        "WITNESS": 0x8,
        "COMPACT_FILTERS": 0x40,
        "NETWORK_LIMITED": 0x400,
        "P2P_V2": 0x800,
    }


def test_kinds_of_inventory() -> None:
    values = {kind.name: int(kind) for kind in InvType}
    assert values == {
        "TX": 1,
        "BLOCK": 2,
        "FILTERED_BLOCK": 3,
        "CMPCT_BLOCK": 4,
        "WTX": 5,
        "PACKAGE_TXNS": 6,
        "ANCESTOR_PACKAGE": 7,
        "WITNESS_TX": 0x40000001,
        "WITNESS_BLOCK": 0x40000002,
    }


def test_what_is_a_block_is_no_transaction() -> None:
    assert not TRANSACTIONS & BLOCKS
    assert {1, 5, 0x40000001} == TRANSACTIONS
    assert {2, 3, 4, 0x40000002, 0x40000003} == BLOCKS
    assert WITNESS_FLAG == 1 << 30


def test_versions_are_in_order() -> None:
    assert (
        constants.MIN_VERSION
        < constants.BLOOM_VERSION
        < constants.WTXID_VERSION
        < constants.PROTOCOL_VERSION
    )
