import tracemalloc
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, dataclass, field, fields
from typing import Annotated

import pytest

from bitpeer.errors import (
    DecodeError,
    LimitExceeded,
    NonCanonical,
    TrailingBytes,
    Truncated,
    Unencodable,
)
from bitpeer.wire.compactsize import write_compact_size
from bitpeer.wire.compiler import Codec, compile_record
from bitpeer.wire.fields import TAIL, Limit, Remainder, Uint8, Uint16
from bitpeer.wire.message import Message, Record, message, record
from bitpeer.wire.vector import PackedVector
from tests.wire.samples import (
    EXAMPLES,
    Backwards,
    Bounded,
    Constants,
    Empty,
    Foreign,
    Growing,
    Hoard,
    Line,
    Lists,
    LongText,
    Numbers,
    Orders,
    PackedHoard,
    Pair,
    Point,
    Special,
    Text,
    TextHoard,
)

values = pytest.mark.parametrize(
    ("value", "raw"),
    [(value, bytes.fromhex(text)) for value, text in EXAMPLES],
    ids=[f"{type(value).__name__}-{at}" for at, (value, _) in enumerate(EXAMPLES)],
)
kinds = pytest.mark.parametrize("kind", dict.fromkeys(type(value) for value, _ in EXAMPLES))


@values
def test_a_value_has_its_bytes(value, raw):
    assert value.encode() == raw


@values
def test_bytes_have_their_value(value, raw):
    kind = type(value)
    assert kind.decode(raw) == value
    assert kind.read(raw) == (value, len(raw))


@values
def test_a_value_can_be_read_from_the_middle(value, raw):
    assert type(value).read(b"???" + raw + b"!!!", 3) == (value, 3 + len(raw))


@values
def test_every_truncation_is_refused(value, raw):
    for size in range(len(raw)):
        with pytest.raises(Truncated) as caught:
            type(value).decode(raw[:size])
        assert caught.value.needed > caught.value.available >= 0


@values
def test_trailing_bytes_are_refused(value, raw):
    with pytest.raises(TrailingBytes) as caught:
        type(value).decode(raw + b"!!")
    assert caught.value.count == 2


@values
def test_no_value_is_smaller_or_larger_than_its_kind_says(value, raw):
    assert type(value).min_size <= len(raw) <= type(value).max_size


@kinds
def test_the_source_of_a_codec_stays_on_the_class(kind):
    source = kind.__wire_source__
    for name in ("__init__", "read", "decode", "encode"):
        assert f"def {name}(" in source
    for each in fields(kind):
        assert f"self.{each.name}" in source


# Values


def test_arguments_may_be_named_and_left_off():
    assert Point(y=1, x=2) == Point(2, 1)
    assert Point(1) == Point(1, 7)
    with pytest.raises(TypeError):
        Point()
    with pytest.raises(TypeError):
        Point(1, 2, 3)


def test_values_are_frozen_and_lean():
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2
    assert not hasattr(point, "__dict__")
    assert {point: 1}[Point(1, 7)] == 1


def test_lists_of_fixed_items_stay_packed_and_others_become_tuples():
    value = Lists.decode(b"\x01" + bytes(4) + bytes(4))
    assert isinstance(value.packed, PackedVector)
    assert isinstance(value.bare, PackedVector)
    assert type(value.records) is type(value.texts) is type(value.lists) is tuple


def test_class_variables_stay():
    assert (Constants.LIMIT, Constants.loose, Constants.max_size) == (9, 8, 1)


# What was left off


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("01", Growing(1)),
        ("01 0200", Growing(1, 2)),
        ("01 0200 01 21", Growing(1, 2, b"!")),
        ("01 0200 01 21 09000000 09000000", Growing(1, 2, b"!", Point(9, 9))),
        ("01 0200 01 21 09000000 09000000 6162", Growing(1, 2, b"!", Point(9, 9), b"ab")),
    ],
)
def test_a_default_stands_for_what_older_peers_leave_off(text, value):
    assert Growing.decode(bytes.fromhex(text)) == value


