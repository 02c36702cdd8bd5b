"""Answering `getheaders`, to whoever asks, as fast as is good for everybody else."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from bitpeer.errors import Disconnected, LocalError
from bitpeer.messages.locator import GetHeaders
from bitpeer.net.interfaces import IPeer
from bitpeer.net.listeners import PeerListener, on
from bitpeer.net.local import LocalNode
from bitpeer.service.headers import HeaderChain

MAX_LOCATOR = 101
"""Hashes of a locator that are looked at: as many as a chain of any length needs (Core)."""
PRICE = 100
"""What a request costs at least, counted in headers."""
CREDIT = 20_000.0
"""Headers that a peer has at once, when it has not asked for a while."""
INCOME = 10_000.0
"""Headers that it has more of each second: five full messages."""


class HeaderServer(PeerListener):
    """Gives headers to peers that ask for them.

    A chain that is not credible yet is kept to oneself: the answer is empty.  Whoever
    asks too fast is answered later, and not read from meanwhile.

    Args:
        node: whose peers; make the server one of its listeners.
        chain: what to give.
    """

    def __init__(self, node: LocalNode, chain: HeaderChain) -> None:
        self._node = node
        self._chain = chain
        self._accounts: dict[IPeer, tuple[float, float]] = {}
        """What each peer had, and when."""

    @on(GetHeaders)
    def headers_wanted(self, peer: IPeer, message: GetHeaders) -> Deferred[None] | None:
        """Answer, at once or soon."""
        chain, kept = self._chain, []
        if chain.credible:
            kept = chain.headers_after(message.locator[:MAX_LOCATOR], message.stop)
            self._note_height(peer, message.locator, kept)
        if not kept and not message.locator:
            return None
        wait = self._charge(peer, max(PRICE, len(kept)))
        if not wait:
            self._answer(peer, kept)
            return None
        return deferLater(self._node.clock, wait, self._answer, peer, kept)

    def peer_lost(self, peer: IPeer, reason: Disconnected) -> None:
        """Forget what the peer had."""
        self._accounts.pop(peer, None)

    def _answer(self, peer: IPeer, kept: list[bytes]) -> None:
        try:
            peer.send(self._chain.rules.message(kept))
        except LocalError:  # its version has no such message
            return

    def _note_height(self, peer: IPeer, locator: Sequence[bytes], kept: list[bytes]) -> None:
        """Note how high the peer is: at the last that it is given, or else where it says."""
        if not locator:
            return
        newest = self._chain.rules.link(kept[-1]).hash if kept else locator[0]
        position = self._chain.find(newest)
        if position is not None:
            peer.update_last_block(position.height)

    def _charge(self, peer: IPeer, price: int) -> float:
        """Return how many seconds the peer has to wait for what costs so much."""
        now = self._node.clock.seconds()
        had, then = self._accounts.get(peer, (CREDIT, now))
        has = min(CREDIT, had + (now - then) * INCOME) - price
        self._accounts[peer] = has, now
        return max(0.0, -has / INCOME)
