import tracemalloc
from typing import Annotated, NamedTuple

import pytest
from hypothesis import given, strategies as st

from bitpeer.errors import LimitExceeded, Truncated, Unencodable
from bitpeer.wire.compactsize import write_compact_size
from bitpeer.wire.fields import Bool, Fixed, Hash, Limit, Uint8, Uint16BE, Uint32
from bitpeer.wire.vector import (
    BUNCH,
    PackedVector,
    fixed_marker,
    packed,
    packing_of,
    vector_codec,
)


@packed
class Spot(NamedTuple):
    """All little-endian."""

    number: Uint32
    name: Annotated[bytes, Fixed("2s")]


@packed
class Port(NamedTuple):
    """All big-endian."""

    port: Uint16BE
    open: Uint8


@packed
class Mixed(NamedTuple):
    """Of both byte orders."""

    number: Uint32
    port: Uint16BE
    name: Annotated[bytes, Fixed("2s")]
    other: Annotated[int, Fixed("h", ">")]


@packed
class Switch(NamedTuple):
    """Of which one value can be written in many ways."""

    on: Bool


SPOTS = [Spot(1, b"aa"), Spot(2, b"bb"), Spot(3, b"cc"), Spot(2**32 - 1, b"zz")]
RAW = bytes.fromhex("01000000616102000000626203000000 6363ffffffff7a7a")

read_spots, write_spots = vector_codec(Spot.__packing__, limit=300, name="Map.spots")


def spots(count: int = 4) -> PackedVector[Spot]:
    """Return the first *count* spots as if they had been received."""
    return read_spots(bytes([count]) + RAW[: 6 * count], 0)[0]


# How one item lies on the wire


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Spot(1, b"ab"), "010000006162"),
        (Port(8333, 1), "208d01"),
        (Mixed(1, 8333, b"ab", -2), "01000000208d6162fffe"),
        (Switch(on=True), "01"),
    ],
)
def test_an_item_has_its_bytes(item, text):
    packing = type(item).__packing__
    raw = bytes.fromhex(text)
    assert packing.size == len(raw)
    assert packing.pack(item) == raw
    vector = PackedVector(packing, raw, 0, 1)
    assert vector[0] == item
    assert list(vector) == [item]
    assert type(vector[0]) is type(item)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1), st.integers(-(2**15), 2**15 - 1))
def test_byte_orders_mix(number, port, other):
    packing = Mixed.__packing__
    item = Mixed(number, port, b"xy", other)
    raw = packing.pack(item)
    assert raw == (
        number.to_bytes(4, "little")
        + port.to_bytes(2, "big")
        + b"xy"
        + other.to_bytes(2, "big", signed=True)
    )
    assert PackedVector(packing, raw, 0, 1)[0] == item


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (Spot(2**32, b"ab"), "Spot.number cannot be encoded: it must be an integer from 0"),
        (Spot(-1, b"ab"), "Spot.number cannot be encoded: it must be an integer from 0"),
        (Spot("1", b"ab"), "Spot.number cannot be encoded: it must be an integer from 0"),
        (Spot(1, b"abc"), "Spot.name cannot be encoded: it must be 2 bytes"),
        (Spot(1, b"a"), "Spot.name cannot be encoded: it must be 2 bytes"),
        (Spot(1, "ab"), "Spot.name cannot be encoded: it must be 2 bytes"),
        (Spot(1, None), "Spot.name cannot be encoded: it must be 2 bytes"),
        ((1,), "Spot cannot be encoded: it must have 2 fields"),
        ((1, b"ab", 3), "Spot cannot be encoded: it must have 2 fields"),
        (7, "Spot cannot be encoded: it must have 2 fields"),
    ],
)
def test_an_item_that_does_not_fit_is_named(item, sentence):
    with pytest.raises(Unencodable) as caught:
        Spot.__packing__.pack(item)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("item", "name"),
    [(Mixed(1, 2**16, b"ab", 1), "Mixed.port"), (Mixed(1, 1, b"ab", 2**15), "Mixed.other")],
)
def test_a_number_of_the_other_byte_order_is_checked_too(item, name):
    with pytest.raises(Unencodable, match=name):
        Mixed.__packing__.pack(item)


def test_items_of_variable_size_cannot_be_packed():
    class Loose(NamedTuple):
        text: Annotated[bytes, Limit(9)]

    with pytest.raises(TypeError, match=r"Loose\.text has no fixed size"):
        packed(Loose)


def test_items_of_no_size_cannot_be_packed():
    class Nothing(NamedTuple):
        pass

    with pytest.raises(TypeError, match="Nothing has no fields"):
        packed(Nothing)


