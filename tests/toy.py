"""A language of two messages with a silly checksum: the engine must know no Bitcoin.

`Hello` introduces, `Say` says.  What every dialect shares comes with them: `VerAck`,
`Ping`, `Pong` and `Inv`.  The checksum is a sum, so a test can write a frame by hand.
"""

from typing import Annotated

from bitpeer.dialect import Dialect, Greeting, Network
from bitpeer.messages.control import Ping, Pong, VerAck
from bitpeer.messages.inventory import Inv
from bitpeer.wire.fields import Bool, Int32, Int64, Limit, Uint32, Uint64
from bitpeer.wire.framing import Envelope
from bitpeer.wire.message import Message, Registry, message

MAGIC = b"toy!"
MAX_PAYLOAD = 200_000
"""The largest payload of any message, in bytes."""
MAX_TEXT = 100_000
"""Most bytes in one `Say`; more than `Framing` keeps in one piece."""


def silly_checksum(data: bytes) -> bytes:
    """Return the sum of all bytes as four bytes, little-endian, and one more to be cut off."""
    return sum(data).to_bytes(4, "little") + b"?"


@message("version")
class Hello(Message):
    """Introduce oneself."""

    version: Uint32
    services: Uint64
    time: Int64
    nonce: Uint64
    user_agent: Annotated[bytes, Limit(64)] = b"/toy:1/"
    height: Int32 = 0
    relay: Bool = True


@message("say")
class Say(Message):
    """Say something."""

    text: Annotated[bytes, Limit(MAX_TEXT)]


def greet(greeting: Greeting) -> Hello:
    """Return the introduction that *greeting* describes."""
    return Hello(
        greeting.version,
        greeting.services,
        greeting.time,
        greeting.nonce,
        greeting.user_agent,
        greeting.height,
        greeting.relay,
    )


DIALECT = Dialect(
    name="toy",
    registry=Registry((Hello, Say, VerAck, Ping, Pong, Inv)),
    checksum=silly_checksum,
    protocol_version=2,
    min_version=1,
    max_payload=MAX_PAYLOAD,
    greet=greet,
)
NETWORK = Network(name="nursery", dialect=DIALECT, magic=MAGIC, port=7)


def envelope() -> Envelope:
    """Return a fresh envelope for frames of this language."""
    return Envelope(MAGIC, silly_checksum, DIALECT.registry, MAX_PAYLOAD)


def frame(command: bytes, payload: bytes = b"", *, magic: bytes = MAGIC) -> bytes:
    """Return a frame, put together without the code under test."""
    head = magic + command.ljust(12, b"\0") + len(payload).to_bytes(4, "little")
    return head + silly_checksum(payload)[:4] + payload
