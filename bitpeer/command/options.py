"""The command line of `twistd bitpeer`."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from twisted.copyright import version as twisted_version
from twisted.python.usage import Options as UsageOptions, UsageError

from bitpeer.command.configfile import ConfigFile, read_file
from bitpeer.command.plan import Plan, make_plan
from bitpeer.command.said import Said, WrongSetting
from bitpeer.command.settings import DEFAULT_OUTBOUND, SETTINGS, Setting, Shape
from bitpeer.config import VERSION


class Options(UsageOptions):
    """What the operator says when the program starts.

    After parsing, `plan` is what to run.
    """

    synopsis = "[options]"
    longdesc = (
        "A peer of Bitcoin's network, of Decred's or of Jax.Network's. Without options it joins "
        "Bitcoin's mainnet: it asks the network's DNS seeds for addresses and keeps "
        f"{DEFAULT_OUTBOUND} connections. "
        "ENDPOINT is host, host:port or whatever Twisted understands, as tcp:127.0.0.1:8333; "
        "to listen, a port, an address or address:port."
    )
    plan: Plan

    def __init__(self) -> None:
        self._said: dict[str, Said] = {}
        UsageOptions.__init__(self)

    def opt_version(self) -> NoReturn:
        """Show versions and exit."""
        python = platform.python_version()
        sys.stdout.write(f"bitpeer {VERSION} (Twisted {twisted_version}, Python {python})\n")
        raise SystemExit(0)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:  # noqa: N802
        """Read the command line.

        Raises:
            SystemExit: with one line for whoever wrote it. (A `UsageError` would make
                twistd show all of its help first.)
        """
        try:
            UsageOptions.parseOptions(self, options)
            self.plan = self.make_plan()
        except (UsageError, WrongSetting) as error:
            raise SystemExit(f"bitpeer: {error}; see twistd bitpeer --help") from None

    def parseArgs(self, *arguments: str) -> None:  # noqa: N802
        """Refuse what is not an option."""
        if arguments:
            raise UsageError(f"{arguments[0]!r} belongs to no option")

    def make_plan(self) -> Plan:
        """Return what follows from the command line and from the file as it is now.

        Raises:
            WrongSetting: something of it makes no sense.
        """
        said = self._said.get("config")
        return make_plan(self._said, read_file(said.texts[-1]) if said else ConfigFile())

    def _hear(self, setting: Setting, text: str) -> None:
        if setting.is_path:  # twistd may go elsewhere before it is read again
            text = setting.located(text, os.getcwd())
        before = self._said.get(setting.name)
        texts = (*before.texts, text) if before else (text,)
        self._said[setting.name] = Said(texts, f"--{setting.name}")


def _option(setting: Setting) -> Callable[..., None]:
    """Return what Twisted calls when *setting* is said; it shows the docstring as help."""

    def flag(self: Options) -> None:
        self._hear(setting, "true")

    def one(self: Options, text: str) -> None:
        self._hear(setting, text)

    option: Callable[..., None] = flag if setting.shape is Shape.FLAG else one
    option.__doc__ = setting.help
    return option


for _setting in SETTINGS:
    setattr(Options, f"opt_{_setting.field}", _option(_setting))
