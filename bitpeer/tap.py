"""What `twistd` asks of a plugin: `Options`, and the service that they describe."""

from __future__ import annotations

from twisted.application.service import IService

from bitpeer.command.assemble import assemble
from bitpeer.command.options import Options
from bitpeer.command.said import WrongSetting
from bitpeer.command.steadiness import keep_steady
from bitpeer.service.clash import foreign_modules, warning

__all__ = ["Options", "makeService"]


def makeService(options: Options) -> IService:
    """Return the service that *options* describe.

    Raises:
        SystemExit: with one line, if it cannot be, or another distribution has put its
            modules among ours.
    """
    from twisted.internet import reactor

    if foreign := foreign_modules():
        raise SystemExit(f"bitpeer: {warning(foreign)}")
    keep_steady(reactor)
    try:
        return assemble(options.plan, options.make_plan, reactor)
    except WrongSetting as error:
        raise SystemExit(f"bitpeer: {error}; see twistd bitpeer --help") from None