@pytest.mark.parametrize("text", ["", "01 02", "01 0200 01", "01 0200 00 000000"])
def test_half_a_field_is_not_left_off(text):
    with pytest.raises(Truncated):
        Growing.decode(bytes.fromhex(text))


def test_what_may_be_left_off_is_written_all_the_same():
    assert Growing(1).encode().hex(" ") == "01 01 02 04 6e 6f 6e 65 01 00 00 00 02 00 00 00"


def test_the_remainder_is_kept_as_it_is():
    value = Growing(1, 2, b"", Point(3, 4), b"etc")
    raw = bytes.fromhex("01 0200 00 03000000 04000000 657463")
    assert value.encode() == raw
    assert Growing.read(b"??" + raw, 2) == (value, 2 + len(raw))


# Sizes


@pytest.mark.parametrize(
    ("shortest", "longest"),
    [
        (Empty(), Empty()),
        (Numbers(0, 0, 0, 0, 0, 0, False), Numbers(1, 1, 1, 1, 1, 1, True)),
        (Text(0, b"", 0), Text(0, bytes(5), 0)),
        (LongText(b""), LongText(bytes(300))),
        (Line(Point(0), Point(0), b""), Line(Point(0), Point(0), b"abc")),
        (
            Lists((), (), (), (), ()),
            Lists(
                (Pair(0, 0),) * 3,
                (bytes(32),) * 2,
                (Point(0),) * 2,
                (bytes(4),) * 2,
                ((0, 0),) * 2,
            ),
        ),
        (Foreign(Backwards(b".."), ()), Foreign(Backwards(b".."), (Backwards(b".."),) * 3)),
    ],
)
def test_the_extremes_follow_from_the_fields(shortest, longest):
    kind = type(shortest)
    assert kind.min_size == len(shortest.encode())
    assert kind.max_size == len(longest.encode())


def test_functions_of_ones_own_may_read_and_write_a_field():
    assert (Special.min_size, Special.max_size) == (3, 3)
    assert Special.decode(b"\x01ba") == Special(1, b"ab")
    with pytest.raises(Truncated):
        Special.decode(b"\x01b")


def test_what_can_be_left_off_counts_for_nothing_at_least():
    assert Growing.min_size == 1
    assert Growing.max_size == len(Growing(0, 0, b"1234", Point(0), b"123").encode())


# Refusals when reading


@pytest.mark.parametrize(
    ("kind", "text", "count", "limit"),
    [
        (Bounded, "c9 ffff", 201, 200),
        (Bounded, "c8 0000", 0, -1),
        (Text, "01 06 68656c6c6f21 02", 6, 5),
        (Lists, "04", 4, 3),
        (Lists, "00 03", 3, 2),
        (Lists, "00 00 03", 3, 2),
        (Lists, "00 00 00 03", 3, 2),
        (Lists, "00 00 00 01 05", 5, 4),
        (Lists, "00 00 00 00 03", 3, 2),
        (Lists, "00 00 00 00 01 03", 3, 2),
        (Foreign, "6261 04", 4, 3),
        (Growing, "01 0200 05", 5, 4),
        (Growing, "01 0200 00 0000000000000000 31323334", 4, 3),
    ],
)
def test_one_over_a_limit_is_refused(kind, text, count, limit):
    with pytest.raises(LimitExceeded) as caught:
        kind.decode(bytes.fromhex(text) + bytes(1000 if kind is not Growing else 0))
    assert (caught.value.count, caught.value.limit) == (count, limit)


