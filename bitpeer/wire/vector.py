"""A list of fixed-size records that stays bytes until somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from struct import Struct, error as struct_error
from typing import Generic, TypeVar, get_args, get_type_hints, overload

from bitpeer.errors import Unencodable
from bitpeer.wire.compactsize import read_count, write_compact_size
from bitpeer.wire.fields import Fixed

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
        make: Callable[[tuple[object, ...]], T],
        unmake: Callable[[T], tuple[object, ...]],
    ) -> None:
        orders = {field.order for field in fields.values() if field.code[-1] not in "sBb?"}
        order = orders.pop() if len(orders) == 1 else "<"
        codes = [field.code for field in fields.values()]
        self._swapped = {
            at: Struct(field.order + field.code)
            for at, field in enumerate(fields.values())
            if orders and field.order != "<"
        }
        for at, number in self._swapped.items():
            codes[at] = f"{number.size}s"
        self.struct = Struct(order + "".join(codes))
        self.size = self.struct.size
        """Bytes of one item."""
        self.make = make if not self._swapped else lambda values: make(self._unswap(values))
        self._unmake = unmake
        self._name = name
        self._names = tuple(fields)
        self._texts = [(at, int(code[:-1])) for at, code in enumerate(codes) if code[-1] == "s"]
        gaps = [f"{Struct(order + code).size}x" for code in codes]
        self._columns = {
            name: Struct(order + "".join([*gaps[:at], codes[at], *gaps[at + 1 :]]))
            for at, name in enumerate(fields)
        }

    def pack(self, item: T) -> bytes:
        """Return the wire form of *item*.

        Raises:
            Unencodable: a field does not fit.
        """
        try:
            values = list(self._unmake(item))
            for at, number in self._swapped.items():
                values[at] = number.pack(values[at])
            for at, size in self._texts:
                if len(values[at]) != size:  # type: ignore[arg-type]  # an "s" field holds bytes
                    raise struct_error(f"{self._names[at]} is not {size} bytes long")
            return self.struct.pack(*values)
        except (struct_error, TypeError, IndexError) as error:
            raise Unencodable(self._name, str(error)) from None

    def column(self, name: str, raw: bytes | memoryview) -> Iterator[object]:
        """Return one field of each item in *raw*, without building the items."""
        values = (value for (value,) in self._columns[name].iter_unpack(raw))
        number = self._swapped.get(self._names.index(name))
        return values if number is None else (number.unpack(value)[0] for value in values)

    def _unswap(self, values: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(
            self._swapped[at].unpack(value)[0]  # type: ignore[arg-type]  # it is an "s" field
            if at in self._swapped
            else value
            for at, value in enumerate(values)
        )


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
        if isinstance(other, PackedVector) and other.packing is self.packing:
            return self.raw == other.raw
        if isinstance(other, Sequence):
            return len(other) == len(self) and all(a == b for a, b in zip(self, other, strict=True))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{self._count} packed items>"


def packed(cls: type[N]) -> type[N]:
    """Give a `NamedTuple` of fixed-size fields a wire form as one `struct`.

    For the small values that arrive by the thousand and live in sets: a tuple
    hashes and compares in C.
    """
    fields = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        marker = fixed_marker(hint)
        if marker is None:
            raise TypeError(f"{cls.__name__}.{name} has no fixed size")
        fields[name] = marker
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
        return Packing("item", {"item": marker}, itemgetter(0), lambda value: (value,))
    packing: Packing[object] | None = getattr(item, "__packing__", None)
    return packing


def fixed_marker(hint: object) -> Fixed | None:
    """Return the `Fixed` that an annotation carries, if it carries one."""
    return next((marker for marker in get_args(hint) if isinstance(marker, Fixed)), None)


def vector_codec(packing: Packing[T], limit: int) -> tuple[ReadVector[T], WriteVector[T]]:
    """Return the reader and the writer of a counted list.

    Args:
        limit: the most items the protocol allows.
    """
    size, pack = packing.size, packing.pack

    def read(data: bytes, pos: int) -> tuple[PackedVector[T], int]:
        count, pos = read_count(data, pos, limit, size)
        return PackedVector(packing, data, pos, count), pos + count * size

    def write(items: Sequence[T]) -> bytes:
        if len(items) > limit:
            raise Unencodable("list", f"{len(items)} items exceed the limit of {limit}")
        if isinstance(items, PackedVector) and items.packing is packing:
            return items.encode()
        return write_compact_size(len(items)) + b"".join(map(pack, items))

    return read, write
