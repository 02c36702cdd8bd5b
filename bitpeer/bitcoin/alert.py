"""What a historic `alert` says: a warning that its signer wanted shown to every user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from bitpeer.errors import TrailingBytes
from bitpeer.messages.control import MAX_ALERT, Alert
from bitpeer.wire.fields import Int32, Int64, Limit
from bitpeer.wire.message import Record, record

_Text = Annotated[bytes, Limit(MAX_ALERT)]
"""Text of the signer's: escape it before showing it."""


@record
class AlertPayload(Record):
    """The signed part of an `alert`.

    The key that signed these has been public since 2018: a valid signature
    proves nothing any more.
    """

    version: Int32
    relay_until: Int64
    """Until when to pass it on, in seconds since 1970."""
    expiration: Int64
    """Until when to show it, in seconds since 1970."""
    id: Int32
    cancel: Int32
    """Every alert up to this id is void."""
    cancels: Annotated[Sequence[Int32], Limit(MAX_ALERT // 4)]
    """These alerts are void too."""
    min_version: Int32
    """The lowest protocol version whose users are addressed."""
    max_version: Int32
    """The highest protocol version whose users are addressed."""
    user_agents: Annotated[Sequence[_Text], Limit(MAX_ALERT)]
    """The programs whose users are addressed; empty for all."""
    priority: Int32
    comment: _Text
    """For those who read the alert itself."""
    status_bar: _Text
    """For those who are warned."""
    reserved: _Text


def alert_payload(alert: Alert) -> AlertPayload:
    """Return what *alert* says; nobody has looked at its signature.

    Raises:
        DecodeError: it says nothing that can be understood.
    """
    payload, end = AlertPayload.read(alert.payload)
    if end != len(alert.payload):
        raise TrailingBytes(len(alert.payload) - end)
    return payload