def test_items_with_limits_cannot_be_packed():
    class Limited(NamedTuple):
        number: Annotated[int, Fixed("B", most=9)]

    with pytest.raises(TypeError, match="Limited stays packed"):
        packed(Limited)
    with pytest.raises(TypeError, match="list stays packed"):
        packing_of(Annotated[int, Fixed("B", most=9)])


def test_packings_are_found():
    assert packing_of(Spot) is Spot.__packing__
    assert packing_of(Hash).size == 32
    assert packing_of(bytes) is None
    assert fixed_marker(Hash) == Fixed("32s")
    assert fixed_marker(Annotated[bytes, Limit(3)]) is None


def test_lists_of_bare_values_share_one_packing():
    assert packing_of(Hash) is packing_of(Hash)


# A list of them


def test_a_vector_is_a_sequence():
    vector = spots()
    assert len(vector) == 4
    assert list(vector) == SPOTS
    assert list(reversed(vector)) == SPOTS[::-1]
    assert [vector[at] for at in range(4)] == SPOTS
    assert SPOTS[2] in vector
    assert Spot(9, b"aa") not in vector
    assert vector.index(SPOTS[3]) == 3
    assert vector.count(SPOTS[0]) == 1


def test_a_vector_counts_from_its_end_too():
    assert [spots()[at] for at in (-1, -2, -3, -4)] == SPOTS[::-1]


@pytest.mark.parametrize("index", [4, 5, -5, 2**70])
def test_beyond_its_ends_is_nothing(index):
    with pytest.raises(IndexError):
        spots()[index]


def test_an_empty_vector_is_empty():
    vector = spots(0)
    assert not vector
    assert list(vector) == []
    assert vector == ()
    assert list(vector.column("number")) == []
    assert vector.encode() == b"\x00"
    with pytest.raises(IndexError):
        vector[0]


OPTIONAL = st.one_of(st.none(), st.integers(-6, 6))


@given(OPTIONAL, OPTIONAL, OPTIONAL.filter(lambda step: step != 0))
def test_a_slice_is_what_a_slice_of_a_list_is(start, stop, step):
    wanted = slice(start, stop, step)
    part = spots()[wanted]
    assert list(part) == SPOTS[wanted]
    assert len(part) == len(SPOTS[wanted])
    assert write_spots(part) == write_spots(SPOTS[wanted])


def test_a_slice_in_order_copies_nothing():
    vector = spots()
    part = vector[1:3]
    assert isinstance(part, PackedVector)
    assert part.raw.obj is vector.raw.obj
    assert bytes(part.raw) == RAW[6:18]
    assert list(part[1:]) == [SPOTS[2]]


def test_equal_items_make_equal_vectors():
    vector = spots()
    assert vector == tuple(SPOTS)
    assert vector == SPOTS
    assert tuple(SPOTS) == vector
    assert vector == spots()
    assert vector == read_spots(b"...\x04" + RAW, 3)[0]
    assert vector == [tuple(each) for each in SPOTS]


def test_other_items_make_other_vectors():
    vector = spots()
    assert vector != spots(3)
    assert vector != SPOTS[::-1]
    assert vector != SPOTS[:3]
    assert vector != read_spots(b"\x04" + RAW[:-1] + b"!", 0)[0]
    assert vector != "four"


def test_what_is_no_sequence_is_not_equal():
    assert spots() != set(SPOTS)
    assert spots() != 4
    assert spots(0) != None  # noqa: E711  # the operator is what is tested


def test_vectors_of_another_kind_are_compared_by_item():
    ports = PackedVector(Port.__packing__, b"\x00\x01\x01", 0, 1)
    assert ports == [(1, 1)]
    assert ports != spots(1)
    assert PackedVector(Port.__packing__, b"", 0, 0) == spots(0)


def test_different_bytes_may_be_equal_items():
    one, two = (PackedVector(Switch.__packing__, raw, 0, 1) for raw in (b"\x01", b"\x02"))
    assert one == two == (Switch(on=True),)
    assert hash(one) == hash(two)


def test_a_vector_hashes_as_its_tuple_does():
    assert hash(spots()) == hash(tuple(SPOTS))
    assert {spots(): 1}[tuple(SPOTS)] == 1


def test_a_vector_shows_how_much_and_how_it_begins():
    assert repr(spots()).startswith("<4 packed: Spot(")
    assert repr(spots()).endswith(", ...>")
    assert repr(spots()[:1]).count("Spot(") == 1


