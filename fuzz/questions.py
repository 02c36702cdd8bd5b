"""Questions to peers, as scripts want them."""

from __future__ import annotations

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
    name = some_name(script, network)
    if word in ("addresses", "mempool"):
        arguments: tuple[Any, ...] = ()
    elif word == "headers":
        arguments = [name] * script.number(3), some_name(script, network)
    elif word in ("cfilters", "cfheaders"):
        start = name if network.dialect.name == "decred" else script.number(9)
        arguments = start, some_name(script, network)
    else:
        arguments = (name,)
    return topic.ask(*arguments, **wanted)
