"""Build one protocol, and the machine behind it, per connection."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory

from bitpeer.dialect import Greeting
from bitpeer.messages.addresses import NetAddress
from bitpeer.net.local import LocalNode
from bitpeer.net.protocol import PeerProtocol
from bitpeer.peer.machine import PeerMachine
from bitpeer.peer.terms import Terms


class PeerFactory(Factory):
    """Makes the peers of one direction.

    All that one factory makes of those who dial us come in by one door: see `FlushTimes`.

    Args:
        node: what they share with all peers of the network.
        outbound: whether this side dials.
        dialled: what is dialled, as people write it; for peers behind a proxy, whose
            own address the transport does not know.
        quiet: whether to ask the peers for no transactions, whatever the settings say.
    """

    noisy = False

    def __init__(
        self,
        node: LocalNode,
        *,
        outbound: bool,
        dialled: str | None = None,
        quiet: bool = False,
    ) -> None:
        self.node = node
        self._outbound = outbound
        self._dialled = dialled
        self._quiet = quiet
        self._terms = node.terms if outbound else replace(node.terms, door=object())

    def buildProtocol(self, addr: IAddress | None) -> PeerProtocol:
        node = self.node
        host, port = getattr(addr, "host", ""), getattr(addr, "port", 0)
        machine = PeerMachine(
            _quiet(self._terms) if self._quiet else self._terms,
            node.new_framing(),
            outbound=self._outbound,
            receiver=node.receiver_address(host, port),
        )
        return PeerProtocol(node, machine, self._dialled)


def _quiet(terms: Terms) -> Terms:
    """Return *terms* with a greeting that asks for no transactions."""

    def greeting(now: float, nonce: int, receiver: NetAddress) -> Greeting:
        return replace(terms.greeting(now, nonce, receiver), relay=False)

    return replace(terms, greeting=greeting)
