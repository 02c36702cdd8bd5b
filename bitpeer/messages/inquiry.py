"""What can be asked of a peer, and how to know the answer when it comes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any, cast

from bitpeer.errors import Absent, Unencodable
from bitpeer.messages.control import MemPool, Ping, Pong
from bitpeer.messages.filters import (
    MAX_CFILTERS,
    CFCheckpt,
    CFHeaders,
    CFilter,
    GetCFCheckpt,
    GetCFHeaders,
    GetCFilters,
)
from bitpeer.messages.inventory import MAX_INVENTORY, GetData, Inv, InvVect
from bitpeer.messages.locator import GetHeaders
from bitpeer.wire.message import Message, Unknown

SOON = 30.0
"""Seconds for an answer that is looked up and sent."""
LARGE = 60.0
"""Seconds for an answer that may be megabytes."""
AT_LEISURE = 120.0
"""Seconds for addresses: the reference node puts them off by half a minute on average."""
MAX_PARTS = 16
"""Most messages with headers that may come in answer to one question."""
MAX_INVS = 1_000
"""Most `inv` messages that tell of one mempool."""
FULL_INVS = frozenset({1_000, MAX_INVENTORY})
"""Items of a message behind which another may follow: bcoin's limit, and everybody else's."""


class Fit(Enum):
    """How well a message answers an inquiry."""

    NOT = "says nothing about it"
    PART = "is part of the answer; more is to come"
    WHOLE = "is the answer, or the end of it"
    MEAGRE = "will do if nothing better comes in time"


def _whole(_: Any) -> Fit:
    return Fit.WHOLE


def _the_last(parts: Sequence[Any]) -> Any:
    return parts[-1]


def _shown(name: object) -> str:
    """Return a hash as people write it.

    Raises:
        Unencodable: it is none; text is what many have at hand.
    """
    if not isinstance(name, bytes):
        why = "it must be 32 bytes in wire order; hash_from_text makes them of text"
        raise Unencodable(f"the hash {name!r:.80}", why)
    return name[::-1].hex()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inquiry:
    """A question to one peer: what to say, and what of that which comes is the answer.

    Two inquiries with equal keys are one question: while it is unanswered it is
    not asked again.
    """

    what: str
    """What is asked for, in words."""
    key: Hashable
    messages: tuple[Message | Unknown, ...]
    """What to send."""
    answers: frozenset[type]
    """Kinds of messages that may answer."""
    question: tuple[str, bytes] | None = None
    """By which the dialect matches answers, and denials, to questions; `None` if only `fit`
    can tell."""
    fit: Callable[[Any], Fit] = _whole
    """Given a message of these kinds, and with this question, if there is one."""
    most: int = 1
    """Messages of which an answer may consist."""
    collect: Callable[[Sequence[Any]], Any] = _the_last
    """Makes the result of the messages that are the answer, or the exception in its place."""
    lenient: bool = False
    """Whether what has come when the time is over is the answer, even if that is nothing."""
    shared: bool = False
    """Whether a peer says such things unasked, too, so that others should hear them as well."""
    timeout: float = SOON
    """Seconds to wait, unless the caller has an opinion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that peers of a dialect can be asked for."""

    ask: Callable[..., Inquiry]
    """Makes the inquiry; what it takes depends on the topic."""
    kind: type[Message]
    """With which message the peer is asked: the negotiated version must have it."""
    services: int = 0
    """Bits of which a peer must offer one to be worth asking, if there are any."""
    arguments: tuple[str, ...] = ()
    """What of the conversation `ask` wants to know, by name."""


# What several networks have in common


def item(
    word: str, kind: int, name: bytes, answers: frozenset[type], timeout: float = SOON
) -> Inquiry:
    """Ask for one object by its kind and its hash in wire order."""
    return Inquiry(
        what=f"{word} {_shown(name)}",
        key=(word, kind, name),
        messages=(GetData((InvVect(kind, name),)),),
        answers=answers,
        question=(word, name),
        timeout=timeout,
    )


def headers(
    kind: Callable[[Sequence[Any]], Message],
    locator: Sequence[bytes],
    stop: bytes,
    *,
    version: int,
    genesis: bytes,
    nonce: int,
    parent: Callable[[Any], bytes] | None = attrgetter("previous_hash"),
) -> Inquiry:
    """Ask for the headers behind the first hash of *locator* that the peer knows.

    What answers follows a hash of the locator, or the genesis block; without a locator
    it is the header of *stop*, alone.  Some peers have an empty message for "nothing new",
    others are silent.  So a `ping` goes with the question: the last that fits and comes
    before its `pong` is the answer, and if nothing does, the answer is empty.

    Args:
        kind: the class of the answer; it makes an empty one of ``()``.
        locator: hashes in wire order, the newest first.
        stop: the last header wanted; zeros for as many as possible.
        version: ours, which nobody reads.
        genesis: hash of the first block.
        nonce: for the ping; must be unpredictable.
        parent: tells the hash before a header; `None` where that does not say where it belongs.
    """
    known = {*locator, genesis}

    def follows(found: Sequence[Any]) -> bool:
        if not found or parent is None:
            return True
        if not locator:
            return len(found) == 1 and bool(found[0].hash == stop)
        return parent(found[0]) in known

    def fit(answer: Any) -> Fit:
        if isinstance(answer, Pong):
            return Fit.WHOLE if answer.nonce == nonce else Fit.NOT
        return Fit.PART if follows(answer.headers) else Fit.NOT

    return Inquiry(
        what="headers",
        key=("headers", tuple(locator), stop),
        messages=(GetHeaders(version, tuple(locator), stop), Ping(nonce)),
        answers=frozenset({cast(type, kind), Pong}),
        fit=fit,
        most=MAX_PARTS,
        collect=lambda parts: parts[-2] if len(parts) > 1 else kind(()),
        shared=True,
    )


def addresses(ask: Message, kinds: frozenset[type]) -> Inquiry:
    """Ask for addresses by *ask*; a single one may be the peer's own, told unasked."""

    def fit(answer: Any) -> Fit:
        return Fit.WHOLE if len(answer.addresses) > 1 else Fit.MEAGRE

    return Inquiry(
        what="addresses",
        key="addresses",
        messages=(ask,),
        answers=kinds,
        fit=fit,
        collect=lambda parts: parts[-1].addresses,
        shared=True,
        timeout=AT_LEISURE,
    )


