"""The other end of a connection: plain sockets, and no more of the protocol than is needed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from socket import IPPROTO_TCP, SHUT_WR, TCP_NODELAY, create_connection, socket
from threading import Thread
from time import perf_counter

from benchmarks.data import frame
from benchmarks.stage import greeting

READ = 262_144
PATIENCE = 60.0


class Client:
    """Dials somebody on loopback and says, but for the greeting, what it is told to say."""

    def __init__(self, port: int, *, greet: bool = True) -> None:
        self._socket: socket = create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        if greet:
            self._socket.sendall(greeting())
            self._settle()

    def _settle(self) -> None:
        """Wait until the handshake is over and everything said in it is read."""
        last_word = b"settled!"
        self._socket.sendall(frame("ping", last_word))
        self._read_up_to(last_word)

    def _read_up_to(self, mark: bytes) -> None:
        tail = b""
        while mark not in tail:
            data = self._socket.recv(READ)
            if not data:
                raise ConnectionError("the other end hung up")
            tail = tail[-len(mark) :] + data

    def pings_answered(self, count: int) -> float:
        """Send so many pings at once; return the seconds until the last one is answered."""
        nonces = [number.to_bytes(4, "little") + b"bnch" for number in range(count)]
        data = b"".join(frame("ping", nonce) for nonce in nonces)
        sender = Thread(target=self._socket.sendall, args=(data,))
        began = perf_counter()
        sender.start()
        self._read_up_to(nonces[-1])
        took = perf_counter() - began
        sender.join()
        return took

    def flood(self, pieces: Iterable[bytes]) -> None:
        """Send *pieces*, whatever the other end makes of them, and hang up."""
        for piece in pieces:
            self._socket.sendall(piece)
        self._socket.shutdown(SHUT_WR)
        with suppress(OSError):
            while self._socket.recv(READ):
                pass
        self.close()

    def drain(self, count: int) -> None:
        """Read so many bytes and forget them."""
        buffer = bytearray(1 << 20)
        while count > 0:
            count -= self._socket.recv_into(buffer)

    def close(self) -> None:
        self._socket.close()
