"""Messages that only Decred has, but for blocks, filters, addresses and mixing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from bitpeer.decred.constants import INIT_STATE_VERSION
from bitpeer.decred.text import Text32, Text256
from bitpeer.messages.addresses import NOWHERE, NetAddress
from bitpeer.wire.fields import TAIL, Bool, Fixed, Hash, Int32, Limit, Uint32, Uint64
from bitpeer.wire.message import Message, message

MAX_USER_AGENT = 256
"""Most bytes of a user agent."""
MAX_STATE_BLOCKS = 8
"""Most blocks in one `initstate` or `miningstate`."""
MAX_STATE_VOTES = 40
"""Most votes in one `initstate` or `miningstate`: five for each block."""
MAX_STATE_TSPENDS = 7
"""Most treasury spends in one `initstate`."""
MAX_STATE_TYPES = 32
"""Most types that one `getinitstate` may ask for."""
MINING_STATE_VERSION = 1
"""Of the layout of `miningstate`; there is no other."""

HEAD_BLOCKS, HEAD_BLOCK_VOTES, TSPENDS = b"headblocks", b"headblockvotes", b"tspends"
"""What a `getinitstate` can ask for; other types are ignored."""

Time64 = Annotated[int, Fixed("Q", most=(1 << 63) - 1 - 62_135_596_800)]
"""Seconds since 1970; those later than Go can count are refused by everybody."""

_Blocks = Annotated[Sequence[Hash], Limit(MAX_STATE_BLOCKS)]
_Votes = Annotated[Sequence[Hash], Limit(MAX_STATE_VOTES)]


@message("version")
class Version(Message):
    """Introduce oneself; the first message on every connection."""

    version: Int32
    services: Uint64
    time: Time64
    """Seconds since 1970, as the sender sees it."""
    receiver: NetAddress
    """Where the sender believes the receiver to be."""
    sender: Annotated[NetAddress, TAIL] = NOWHERE
    """Zeros from everybody who values privacy; ignored by all."""
    nonce: Annotated[Uint64, TAIL] = 0
    user_agent: Annotated[Text256, TAIL] = b""
    """At most 256 bytes of printable ASCII."""
    height: Annotated[Int32, TAIL] = 0
    relay: Annotated[Bool, TAIL] = True
    """Whether the sender wants to hear of transactions."""


@message("getminings", until=INIT_STATE_VERSION)
class GetMiningState(Message):
    """Ask for the blocks that could be built upon, and the votes on them."""


@message("miningstate", until=INIT_STATE_VERSION)
class MiningState(Message):
    """The blocks of the newest height, and votes on them."""

    version: Uint32
    """Always `MINING_STATE_VERSION`."""
    height: Uint32
    block_hashes: _Blocks
    vote_hashes: _Votes


@message("getinitstate", since=INIT_STATE_VERSION)
class GetInitState(Message):
    """Ask, once, for what a node needs before it can take part in mining and voting."""

    types: Annotated[Sequence[Text32], Limit(MAX_STATE_TYPES)]
    """`HEAD_BLOCKS` and the like; at most 32 bytes of printable ASCII each."""


@message("initstate", since=INIT_STATE_VERSION)
class InitState(Message):
    """Hashes of what a `getinitstate` asked for."""

    block_hashes: _Blocks
    vote_hashes: _Votes
    tspend_hashes: Annotated[Sequence[Hash], Limit(MAX_STATE_TSPENDS)]
    """Of transactions that would spend from the treasury."""
