"""Endpoints out of what people write, or a sentence that says what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

from bitpeer.errors import InvalidSetting, MissingExtra
from bitpeer.net.onion import onion_endpoint
from bitpeer.net.places import endpoint_description, listening_description, misread


def check_several(setting: str, places: object) -> None:
    """Refuse one place with nothing around it.

    Raises:
        InvalidSetting: *places* is a text, or nothing with items at all.
    """
    if isinstance(places, str | bytes) or not isinstance(places, Iterable):
        raise InvalidSetting(setting, places, "a list of places")


def distinct(
    places: Iterable[str | IStreamClientEndpoint], default_port: int
) -> dict[object, str | IStreamClientEndpoint]:
    """Return the *places* to dial without those that are written twice, in whatever way.

    Returns:
        Each under a key that is the same however it is written.

    Raises:
        InvalidSetting: one of them cannot be read.
    """
    different: dict[object, str | IStreamClientEndpoint] = {}
    for place in places:
        key = endpoint_description(place, default_port) if isinstance(place, str) else id(place)
        different.setdefault(key, place)
    return different


def server_endpoint(
    reactor: object, place: str | IStreamServerEndpoint, default_port: int
) -> IStreamServerEndpoint:
    """Return the endpoint to listen on for *place*.

    Args:
        reactor: Twisted's.
        place: ``port``, ``address``, ``address:port``, a Twisted server endpoint
            description, or an endpoint already.
        default_port: of the network.

    Raises:
        InvalidSetting: *place* is none of these.
    """
    if not isinstance(place, str):
        if not IStreamServerEndpoint.providedBy(place):
            raise InvalidSetting("listen", place, "port, address:port or a server endpoint")
        return place
    description = listening_description(place, default_port)
    try:
        if place.lower().startswith("onion:"):
            return onion_endpoint(reactor, description)
        return cast(IStreamServerEndpoint, serverFromString(reactor, description))
    except MissingExtra as error:
        raise InvalidSetting("listen", place, f"something else: {error}") from None
    except InvalidSetting as error:
        raise InvalidSetting("listen", place, error.expected) from None
    except Exception as error:  # each parser has its own way to fail, systemd's an IndexError
        raise misread("listen", place, error) from error
