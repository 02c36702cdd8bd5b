"""Records that show, one by one, what an annotation may say of the wire."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, NamedTuple

from bitpeer.errors import Truncated
from bitpeer.wire.compiler import Codec
from bitpeer.wire.fields import (
    TAIL,
    Bool,
    Bytes4,
    Fixed,
    Hash,
    Int32,
    Int64,
    Limit,
    Remainder,
    Uint8,
    Uint16,
    Uint16BE,
    Uint32,
    Uint64,
)
from bitpeer.wire.message import Record, record
from bitpeer.wire.vector import packed


@record
class Empty(Record):
    pass


@record
class Numbers(Record):
    """One run."""

    a: Uint8
    b: Uint16
    c: Uint32
    d: Uint64
    e: Int32
    f: Int64
    g: Bool


@record
class Bounded(Record):
    """Numbers that stop before their bytes do."""

    a: Annotated[int, Fixed("B", most=200)]
    b: Annotated[int, Fixed("h", ">", most=-1)]


@record
class Orders(Record):
    """Three runs: the byte orders change twice, and neither bytes nor octets mind."""

    little: Uint16
    octet: Uint8
    big: Uint16BE
    text: Bytes4
    also_big: Annotated[int, Fixed("I", ">")]
    truth: Bool
    little_again: Uint32


@record
class Text(Record):
    before: Uint8
    text: Annotated[bytes, Limit(5)]
    after: Uint8


@record
class LongText(Record):
    text: Annotated[bytes, Limit(300)]


@record
class Point(Record):
    x: Int32
    y: Int32 = 7


@record
class Line(Record):
    """Records within a record."""

    start: Point
    end: Point
    name: Annotated[bytes, Limit(3)]


@packed
class Pair(NamedTuple):
    number: Uint16
    port: Uint16BE


@record
class Lists(Record):
    """A list of every kind of item."""

    packed: Annotated[Sequence[Pair], Limit(3)]
    bare: Annotated[Sequence[Hash], Limit(2)]
    records: Annotated[tuple[Point, ...], Limit(2)]
    texts: Annotated[Sequence[Annotated[bytes, Limit(4)]], Limit(2)]
    lists: Annotated[Sequence[Annotated[Sequence[Uint8], Limit(2)]], Limit(2)]


@record
class Growing(Record):
    """As `version` has grown."""

    always: Uint8
    number: Annotated[Uint16, TAIL] = 513
    text: Annotated[bytes, Limit(4), TAIL] = b"none"
    point: Annotated[Point, TAIL] = Point(1, 2)
    rest: Annotated[bytes, Remainder(3)] = b""


@record
class Named(Record):
    """Fields named as the compiler's own variables are."""

    data: Annotated[bytes, Limit(9)]
    pos: Uint8
    cls: Uint8
    len: Uint8
    new: Uint8
    error: Uint8
    struct_error: Uint8


@record
class Constants(Record):
    """What is of the class is not of the wire."""

    LIMIT: ClassVar[int] = 9
    loose: ClassVar = 8
    number: Uint8


@record
class Child(Point):
    """Inherits fields."""

    z: Uint8 = 1


class Backwards:
    """Written by hand, and no `Record`: the four names are enough."""

    min_size, max_size = 2, 2

    def __init__(self, text: bytes) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Backwards) and other.text == self.text

    __hash__ = None

    @classmethod
    def read(cls, data: bytes, pos: int) -> tuple["Backwards", int]:
        if len(data) - pos < 2:
            raise Truncated(2, len(data) - pos)
        return cls(data[pos : pos + 2][::-1]), pos + 2

    def encode(self) -> bytes:
        return self.text[::-1]


def _read_reversed(data: bytes, pos: int) -> tuple[bytes, int]:
    value, pos = Backwards.read(data, pos)
    return value.text, pos


@record
class Special(Record):
    """What no marker says but one's own functions."""

    number: Uint8
    text: Annotated[bytes, Codec(_read_reversed, lambda text: text[::-1], 2, 2)]


@record
class Foreign(Record):
    one: Backwards
    many: Annotated[Sequence[Backwards], Limit(3)]


POINTS = "0100000002000000"


@record
class Hoard(Record):
    """Lists with no limit worth the name."""

    records: Annotated[Sequence[Point], Limit(2**64)]


@record
class PackedHoard(Record):
    pairs: Annotated[Sequence[Pair], Limit(2**64)]


@record
class TextHoard(Record):
    texts: Annotated[Sequence[Annotated[bytes, Limit(2**64)]], Limit(2**64)]


EXAMPLES = [
    (Empty(), ""),
    (
        Numbers(1, 2, 3, 4, -5, -6, True),
        "01 0200 03000000 0400000000000000 fbffffff faffffffffffffff 01",
    ),
    (
        Numbers(2**8 - 1, 2**16 - 1, 2**32 - 1, 2**64 - 1, -(2**31), -(2**63), False),
        "ff ffff ffffffff ffffffffffffffff 00000080 0000000000000080 00",
    ),
    (Bounded(200, -1), "c8 ffff"),
    (Orders(1, 2, 3, b"text", 4, True, 5), "0100 02 0003 74657874 00000004 01 05000000"),
    (Text(1, b"", 2), "01 00 02"),
    (Text(1, b"hello", 2), "01 05 68656c6c6f 02"),
    (LongText(b"x" * 0xFC), "fc" + "78" * 0xFC),
    (LongText(b"x" * 0xFD), "fdfd00" + "78" * 0xFD),
    (Point(1), "01000000 07000000"),
    (Line(Point(1, 2), Point(-1, -2), b"abc"), "01000000 02000000 ffffffff feffffff 03 616263"),
    (Lists((), (), (), (), ()), "00 00 00 00 00"),
    (
        Lists(
            (Pair(1, 8333), Pair(2, 1)),
            (b"h" * 32,),
            (Point(1, 2),),
            (b"", b"ab"),
            ((), (7, 8)),
        ),
        f"02 0100208d 02000001  01 {'68' * 32}  01 01000000 02000000  02 00 026162  02 00 020708",
    ),
    (Named(b"data", 1, 2, 3, 4, 5, 6), "04 64617461 01 02 03 04 05 06"),
    (Constants(1), "01"),
    (Child(1, 2, 3), "01000000 02000000 03"),
    (Special(1, b"ab"), "01 6261"),
    (Foreign(Backwards(b"ab"), (Backwards(b"cd"),)), "6261 01 6463"),
]
"""Values and their wire forms, worked out by hand."""
