"""Telling peers of new blocks: those who want to hear of them by their headers."""

from __future__ import annotations

from bitpeer.errors import LocalError
from bitpeer.net.interfaces import IPeer
from bitpeer.net.local import LocalNode
from bitpeer.service.headers import HeaderChain

MAX_NEWS = 8
"""Most headers told at once; of more, only the newest, and who lacks the others asks (Core)."""


class HeaderNews:
    """Tells the peers of a node whenever its chain has a new end.

    Only those who sent `sendheaders` (BIP 130).  To others a block would have to be
    announced by an `inv`, and they would ask for the whole of it, which is not here.

    Args:
        node: whose peers.
        chain: what there is to tell of.
    """

    def __init__(self, node: LocalNode, chain: HeaderChain) -> None:
        self._node = node
        self._chain = chain
        self._told = chain.tip

    def changed(self, source: IPeer, withdrawn: int, *, current: bool) -> None:
        """Tell of what has become of the chain since the last time.

        Args:
            source: whose headers they were; it is told nothing.
            withdrawn: how many blocks are not part of the chain any more.
            current: whether the chain is up to date; until then nobody is told anything.
        """
        before, tip = self._told, self._chain.tip
        self._told = tip
        if tip == before or not current:
            return
        first = before.height - withdrawn
        if tip.height - first > MAX_NEWS:
            first = tip.height - 1
        message = None
        for peer in self._node.established():
            if peer is source or not peer.wants_headers:
                continue
            if peer.known_height >= tip.height and not withdrawn:
                continue
            if message is None:
                root = self._chain.hash_at(first)
                assert root is not None  # what was withdrawn is above it
                message = self._chain.rules.message(self._chain.headers_after([root]))
            try:
                peer.send(message)
                peer.update_last_block(tip.height)
            except LocalError:  # its version has no such message
                continue
