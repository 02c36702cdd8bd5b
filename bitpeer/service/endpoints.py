"""Endpoints out of what people write, or a sentence that says what is wrong."""

from __future__ import annotations

from typing import cast

from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

from bitpeer.errors import InvalidSetting
from bitpeer.net.places import endpoint_description, listening_description


def client_endpoint(
    reactor: object, place: str | IStreamClientEndpoint, default_port: int
) -> IStreamClientEndpoint:
    """Return the endpoint to dial for *place*.

    Args:
        reactor: Twisted's.
        place: ``host``, ``host:port``, a Twisted client endpoint description, or an
            endpoint already.
        default_port: of the network.

    Raises:
        InvalidSetting: *place* is none of these.
    """
    if not isinstance(place, str):
        return place
    description = endpoint_description(place, default_port)
    try:
        return cast(IStreamClientEndpoint, clientFromString(reactor, description))
    except Exception as error:
        raise _misread("connect", place, error) from error


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
        return place
    description = listening_description(place, default_port)
    try:
        return cast(IStreamServerEndpoint, serverFromString(reactor, description))
    except Exception as error:  # each parser has its own way to fail, systemd's an IndexError
        raise _misread("listen", place, error) from error


def _misread(setting: str, place: str, error: Exception) -> InvalidSetting:
    why = str(error) or type(error).__name__
    return InvalidSetting(setting, place, f"an endpoint that Twisted can read ({why})")
