"""What the operator has said, and where: for complaints that name the place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bitpeer.command.settings import Setting, Shape
from bitpeer.errors import InvalidSetting


class WrongSetting(Exception):
    """The operator said something that makes no sense: a sentence for a person."""


def refused(option: str, value: object, error: InvalidSetting) -> WrongSetting:
    """Return the complaint that some part of the program cannot do with an option's *value*."""
    return WrongSetting(f"--{option} is {value!r:.200}, expected {error.expected}")


@dataclass(frozen=True, slots=True)
class Said:
    """One setting, as it was written."""

    texts: tuple[str, ...]
    where: str
    """As ``--outbound``, or ``outbound in bitpeer.toml``."""

    def wrong(self, value: object, expected: str) -> WrongSetting:
        """Return the complaint that *value* is not what is expected."""
        return WrongSetting(f"{self.where} is {value!r:.200}, expected {expected}")

    def read(self, setting: Setting) -> Any:
        """Return the value.

        Raises:
            WrongSetting: it cannot be read.
        """
        read = [self._read(setting, text) for text in self.texts]
        if setting.shape is not Shape.MANY:
            return read[-1]
        return [each for place, each in enumerate(read) if each not in read[:place]]

    def _read(self, setting: Setting, text: str) -> Any:
        try:
            return setting.read(text)
        except ValueError as error:
            raise self.wrong(text, str(error)) from None


Layer = Mapping[str, Said]
"""What was said in one place, by the names of settings."""


def find(setting: Setting, layers: Iterable[Layer]) -> Said | None:
    """Return what the first of *layers* that mentions *setting* says of it."""
    return next((layer[setting.name] for layer in layers if setting.name in layer), None)


def value(setting: Setting, layers: Iterable[Layer]) -> Any:
    """Return what counts: what was said in the first of *layers*, or the default.

    Raises:
        WrongSetting: what was said makes no sense.
    """
    said = find(setting, layers)
    if said is not None:
        return said.read(setting)
    return [] if setting.shape is Shape.MANY else setting.default
