"""Settings in a file of TOML: each under its name, those of one network in a table of its own."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bitpeer.command import values
from bitpeer.command.said import Said, WrongSetting
from bitpeer.command.settings import BY_NAME, Scope, Setting, Shape
from bitpeer.net.text import printable

NETWORKS_TABLE = "networks"
"""The table that has a table for each network."""
MAX_SIZE = 1_000_000
"""Bytes of a file above which it is none of ours."""
MAX_NAME = 60
"""Most characters shown of a name that is none."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a file says."""

    everywhere: dict[str, Said] = field(default_factory=dict)
    """Of the program and all its networks."""
    networks: dict[str, dict[str, Said]] = field(default_factory=dict)
    """Of single networks, by their titles."""


def read_file(path: str) -> ConfigFile:
    """Return what the file at *path* says.

    Paths in it begin where it is.

    Raises:
        WrongSetting: it cannot be read, is no TOML, or has something that is no setting.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_SIZE + 1)
        if len(raw) > MAX_SIZE:
            raise WrongSetting(f"{path} has more than {MAX_SIZE} bytes: it is no configuration")
        tables = tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise WrongSetting(
            f"--config is {path!r}, expected a file that can be read ({why})"
        ) from None
    except (ValueError, RecursionError) as error:  # too many brackets are the latter
        raise WrongSetting(f"{path} is no TOML: {error}") from None
    try:
        return _sorted_out(path, tables)
    except ValueError:  # of a whole number in base 16, which TOML allows any length
        raise WrongSetting(f"{path} has a number that is too long to be shown") from None


def _sorted_out(path: str, tables: dict[str, Any]) -> ConfigFile:
    networks = tables.pop(NETWORKS_TABLE, {})
    if not isinstance(networks, dict):
        raise WrongSetting(f"{NETWORKS_TABLE} in {path} is no table")
    file = ConfigFile(_layer(path, "", tables))
    for name, table in networks.items():
        here = f"{NETWORKS_TABLE}.{printable(name, MAX_NAME)}"
        try:
            title = values.network(name).title
        except ValueError as error:
            raise WrongSetting(f"{here} in {path} is of no network, expected {error}") from None
        if not isinstance(table, dict):
            raise WrongSetting(f"{here} in {path} is no table")
        if title in file.networks:
            raise WrongSetting(f"{here} in {path} is the second table of this network")
        file.networks[title] = _layer(path, f"{here}.", table)
    return file


def _layer(path: str, prefix: str, table: dict[str, Any]) -> dict[str, Said]:
    layer: dict[str, Said] = {}
    for key, content in table.items():
        where = f"{prefix}{printable(key, MAX_NAME)} in {path}"
        setting = BY_NAME.get(key.replace("_", "-"))
        if setting is None or setting.name == "config":
            near = get_close_matches(key, BY_NAME, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise WrongSetting(f"{where} is no setting{hint}")
        if prefix and setting.scope is Scope.PROGRAM:
            raise WrongSetting(f"{where} is about the whole program: it belongs to the top")
        texts = _texts(content, setting, where)
        if setting.name in layer:
            raise WrongSetting(f"{where} is there twice, with - and with _")
        if texts:
            folder = os.path.dirname(path)
            layer[setting.name] = Said(
                tuple(setting.located(each, folder) for each in texts), where
            )
    return layer


def _texts(content: object, setting: Setting, where: str) -> tuple[str, ...]:
    """Return what TOML has for a setting as a command line would have it."""
    if isinstance(content, list):
        if setting.shape is Shape.WORDS:
            return (",".join(_text(each, setting, where) for each in content) or "0",)
        if setting.shape is not Shape.MANY:
            raise Said((), where).wrong(content, "one value")
        return tuple(_text(each, setting, where) for each in content)
    return (_text(content, setting, where),)


def _text(content: object, setting: Setting, where: str) -> str:
    if isinstance(content, bool):
        if setting.shape is Shape.FLAG:
            return str(content).lower()
    elif isinstance(content, int | str) and setting.shape is not Shape.FLAG:
        return str(content)
    expected = "true or false" if setting.shape is Shape.FLAG else "a text or a whole number"
    if setting.name == "network":
        expected = f"names of networks; settings of one belong to [{NETWORKS_TABLE}.NAME]"
    raise Said((), where).wrong(content, expected)
