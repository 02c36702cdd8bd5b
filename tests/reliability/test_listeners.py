"""A listener that raises, tried with every message of Bitcoin."""

import pytest
from zope.interface import implementer

from bitpeer.bitcoin import REGTEST
from bitpeer.bitcoin.language import DIALECT
from bitpeer.net.interfaces import IPeerListener
from bitpeer.wire.message import Message
from tests.net.stage import Recorder, join, node
from tests.peer.test_noise import handshake as greeting

ENDING = {*DIALECT.negotiation, *DIALECT.service_gates}
KINDS = [
    kind
    for kind in DIALECT.registry
    if kind not in ENDING and kind.command not in ("version", "verack")
]
OURS = b"toy!"


@implementer(IPeerListener)
class Clumsy:
    def peer_established(self, peer, version):
        pass

    def peer_lost(self, peer, reason):
        pass

    def message_received(self, peer, message):
        raise ValueError(message.command)


def spoken(command: str, payload: bytes) -> bytes:
    head = REGTEST.magic + command.encode().ljust(12, b"\0")
    return head + len(payload).to_bytes(4, "little") + DIALECT.checksum(payload)[:4] + payload


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.command)
def test_r_c9_a_listener_may_raise_at_every_message(kind: type[Message], logged_failures) -> None:
    recorder = Recorder()
    stage = node(Clumsy(), recorder, network=REGTEST, tolerate_malformed=True)
    peer = join(stage)
    hello = greeting(DIALECT, DIALECT.protocol_version, 2).replace(OURS, REGTEST.magic)
    peer.dataReceived(hello)
    assert peer.established
    for _ in range(100):
        peer.dataReceived(spoken(kind.command, bytes(kind.min_size)))
    assert peer.established
    assert peer.listener_failures == stage.listener_failures == 102
    assert len(recorder.told("message")) == 102
    assert len(logged_failures.claim(ValueError)) == 1