def mempool(kinds: frozenset[int]) -> Inquiry:
    """Ask for what is unconfirmed.

    The first `inv` of transactions is the answer, and if it is as full as may be, those
    behind it, too.  An empty mempool is met with silence.

    Args:
        kinds: of inventory that are transactions.
    """

    def fit(answer: Inv) -> Fit:
        if not all(each.kind in kinds for each in answer.items):
            return Fit.NOT
        return Fit.PART if len(answer.items) in FULL_INVS else Fit.WHOLE

    return Inquiry(
        what="mempool",
        key="mempool",
        messages=(MemPool(),),
        answers=frozenset({Inv}),
        fit=fit,
        most=MAX_INVS,
        collect=lambda parts: [each for part in parts for each in part.items],
        lenient=True,
        shared=True,
    )


def cfilters(start: int, stop: bytes, filter_type: int = 0, *, nonce: int) -> Inquiry:
    """Ask for the filters of a range of blocks, from a height to a hash (BIP 157).

    Nothing in a filter but the last says to which question it belongs, and some peers pass
    over what they cannot answer, without a word.  So a `ping` goes with the question: if its
    `pong` comes before the last filter, there is no answer, and what follows is another's.
    """
    what = f"filters up to {_shown(stop)}"

    def fit(answer: Any) -> Fit:
        if isinstance(answer, Pong):
            return Fit.WHOLE if answer.nonce == nonce else Fit.NOT
        if answer.filter_type != filter_type:
            return Fit.NOT
        return Fit.WHOLE if answer.block_hash == stop else Fit.PART

    return Inquiry(
        what=what,
        key=("cfilters", start, stop, filter_type),
        messages=(GetCFilters(filter_type, start, stop), Ping(nonce)),
        answers=frozenset({CFilter, Pong}),
        fit=fit,
        most=MAX_CFILTERS,
        collect=lambda parts: Absent(what) if isinstance(parts[-1], Pong) else list(parts),
        timeout=LARGE,
    )


def cfheaders(start: int, stop: bytes, filter_type: int = 0) -> Inquiry:
    """Ask for the filter hashes of a range of blocks, from a height to a hash (BIP 157)."""
    return Inquiry(
        what=f"filter headers up to {_shown(stop)}",
        key=("cfheaders", start, stop, filter_type),
        messages=(GetCFHeaders(filter_type, start, stop),),
        answers=frozenset({CFHeaders}),
        question=("cfheaders", stop),
        fit=_of_type(filter_type),
    )


def cfcheckpt(stop: bytes, filter_type: int = 0) -> Inquiry:
    """Ask for every thousandth filter header up to a hash (BIP 157)."""
    return Inquiry(
        what=f"filter checkpoints up to {_shown(stop)}",
        key=("cfcheckpt", stop, filter_type),
        messages=(GetCFCheckpt(filter_type, stop),),
        answers=frozenset({CFCheckpt}),
        question=("cfcheckpt", stop),
        fit=_of_type(filter_type),
    )


def _of_type(filter_type: int) -> Callable[[Any], Fit]:
    return lambda answer: Fit.WHOLE if answer.filter_type == filter_type else Fit.NOT


def filter_topics(services: int) -> dict[str, Topic]:
    """Return the topics of BIP 157, for which peers must offer one of these *services*."""
    return {
        "cfilters": Topic(ask=cfilters, kind=GetCFilters, services=services, arguments=("nonce",)),
        "cfheaders": Topic(ask=cfheaders, kind=GetCFHeaders, services=services),
        "cfcheckpt": Topic(ask=cfcheckpt, kind=GetCFCheckpt, services=services),
    }