@pytest.mark.parametrize("kind", [Hoard, PackedHoard, TextHoard, Lists])
@pytest.mark.parametrize("claim", [4, 2**16, 2**32, 2**64 - 1])
def test_r_a11_a_claimed_count_allocates_nothing(kind, claim):
    raw = write_compact_size(claim)
    tracemalloc.start()
    with pytest.raises(DecodeError) as caught:
        kind.decode(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 65536
    assert len(str(caught.value)) < 512


def test_r_a11_a_count_is_weighed_against_the_smallest_item():
    assert len(Hoard.decode(b"\x02" + bytes(16)).records) == 2
    with pytest.raises(Truncated) as caught:
        Hoard.decode(b"\x02" + bytes(15))
    assert (caught.value.needed, caught.value.available) == (16, 15)


@pytest.mark.parametrize(("kind", "at"), [(Text, 1), (Lists, 0), (Lists, 2), (Foreign, 2)])
def test_r_b1_a_wasteful_length_is_refused(kind, at):
    raw = bytes(at) + b"\xfd\x01\x00" + bytes(100)
    with pytest.raises(NonCanonical):
        kind.decode(raw)


# Refusals when writing


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (Numbers(256, 0, 0, 0, 0, 0, True), "Numbers.a cannot be encoded: it must be an integer"),
        (Numbers(0, 2**16, 0, 0, 0, 0, True), "Numbers.b cannot be encoded: it must be"),
        (Numbers(0, 0, 2**32, 0, 0, 0, True), "Numbers.c cannot be encoded: it must be"),
        (Numbers(0, 0, 0, 2**64, 0, 0, True), "Numbers.d cannot be encoded: it must be"),
        (Numbers(0, 0, 0, -1, 0, 0, True), "Numbers.d cannot be encoded: it must be"),
        (Numbers(0, 0, 0, 0, 2**31, 0, True), "Numbers.e cannot be encoded: it must be"),
        (Numbers(0, 0, 0, 0, 0, -(2**63) - 1, True), "Numbers.f cannot be encoded: it must be"),
        (Numbers("1", 0, 0, 0, 0, 0, True), "Numbers.a cannot be encoded: it must be"),
        (Numbers(0, 0, 0, 0, 0, 1.5, True), "Numbers.f cannot be encoded: it must be"),
        (Bounded(201, -1), "Bounded.a cannot be encoded: it must be an integer from 0 to 200"),
        (Bounded(0, 0), "Bounded.b cannot be encoded: it must be an integer from -32768 to -1"),
        (Bounded("1", -1), "Bounded.a cannot be encoded: it must be an integer from 0 to 200"),
        (Orders(1, 2, 3, b"tex", 4, True, 5), "Orders.text cannot be encoded: it must be 4"),
        (Orders(1, 2, 3, b"texts", 4, True, 5), "Orders.text cannot be encoded: it must be 4"),
        (Orders(1, 2, 3, "text", 4, True, 5), "Orders.text cannot be encoded: it must be 4"),
        (Orders(1, 2, 3, None, 4, True, 5), "Orders.text cannot be encoded: it must be 4"),
        (Text(1, b"sixsix", 2), "Text.text cannot be encoded: 6 bytes exceed the limit of 5"),
        (Text(1, "text", 2), "Text cannot be encoded: "),
        (Text(1, None, 2), "Text cannot be encoded: "),
        (Line(None, Point(1), b""), "Line cannot be encoded: "),
        (Line(Point(2**31), Point(1), b""), "Point.x cannot be encoded: it must be"),
        (Lists((Pair(0, 0),) * 4, (), (), (), ()), "Lists.packed cannot be encoded: 4 items"),
        (Lists((), (bytes(32),) * 3, (), (), ()), "Lists.bare cannot be encoded: 3 items exceed"),
        (Lists((), (), (Point(1),) * 3, (), ()), "Lists.records cannot be encoded: 3 items exceed"),
        (Lists((), (), (), (b"",) * 3, ()), "Lists.texts cannot be encoded: 3 items exceed"),
        (Lists((), (), (), (b"12345",), ()), "Lists.texts cannot be encoded: 5 bytes exceed"),
        (Lists((), (), (), (), ((),) * 3), "Lists.lists cannot be encoded: 3 items exceed"),
        (Lists((Pair(2**16, 0),), (), (), (), ()), "Pair.number cannot be encoded: it must be"),
        (Lists((), (bytes(31),), (), (), ()), "list.item cannot be encoded: it must be 32 bytes"),
        (Lists((), (), (None,), (), ()), "Lists cannot be encoded: "),
        (Lists(None, (), (), (), ()), "Lists cannot be encoded: "),
        (Growing(1, 2, b"", Point(1), b"1234"), "Growing.rest cannot be encoded: 4 bytes exceed"),
    ],
)
def test_what_does_not_fit_is_named(value, sentence):
    with pytest.raises(Unencodable) as caught:
        value.encode()
    assert str(caught.value).startswith(sentence)