def test_a_column_is_one_field_of_each():
    assert list(spots().column("number")) == [1, 2, 3, 2**32 - 1]
    assert list(spots().column("name")) == [b"aa", b"bb", b"cc", b"zz"]
    assert list(spots()[1:3].column("name")) == [b"bb", b"cc"]


@pytest.mark.parametrize("count", [0, 1, BUNCH - 1, BUNCH, BUNCH + 1, 3 * BUNCH, 3 * BUNCH + 2])
@pytest.mark.parametrize("name", Mixed._fields)
def test_a_column_is_as_long_as_its_list(name, count):
    items = [Mixed(number, 2 * number, b"ab", -number) for number in range(count)]
    packing = Mixed.__packing__
    vector = PackedVector(packing, b"".join(map(packing.pack, items)), 0, count)
    assert list(vector.column(name)) == [getattr(each, name) for each in items]


@pytest.mark.parametrize("name", Mixed._fields)
def test_a_column_may_have_the_other_byte_order(name):
    items = [Mixed(1, 2, b"ab", 3), Mixed(4, 8333, b"cd", -6)]
    packing = Mixed.__packing__
    vector = PackedVector(packing, b"".join(map(packing.pack, items)), 0, 2)
    assert list(vector.column(name)) == [getattr(each, name) for each in items]


# On the wire


def test_a_list_is_its_count_and_its_items():
    raw = b"\x04" + RAW
    vector, end = read_spots(b"<<" + raw + b">>", 2)
    assert vector == SPOTS
    assert end == 2 + len(raw)
    assert vector.encode() == raw
    assert bytes(vector.raw) == RAW
    assert write_spots(SPOTS) == write_spots(tuple(SPOTS)) == write_spots(vector) == raw


def test_a_list_that_came_alone_is_sent_without_copying():
    data = b"\x04" + RAW
    assert write_spots(read_spots(data, 0)[0]) is data


def test_only_what_begins_with_its_count_is_a_list():
    vector = PackedVector(Spot.__packing__, RAW[:6] + b"?", 0, 1)
    assert vector.encode() == b"\x01" + RAW[:6]


@pytest.mark.parametrize("count", [0xFC, 0xFD, 300])
def test_a_long_list_has_a_wide_count(count):
    raw = write_compact_size(count) + RAW[:6] * count
    vector, _ = read_spots(raw, 0)
    assert vector == [SPOTS[0]] * count
    assert vector.encode() is raw
    assert write_spots(list(vector)) == raw
    assert vector[1:].encode() == write_compact_size(count - 1) + RAW[:6] * (count - 1)


def test_a_vector_of_another_kind_is_packed_item_by_item():
    _, write_pairs = vector_codec(
        packed(NamedTuple("Pair", [("a", Uint16BE), ("b", Uint8)])).__packing__, 9
    )
    assert write_pairs(PackedVector(Port.__packing__, b"\x20\x8d\x01", 0, 1)) == b"\x01\x20\x8d\x01"


@pytest.mark.parametrize("size", range(25))
def test_every_truncation_is_refused(size):
    with pytest.raises(Truncated):
        read_spots((b"\x04" + RAW)[:size], 0)


def test_one_over_the_limit_is_refused_both_ways():
    vector, _ = read_spots(write_compact_size(300) + bytes(1800), 0)
    assert len(vector) == 300
    with pytest.raises(LimitExceeded) as caught:
        read_spots(write_compact_size(301) + bytes(1806), 0)
    assert (caught.value.count, caught.value.limit) == (301, 300)
    with pytest.raises(Unencodable, match=r"Map\.spots cannot be encoded: 301 items exceed"):
        write_spots([SPOTS[0]] * 301)
    read_more, _ = vector_codec(Spot.__packing__, 400)
    with pytest.raises(Unencodable, match="301 items exceed the limit of 300"):
        write_spots(read_more(write_compact_size(301) + bytes(1806), 0)[0])


def test_a_list_with_a_wrong_item_cannot_be_written():
    with pytest.raises(Unencodable, match=r"Spot\.name"):
        write_spots([SPOTS[0], Spot(1, b"")])


def test_a_bare_value_that_does_not_fit_is_named():
    _, write_hashes = vector_codec(packing_of(Hash), 9)
    with pytest.raises(Unencodable, match=r"list\.item cannot be encoded: it must be 32 bytes"):
        write_hashes([bytes(32), bytes(31)])


def test_a_vector_costs_its_bytes_and_no_more():
    read, _ = vector_codec(Spot.__packing__, 50_000)
    data = write_compact_size(50_000) + bytes(300_000)
    tracemalloc.start()
    vector, _ = read(data, 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(vector) == 50_000
    assert peak < 4096
