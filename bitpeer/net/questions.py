"""What one may ask, of one peer as of several, and await the answer of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred, FirstError, fail, gatherResults
from twisted.python.failure import Failure

from bitpeer.messages.inquiry import SOON
from bitpeer.messages.locator import NO_STOP
from bitpeer.net.pipeline import MAX_BYTES, WINDOW, blocks_in_order
from bitpeer.wire.message import Message, Unknown

Kinds = type[Message | Unknown] | Iterable[type[Message | Unknown]]
"""One kind of message, or several."""


class Questions(ABC):
    """Something that can be asked for things, by methods that return Deferreds.

    None of them raises.  Hashes are in wire order, and *timeout* is in seconds; `None`
    is a time that suits what is asked for.  Cancel a Deferred to take the question back.
    """

    @abstractmethod
    def ask(self, topic: str, *args: Any, timeout: float | None = None) -> Deferred[Any]:
        """Ask about one of the dialect's topics; the methods below say what there is."""

    @abstractmethod
    def request(
        self,
        message: Message | Unknown,
        answered_by: Kinds,
        *,
        where: Callable[[Any], bool] | None = None,
        timeout: float = SOON,
    ) -> Deferred[Any]:
        """Send *message*, and wait for the first answer to it.

        If the dialect knows by what the two belong together, such as a hash, that is heeded.

        Args:
            message: what to send.
            answered_by: one or more kinds of messages.
            where: says whether a message of these kinds is the answer.
            timeout: in seconds.
        """

    def get_block(self, name: bytes, *, timeout: float | None = None) -> Deferred[Any]:
        """Ask for the block with this hash, in wire order.

        The answer has the header of that name.  Whether its transactions belong to it
        is for `check` to say, which takes its time.
        """
        return self.ask("block", name, timeout=timeout)

    def get_blocks(
        self, names: Iterable[bytes], *, timeout: float | None = None
    ) -> Deferred[list[Any]]:
        """Ask for several blocks at once; all come, in the order of *names*, or none.

        For more than a few there is `blocks`.
        """
        return self._ask_all("block", names, timeout)

    def blocks(
        self,
        names: Iterable[bytes],
        *,
        window: int = WINDOW,
        max_bytes: int = MAX_BYTES,
        timeout: float | None = None,
    ) -> AsyncGenerator[Any, None]:
        """Yield the blocks with these hashes in order, asking ahead; see `blocks_in_order`."""
        return blocks_in_order(
            lambda name: self.get_block(name, timeout=timeout), names, window, max_bytes
        )

    def get_tx(
        self, name: bytes, *, by_wtxid: bool = False, timeout: float | None = None
    ) -> Deferred[Any]:
        """Ask for a transaction by its id in wire order, or by that of it and its witnesses.

        Peers give what they have announced, or what is unconfirmed; hardly any looks into
        its blocks.
        """
        return self.ask("wtx" if by_wtxid else "tx", name, timeout=timeout)

    def get_headers(
        self, locator: Sequence[bytes], stop: bytes = NO_STOP, *, timeout: float | None = None
    ) -> Deferred[Any]:
        """Ask for the `headers` behind the first hash of *locator* that the peer knows.

        Hashes are in wire order, the newest block's first.  The answer follows one of them,
        or the genesis block, or is empty.
        """
        return self.ask("headers", locator, stop, timeout=timeout)

    def get_cfilters(
        self, start: int | bytes, stop: bytes, *args: int, timeout: float | None = None
    ) -> Deferred[list[Any]]:
        """Ask for the filters of the blocks from *start* up to the one with the hash *stop*.

        The first is named by its height or by its hash, as the dialect has it.  One may add a
        type of filter where there are several.
        """
        return self.ask("cfilters", start, stop, *args, timeout=timeout)

    def get_cfheaders(
        self, start: int, stop: bytes, *args: int, timeout: float | None = None
    ) -> Deferred[Any]:
        """Ask for the filter hashes of the blocks from the height *start* up to *stop*."""
        return self.ask("cfheaders", start, stop, *args, timeout=timeout)

    def get_cfcheckpt(self, stop: bytes, *args: int, timeout: float | None = None) -> Deferred[Any]:
        """Ask for every thousandth filter header up to the block with the hash *stop*."""
        return self.ask("cfcheckpt", stop, *args, timeout=timeout)

    def get_addresses(self, *, timeout: float | None = None) -> Deferred[Sequence[Any]]:
        """Ask where other nodes are.

        Most nodes answer once in a connection, and only to those who dialled.  A message with
        a single address may be the peer talking of itself: it is the answer if *timeout*
        passes without a better one.
        """
        return self.ask("addresses", timeout=timeout)

    def get_mempool(self, *, timeout: float | None = None) -> Deferred[list[Any]]:
        """Ask what is unconfirmed; the answer is a list of `InvVect`.

        An empty mempool is met with silence: that answer takes all of the time.  Some
        peers hang up on those who ask.
        """
        return self.ask("mempool", timeout=timeout)

    def _ask_all(
        self, topic: str, names: Iterable[Any], timeout: float | None
    ) -> Deferred[list[Any]]:
        """Ask for several things at once."""
        try:
            return all_or_none([self.ask(topic, name, timeout=timeout) for name in names])
        except Exception as error:  # names that are none
            return fail(error)


def all_or_none(answers: Sequence[Deferred[Any]]) -> Deferred[list[Any]]:
    """Return a Deferred of all *answers*; the first failure takes back the others."""

    def failed(failure: Failure) -> Failure:
        for answer in answers:
            answer.cancel()
        return cast(FirstError, failure.value).subFailure

    return gatherResults(answers, consumeErrors=True).addErrback(failed)
