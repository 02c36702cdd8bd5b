from bitpeer.jaxnet.constants import BLOCKS, TRANSACTIONS, WITNESS_FLAG, InvType, Services


def test_a_node_of_jaxnetd_offers_four_services():
    offered = Services.NETWORK | Services.BLOOM | Services.WITNESS | Services.COMPACT_FILTERS
    assert offered == 0x4D


def test_kinds_of_inventory_have_jaxnetds_numbers():
    assert [kind.value for kind in InvType] == [1, 2, 3, 4, 0x40000001, 0x40000002, 0x40000003]
    assert WITNESS_FLAG == 0x40000000
    assert not BLOCKS & TRANSACTIONS
    assert InvType.MMR_ROOT not in BLOCKS | TRANSACTIONS
