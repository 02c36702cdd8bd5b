"""Messages whose Bitcoin form is Bitcoin's own: introductions and announcements of features."""

from __future__ import annotations

from typing import Annotated

from bitpeer.messages.addresses import NOWHERE, NetAddress
from bitpeer.wire.fields import TAIL, Bool, Int32, Int64, Limit, Rest, Uint64
from bitpeer.wire.message import Message, message

MAX_USER_AGENT = 256
"""Most bytes of a user agent."""


@message("version")
class Version(Message):
    """Introduce oneself; the first message on every connection (BIP 14, 37)."""

    version: Int32
    services: Uint64
    time: Int64
    """Seconds since 1970, as the sender sees it; kept raw, however absurd."""
    receiver: NetAddress
    """Where the sender believes the receiver to be."""
    sender: Annotated[NetAddress, TAIL] = NOWHERE
    """Zeros from everybody who values privacy; ignored by all."""
    nonce: Annotated[Uint64, TAIL] = 1
    user_agent: Annotated[bytes, Limit(MAX_USER_AGENT), TAIL] = b""
    """Text of the peer's: escape it before showing it."""
    height: Annotated[Int32, TAIL] = -1
    relay: Annotated[Bool, TAIL] = True
    """Whether the sender wants to hear of transactions at once (BIP 37)."""
    extra: Rest = b""
    """What newer versions of the protocol may put behind."""


@message("wtxidrelay", since=70016)
class WtxidRelay(Message):
    """Ask for transactions to be announced by wtxid (BIP 339)."""


@message("sendaddrv2", since=70016)
class SendAddrV2(Message):
    """Ask for addresses in `addrv2` rather than `addr` (BIP 155)."""
