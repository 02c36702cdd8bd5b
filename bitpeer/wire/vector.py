"""A list of fixed-size records that stays bytes until somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import chain
from operator import itemgetter
from struct import Struct, error as struct_error
from typing import Generic, TypeVar, get_args, get_type_hints, overload

from bitpeer.errors import Unencodable
from bitpeer.wire.compactsize import read_count, write_compact_size
from bitpeer.wire.fields import Fixed

_LONG = 0xFD
BUNCH = 16
"""Items whose fields are unpacked together where only one field of each is wanted."""

N = TypeVar("N", bound=tuple[object, ...])
T = TypeVar("T")
ReadVector = Callable[[bytes, int], tuple["PackedVector[T]", int]]
WriteVector = Callable[[Sequence[T]], bytes]


class Packing(Generic[T]):
    """How one small value of constant size lies on the wire.

    Args:
        name: what errors call the value.
        fields: the fields of the value, in wire order.
        make: turns the tuple of its fields into the value.
        unmake: turns the value into the tuple of its fields.

    A `struct` has one byte order.  Where the fields differ, the big-endian ones
    are unpacked as bytes and turned into numbers by hand.
    """

    def __init__(
        self,
        name: str,
        fields: dict[str, Fixed],
        make: Callable[[Sequence[object]], T],
        unmake: Callable[[T], tuple[object, ...]],
    ) -> None:
        if any(field.most is not None for field in fields.values()):
            raise TypeError(f"{name} stays packed, so nobody would see a value beyond its limit")
        order = ">" if {field.order for field in fields.values() if field.ordered} == {">"} else "<"
        self._name = name
        self._fields = fields
        self._unmake = unmake
        self._swapped = {
            at: Struct(field.order + field.code)
            for at, field in enumerate(fields.values())
            if field.ordered and field.order != order
        }
        codes = [
            f"{field.size}s" if at in self._swapped else field.code
            for at, field in enumerate(fields.values())
        ]
        self._lengths = [
            (at, field.size) for at, field in enumerate(fields.values()) if field.holds_bytes
        ]
        self.struct = Struct(order + "".join(codes))
        self.size = self.struct.size
        """Bytes of one item."""
        self.make = (lambda values: make(self._unswap(values))) if self._swapped else make
        gaps = [f"{field.size}x" for field in fields.values()]
        self._columns = {
            name: (Struct(order + column), Struct(order + column * BUNCH))
            for at, name in enumerate(fields)
            for column in ["".join([*gaps[:at], codes[at], *gaps[at + 1 :]])]
        }

    def pack(self, item: T) -> bytes:
        """Return the wire form of *item*.

        Raises:
            Unencodable: a field does not fit.
        """
        try:
            values = self._unmake(item)
            for at, length in self._lengths:
                if len(values[at]) != length:  # type: ignore[arg-type]  # bytes, or a TypeError
                    raise struct_error
            if self._swapped:
                values = tuple(
                    self._swapped[at].pack(value) if at in self._swapped else value
                    for at, value in enumerate(values)
                )
            return self.struct.pack(*values)
        except (struct_error, TypeError, IndexError):
            raise self._unencodable(item) from None

    def column(self, name: str, raw: bytes | memoryview) -> Iterator[object]:
        """Return one field of each item in *raw*, without building the items."""
        one, bunch = self._columns[name]
        bunched = len(raw) - len(raw) % bunch.size
        rows = one.iter_unpack(raw[bunched:] if bunched else raw)
        if bunched:
            rows = chain(bunch.iter_unpack(raw[:bunched]), rows)
        values = chain.from_iterable(rows)
        number = self._swapped.get(list(self._fields).index(name))
        return values if number is None else (number.unpack(value)[0] for value in values)

    def _unswap(self, values: Sequence[object]) -> Sequence[object]:
        numbers = list(values)
        for at, number in self._swapped.items():
            (numbers[at],) = number.unpack(numbers[at])  # type: ignore[arg-type]  # bytes
        return numbers

    def _unencodable(self, item: T) -> Unencodable:
        """Return what is wrong with *item*, which could not be packed."""
        try:
            values = zip(self._unmake(item), self._fields.items(), strict=True)
            name, field = next(named for value, named in values if not named[1].fits(value))
        except (TypeError, ValueError):
            return Unencodable(self._name, f"it must have {len(self._fields)} fields")
        return Unencodable(f"{self._name}.{name}", f"it must be {field.expected}")


class PackedVector(Sequence[T]):
    """A read-only sequence whose items are built when they are asked for.

    Equal to any sequence of equal items.  Iterate over it more than once and the
    items are built more than once: keep ``tuple(vector)`` if that matters.
    """

    __slots__ = ("_count", "_data", "_start", "packing")

    def __init__(self, packing: Packing[T], data: bytes, start: int, count: int) -> None:
        self.packing = packing
        self._data = data
        self._start = start
        self._count = count

    @property
    def raw(self) -> memoryview:
        """The wire forms of all items, without the count."""
        return memoryview(self._data)[self._start : self._start + self._count * self.packing.size]

    def encode(self) -> bytes:
        """Return count and items as they lie on the wire; free if they came alone."""
        prefix = write_compact_size(self._count)
        raw = self.raw
        if len(prefix) == self._start and len(prefix) + len(raw) == len(self._data):
            return self._data
        return b"".join((prefix, raw))

    def column(self, name: str) -> Iterator[object]:
        """Return one field of each item: the fast way to all hashes of an `inv`."""
        return self.packing.column(name, self.raw)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        return map(self.packing.make, self.packing.struct.iter_unpack(self.raw))

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        size = self.packing.size
        if isinstance(index, slice):
            start, stop, step = index.indices(self._count)
            if step != 1:
                return [self[at] for at in range(start, stop, step)]
            count = max(0, stop - start)
            return PackedVector(self.packing, self._data, self._start + start * size, count)
        at = index + self._count if index < 0 else index
        if not 0 <= at < self._count:
            raise IndexError(index)
        item = self.packing.struct.unpack_from(self._data, self._start + at * size)
        return self.packing.make(item)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        if len(other) != self._count:
            return False
        if isinstance(other, PackedVector) and (other.packing, other.raw) == (
            self.packing,
            self.raw,
        ):
            return True  # unequal bytes may be equal items: `Bool` has 255 ways to say true
        return all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        shown = [*map(repr, self[:3]), *(["..."] if self._count > 3 else [])]
        return f"<{self._count} packed: {', '.join(shown)}>"


def packed(cls: type[N]) -> type[N]:
    """Give a `NamedTuple` of fixed-size fields a wire form as one `struct`.

    For the small values that arrive by the thousand and live in sets: a tuple
    hashes and compares in C.
    """
    fields: dict[str, Fixed] = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        marker = fixed_marker(hint)
        if marker is None:
            raise TypeError(f"{cls.__name__}.{name} has no fixed size")
        fields[name] = marker
    if not fields:
        raise TypeError(f"{cls.__name__} has no fields")
    make = partial(tuple.__new__, cls)
    cls.__packing__ = Packing(cls.__name__, fields, make, tuple)  # type: ignore[attr-defined]
    return cls


def packing_of(item: object) -> Packing[object] | None:
    """Return how the items that *item* annotates are packed; `None` if they cannot be.

    Args:
        item: a ``@packed`` class, or an annotation such as `Hash` for bare values.
    """
    marker = fixed_marker(item)
    if marker is not None:
        return _bare_packing(marker)
    packing: Packing[object] | None = getattr(item, "__packing__", None)
    return packing


@cache
def _bare_packing(marker: Fixed) -> Packing[object]:
    """Return how values without a class of their own are packed; one for all lists of them."""
    return Packing("list", {"item": marker}, itemgetter(0), lambda value: (value,))


def fixed_marker(hint: object) -> Fixed | None:
    """Return the `Fixed` that an annotation carries, if it carries one."""
    return next((marker for marker in get_args(hint) if isinstance(marker, Fixed)), None)


def vector_codec(
    packing: Packing[T], limit: int, name: str = "list"
) -> tuple[ReadVector[T], WriteVector[T]]:
    """Return the reader and the writer of a counted list.

    Args:
        limit: the most items the protocol allows.
        name: what errors call the list.
    """
    size, pack = packing.size, packing.pack

    def read(data: bytes, pos: int) -> tuple[PackedVector[T], int]:
        count = data[pos] if pos < len(data) else _LONG
        start = pos + 1
        end = start + count * size
        if count >= _LONG or count > limit or end > len(data):
            count, start = read_count(data, pos, limit, size)
            end = start + count * size
        return PackedVector(packing, data, start, count), end

    def write(items: Sequence[T]) -> bytes:
        if len(items) > limit:
            raise Unencodable(name, f"{len(items)} items exceed the limit of {limit}")
        if isinstance(items, PackedVector) and items.packing is packing:
            return items.encode()
        return write_compact_size(len(items)) + b"".join(map(pack, items))

    return read, write
