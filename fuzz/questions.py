"""Questions to peers, as scripts want them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from bitpeer.dialect import Network
from bitpeer.errors import RemoteError
from bitpeer.messages.inquiry import Inquiry
from fuzz.script import Script
from fuzz.specimens import NETWORKS, payloads

KNOWN_NAMES = 8


@cache
def names(title: str) -> tuple[bytes, ...]:
    """Return the hashes of our specimens of a network."""
    network = next(each for each in NETWORKS if each.title == title)
    found: dict[bytes, None] = {}
    dialect = network.dialect
    for command, known in payloads(dialect.name).items():
        for payload in known:
            try:
                message: Any = dialect.registry.decode(command, payload)
            except RemoteError:
                continue
            for attribute in ("hash", "txid", "wtxid", "block_hash", "stop_hash"):
                name = getattr(message, attribute, None)
                if isinstance(name, bytes):
                    found[name] = None
    return (*found, network.genesis, bytes(32))


def some_name(script: Script, network: Network | None = None) -> bytes:
    """Return a hash, often the same as before."""
    if network is not None and script.flag():
        return script.pick(names(network.title))
    return bytes((script.number(KNOWN_NAMES),)) * 32


def some_inquiry(script: Script, network: Network) -> Inquiry:
    """Return a question that one may ask on a network."""
    topics = network.dialect.topics
    word = script.pick(list(topics))
    topic = topics[word]
    context = {
        "services": script.pick((0, 0x44D)),
        "version": 70_016,
        "genesis": network.genesis,
        "nonce": script.number(4),
    }
    wanted = {each: context[each] for each in topic.arguments}
    count = script.number(9)
    name, other = some_name(script, network), some_name(script, network)
    arguments: tuple[Any, ...] = (name,)
    if word in ("addresses", "mempool"):
        arguments = ()
    elif word == "headers":
        arguments = [name] * (count % 3), other
    elif word in ("cfilters", "cfheaders"):
        arguments = name if network.dialect.name == "decred" else count, other
    return topic.ask(*arguments, **wanted)


def asking(topic: int, name: int) -> bytes:
    """Return the script of a question about one topic and one of the `names`."""
    return bytes((topic, 1, 0, 1, 1, name, 1, name))


def answered_questions(network: Network) -> Iterator[tuple[bytes, int, int]]:
    """Yield scripts of questions to which a specimen is the answer.

    Each comes with the number of the specimen's command, and which of its payloads it is.
    """
    dialect = network.dialect
    for topic in range(len(dialect.topics)):
        for name in range(len(names(network.title))):
            script = asking(topic, name)
            inquiry = some_inquiry(Script(script), network)
            for number, (command, known) in enumerate(payloads(dialect.name).items()):
                for which, payload in enumerate(known):
                    message = dialect.registry.decode(command, payload)
                    if type(message) in inquiry.answers and _is_named(inquiry, message, network):
                        yield script, number, which


def _is_named(inquiry: Inquiry, message: Any, network: Network) -> bool:
    named = network.dialect.answers.get(type(message), lambda _: ())
    return inquiry.question is None or inquiry.question in named(message)
