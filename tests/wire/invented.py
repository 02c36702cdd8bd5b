"""Values of everything that is declared, made from its declaration: random and extreme ones."""

from typing import Any, get_args

from hypothesis import strategies as st

from bitpeer.wire.fields import TAIL, Fixed, Limit, Remainder
from bitpeer.wire.message import Record
from tests.wire.slow_codec import SIZES, hints, marker_of, plain


def values(kind: Any, *, wild: bool = False) -> st.SearchStrategy[Any]:
    """Return values of *kind*; *wild* ones need not have a wire form."""
    parts = {name: field_values(hint, wild=wild) for name, hint in hints(kind).items()}
    return st.builds(kind, **parts)


def field_values(hint: Any, *, wild: bool) -> st.SearchStrategy[Any]:
    kind = plain(hint)
    if fixed := marker_of(hint, Fixed):
        return fixed_values(fixed, wild=wild)
    if remainder := marker_of(hint, Remainder):
        return st.binary(max_size=min(remainder.count + wild, 50))
    if limit := marker_of(hint, Limit):
        if kind is bytes:
            return st.binary(max_size=min(limit.count + wild, 300))
        items = field_values(get_args(kind)[0], wild=wild)
        return st.lists(items, max_size=min(limit.count + wild, 4)).map(tuple)
    return values(kind, wild=wild)


def fixed_values(fixed: Fixed, *, wild: bool) -> st.SearchStrategy[Any]:
    if fixed.code.endswith("s"):
        size = int(fixed.code[:-1])
        return st.binary(min_size=size - wild, max_size=size + wild)
    if fixed.code == "?":
        return st.booleans()
    bits, signed = 8 * SIZES[fixed.code], fixed.code in "bhiq"
    low, end = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    return st.integers(low - wild, (end - 1 if fixed.most is None else fixed.most) + wild)


def shortest(kind: Any) -> Any:
    """Return the value of *kind* with the shortest wire form, as far as it can be encoded."""
    return kind(**{name: extreme(hint, largest=False) for name, hint in hints(kind).items()})


def longest(kind: Any) -> Any:
    """Return a value of *kind* with the longest wire form."""
    return kind(**{name: extreme(hint, largest=True) for name, hint in hints(kind).items()})


def extreme(hint: Any, *, largest: bool) -> Any:
    kind = plain(hint)
    if fixed := marker_of(hint, Fixed):
        return bytes(int(fixed.code[:-1])) if fixed.code.endswith("s") else fixed.most or 0
    if remainder := marker_of(hint, Remainder):
        return bytes(remainder.count if largest else 0)
    if limit := marker_of(hint, Limit):
        count = limit.count if largest else 0
        if kind is bytes:
            return bytes(count)
        return (extreme(get_args(kind)[0], largest=largest),) * count
    return longest(kind) if largest else shortest(kind)


def optional(kind: type[Record]) -> list[str]:
    """Return the names of the fields that older peers leave off."""
    return [name for name, hint in hints(kind).items() if TAIL in get_args(hint)]
