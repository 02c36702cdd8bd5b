"""Many connections to one node, answered from one place."""

from __future__ import annotations

from select import EPOLLIN, epoll
from socket import create_connection, socket
from time import monotonic

from benchmarks.data import frame
from benchmarks.processes import Actor, Report
from benchmarks.stage import greeting

READ = 65_536
_PING = frame("ping", b"")[:16]


class Guests:
    """Peers that say hello, answer pings, and otherwise only listen.

    Args:
        port: whom to visit, on loopback.
        count: how many there are.
        patient: whether each waits for an answer before the next one comes.
    """

    def __init__(self, port: int, count: int, *, patient: bool = False) -> None:
        self._poll = epoll()
        self._sockets: dict[int, socket] = {}
        hello = greeting()
        for number in range(count):
            guest = create_connection(("127.0.0.1", port))
            guest.sendall(hello)
            guest.setblocking(False)
            self._sockets[guest.fileno()] = guest
            self._poll.register(guest.fileno(), EPOLLIN)
            if patient or number % 100 == 0:
                # The first one is waited for: an instance of a class is smaller if the first
                # instances have had all their attributes before the others were made.
                self._attend(0 if number and not patient else 1)

    def attend(self, node: Actor) -> Report:
        """Listen and answer until *node* has something to report."""
        self._poll.register(node.fileno(), EPOLLIN)
        while not self._attend(1, node.fileno()):
            pass
        self._poll.unregister(node.fileno())
        return node.hear()

    def wait(self, seconds: float) -> None:
        """Listen and answer for so many seconds."""
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            self._attend(left)

    def _attend(self, timeout: float, stop: int = -1) -> bool:
        """Deal with what has come; return whether there is something at *stop*."""
        seen = False
        for number, _ in self._poll.poll(timeout):
            if number == stop:
                seen = True
                continue
            guest = self._sockets[number]
            data = guest.recv(READ)
            if not data:
                raise ConnectionError("a guest was shown the door")
            at = data.find(_PING)
            if at >= 0 and len(data) >= at + 32:
                guest.sendall(frame("pong", data[at + 24 : at + 32]))
        return seen

    def leave(self) -> None:
        """Hang up."""
        for guest in self._sockets.values():
            guest.close()
        self._poll.close()
