"""What a benchmark finds: a ratio, and whether it is as good as was aimed for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the table."""

    row: int
    """Of the targets."""
    what: str
    """What bitpeer does."""
    beside: str
    """What that is compared with."""
    value: float | None
    """The ratio; `None` if the other side could not be had on this machine."""
    unit: str = "x"
    at_least: float | None = None
    """The target, where more is better."""
    at_most: float | None = None
    """The target, where less is better."""
    detail: str = ""
    """The two numbers behind the ratio, on this machine."""
    why: str = ""
    """What is known of the reasons if the target is missed."""

    @property
    def target(self) -> str:
        """What was aimed for, in words."""
        if self.at_least is not None:
            return f"≥ {_number(self.at_least)} {self.unit}"
        if self.at_most is not None:
            return f"≤ {_number(self.at_most)} {self.unit}"
        return ""

    @property
    def measured(self) -> str:
        """What was found, in words."""
        return "" if self.value is None else f"{_number(self.value)} {self.unit}"

    @property
    def verdict(self) -> str:
        """Whether the target was met."""
        if self.value is None:
            return "not measured"
        if self.at_least is not None:
            return "met" if self.value >= self.at_least else "**missed**"
        if self.at_most is not None:
            return "met" if self.value <= self.at_most else "**missed**"
        return ""


def _number(value: float) -> str:
    """Return *value* with three digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 1 else f"{value:.2f}".rstrip("0").rstrip(".")


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """Return the quotient, or `None` if one of the two is missing."""
    return None if numerator is None or not denominator else numerator / denominator


def span(seconds: float) -> str:
    """Return a span of time as people write it."""
    if seconds >= 1:
        return f"{seconds:.3g} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds * 1e6:.3g} µs"


def spans(ours: float, other: float | None) -> str:
    """Return our time and the other's."""
    return span(ours) if other is None else f"{span(ours)} : {span(other)}"
