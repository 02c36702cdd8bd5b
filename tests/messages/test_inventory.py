import pytest

from bitpeer.errors import LimitExceeded, Truncated, Unencodable
from bitpeer.messages.inventory import MAX_INVENTORY, GetData, Inv, InvVect, NotFound
from bitpeer.wire.compactsize import write_compact_size
from bitpeer.wire.vector import PackedVector
from tests.messages.battery import has_exactly, refuses_every_truncation, refuses_trailing_bytes

ONE, TWO = InvVect(1, b"\x11" * 32), InvVect(0x40000002, bytes(range(32)))
ONE_TEXT, TWO_TEXT = "01000000" + "11" * 32, "02000040" + bytes(range(32)).hex()

examples = pytest.mark.parametrize(
    ("value", "text"),
    [
        (Inv(()), "00"),
        (Inv((ONE,)), "01" + ONE_TEXT),
        (GetData((ONE, TWO)), "02" + ONE_TEXT + TWO_TEXT),
        (NotFound((TWO,)), "01" + TWO_TEXT),
        (Inv((ONE,) * 253), "fdfd00" + ONE_TEXT * 253),
    ],
    ids=["empty inv", "inv", "getdata", "notfound", "long inv"],
)
kinds = pytest.mark.parametrize("kind", [Inv, GetData, NotFound])


@examples
def test_each_message_has_its_bytes(value, text):
    has_exactly(value, text)


@examples
def test_every_truncation_is_refused(value, text):
    if len(value.items) < 10:
        refuses_every_truncation(value, text)
    else:
        for size in (0, 1, 2, 3, 4, 38, 39, 40, len(text) // 2 - 1):
            with pytest.raises(Truncated):
                type(value).decode(bytes.fromhex(text)[:size])


@examples
def test_r_b3_trailing_bytes_are_refused(value, text):
    refuses_trailing_bytes(value, text)


@kinds
def test_fifty_thousand_items_are_the_limit(kind):
    raw = write_compact_size(MAX_INVENTORY) + bytes(36 * MAX_INVENTORY)
    value = kind.decode(raw)
    assert len(value.items) == MAX_INVENTORY
    assert value.encode() is raw
    assert len(raw) == kind.max_size == 1_800_003
    with pytest.raises(LimitExceeded):
        kind.decode(write_compact_size(MAX_INVENTORY + 1) + bytes(36 * (MAX_INVENTORY + 1)))
    with pytest.raises(Unencodable, match=f"{kind.__name__}.items cannot be encoded: 50001 items"):
        kind((ONE,) * (MAX_INVENTORY + 1)).encode()


@kinds
def test_r_b11_an_empty_list_is_a_message(kind):
    value = kind.decode(b"\0")
    assert len(value.items) == 0
    assert value == kind(())
    assert hash(value) == hash(kind(()))


def test_items_stay_packed_until_they_are_looked_at():
    inv = Inv.decode(bytes.fromhex("02" + ONE_TEXT + TWO_TEXT))
    assert isinstance(inv.items, PackedVector)
    assert inv.items[1] == TWO
    assert list(inv.items.column("hash")) == [ONE.hash, TWO.hash]


def test_what_was_announced_can_be_asked_for_as_it_came():
    raw = bytes.fromhex("02" + ONE_TEXT + TWO_TEXT)
    assert GetData(Inv.decode(raw).items).encode() is raw
    assert GetData(Inv.decode(raw).items[1:]) == GetData([TWO])


def test_a_kind_that_nobody_has_defined_is_kept():
    assert Inv.decode(b"\x01" + b"\xff" * 36).items[0] == InvVect(2**32 - 1, b"\xff" * 32)


def test_a_hash_of_another_length_cannot_be_announced():
    with pytest.raises(Unencodable, match=r"InvVect\.hash cannot be encoded: it must be 32 bytes"):
        Inv((InvVect(1, bytes(20)),)).encode()