# Wrong declarations


class Speechless:
    """Neither reads nor writes."""


@pytest.mark.parametrize(
    "hint",
    [
        int,
        bytes,
        str,
        Speechless,
        list[Point],
        Sequence[Point],
        Annotated[int, "wire"],
        Annotated[int, Limit(3)],
        Annotated[str, Limit(3)],
        Annotated[Sequence, Limit(3)],
        Annotated[list[Point], Limit(3)],
        Annotated[dict[Point, Point], Limit(3)],
        Annotated[Sequence[int], Limit(3)],
        Annotated[Sequence[Speechless], Limit(3)],
        Annotated[Point | None, Limit(3)],
        Point | None,
        Pair,
    ],
)
def test_an_annotation_that_says_nothing_of_the_wire_is_refused(hint):
    with pytest.raises(TypeError, match=r"Wrong\.field"):

        @record
        class Wrong(Record):
            field: hint


def test_nothing_comes_after_the_remainder():
    with pytest.raises(TypeError, match=r"Wrong\.more cannot come after rest"):

        @record
        class Wrong(Record):
            rest: Annotated[bytes, Remainder(9)]
            more: Uint8


def test_what_follows_a_field_that_may_be_missing_may_be_missing_too():
    with pytest.raises(TypeError, match=r"Wrong\.more cannot come after last"):

        @record
        class Wrong(Record):
            last: Annotated[Uint8, TAIL] = 0
            more: Uint8 = 0


def test_a_field_that_may_be_missing_needs_a_default():
    with pytest.raises(TypeError, match=r"Wrong\.last may be left off"):

        @record
        class Wrong(Record):
            last: Annotated[Uint8, TAIL]


def test_a_default_is_a_value():
    with pytest.raises(TypeError, match=r"Wrong\.items must have its default itself"):

        @record
        class Wrong(Record):
            items: Annotated[Sequence[Pair], Limit(3)] = field(default_factory=tuple)


def test_any_frozen_dataclass_can_be_compiled():
    @dataclass(frozen=True, slots=True)
    class Plain:
        number: Uint16

    compiled = compile_record(Plain)
    assert (compiled.min_size, compiled.max_size) == (2, 2)
    assert compiled.functions["decode"](b"\x01\x02") == Plain(513)
    assert compiled.functions["encode"](Plain(513)) == b"\x01\x02"
    assert compiled.source.startswith("def __init__(self, number):")


def test_a_field_may_bring_its_own_codec():
    codec = Codec(
        lambda data, pos: (data[pos] - 1, pos + 1), lambda value: bytes((value + 1,)), 1, 1
    )

    @record
    class Shifted(Record):
        number: Annotated[int, codec]
        more: Annotated[Sequence[Annotated[int, codec]], Limit(3)]

    value = Shifted(4, (1, 2))
    assert value.encode() == b"\x05\x02\x02\x03"
    assert Shifted.read(b"\x05\x02\x02\x03") == (value, 4)
    assert (Shifted.min_size, Shifted.max_size) == (2, 5)


def test_a_list_that_is_given_is_not_the_list_that_is_kept() -> None:
    @message("numbers")
    class Numbers(Message):
        numbers: Annotated[Sequence[Uint8], Limit(3)]

    given = [1, 2]
    numbers = Numbers(given)
    given.append(3)
    assert numbers.numbers == (1, 2)
    assert hash(numbers) == hash(Numbers((1, 2)))
