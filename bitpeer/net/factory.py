"""Build one protocol, and the machine behind it, per connection."""

from __future__ import annotations

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory

from bitpeer.net.local import LocalNode
from bitpeer.net.protocol import PeerProtocol
from bitpeer.peer.machine import PeerMachine


class PeerFactory(Factory):
    """Makes the peers of one direction.

    Args:
        node: what they share with all peers of the network.
        outbound: whether this side dials.
        dialled: what is dialled, as people write it; for peers behind a proxy, whose
            own address the transport does not know.
    """

    noisy = False

    def __init__(self, node: LocalNode, *, outbound: bool, dialled: str | None = None) -> None:
        self.node = node
        self._outbound = outbound
        self._dialled = dialled

    def buildProtocol(self, addr: IAddress | None) -> PeerProtocol:
        node = self.node
        host, port = getattr(addr, "host", ""), getattr(addr, "port", 0)
        machine = PeerMachine(
            node.terms,
            node.new_framing(),
            outbound=self._outbound,
            receiver=node.receiver_address(host, port),
        )
        return PeerProtocol(node, machine, self._dialled)
