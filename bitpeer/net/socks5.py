"""The client's half of SOCKS5 as bytes in and bytes out (RFC 1928, RFC 1929).

Theory of operation.  Every answer of a proxy comes in pieces of known size: two bytes for the
method, two for the credentials, four that begin the reply, and then an address whose size those
four tell, but for a name, which says its length in one byte.  So there is one buffer, one number
(how many bytes the next piece has) and one function that takes the piece.  Nothing is read
ahead: what lies behind the last piece is the target's own, and is handed on untouched.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from bitpeer.errors import InvalidSetting, ProxyFailed, ProxyRefused

MAX_FIELD = 255
"""Most bytes of a name, a user or a password: their length is told in one byte."""

_VERSION, _CREDENTIALS_VERSION = 5, 1
_OPEN, _WITH_CREDENTIALS, _NONE_FITS = 0x00, 0x02, 0xFF
_IPV4, _NAME, _IPV6 = 1, 3, 4
_PORT_SIZE = 2
_FIT = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_FIELD}}}")

REFUSALS = {
    1: "general failure",
    2: "its rules forbid it",
    3: "the network is unreachable",
    4: "the host is unreachable",
    5: "the connection was refused",
    6: "it took too many hops, or too long",
    7: "it does not know the command",
    8: "it does not know this kind of address",
    0xF0: "the onion service is not known: its descriptor cannot be found",
    0xF1: "the onion service's descriptor is invalid",
    0xF2: "the onion service does not answer introductions",
    0xF3: "the onion service did not come to the rendezvous",
    0xF4: "the onion service wants its clients to be authorized",
    0xF5: "the onion service does not accept our authorization",
    0xF6: "that is no onion address",
    0xF7: "the onion service was not introduced in time",
}
"""What the replies of a proxy mean; those from 0xF0 on are Tor's (its proposal 304)."""


class Command(IntEnum):
    """What to ask a proxy for."""

    CONNECT = 0x01
    """A connection to host and port."""
    RESOLVE = 0xF0
    """An address of a name; only Tor knows this command."""


class Credentials(NamedTuple):
    """User and password, of 1 to 255 bytes each in UTF-8 (RFC 1929)."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(...)"  # not for a log


class Negotiation:
    """What is said to a proxy until it has connected us.

    Say `greeting`; give what comes to `receive`, and say what that returns, until `done`.

    Args:
        command: what to ask for.
        host: an IPv4 or IPv6 literal, or a name, which the proxy looks up.
        port: of the target; 0 where none is needed.
        credentials: to present; `None` for none.
        insist: whether a proxy that does not ask for the credentials will not do.
        by_name: whether to say an IP address as if it were a name.  Tor cannot tell by an address
            that nobody has looked up a name for it, so it warns, or refuses (its ``SafeSocks``).

    Raises:
        InvalidSetting: host, port or credentials cannot be said in SOCKS5.
    """

    def __init__(
        self,
        command: Command,
        host: str,
        port: int,
        credentials: Credentials | None = None,
        *,
        insist: bool = True,
        by_name: bool = False,
    ) -> None:
        self._request = bytes((_VERSION, command, 0)) + _target(host, port, by_name)
        self._credentials = None if credentials is None else _credentials(credentials)
        self._methods = {_OPEN} if credentials is None or not insist else set()
        if credentials is not None:
            self._methods.add(_WITH_CREDENTIALS)
        self._buffer = b""
        self._size = 2
        self._take: Callable[[bytes], bytes] = self._method
        self.done = False
        """Whether the proxy has done what it was asked for."""
        self.address: str | None = None
        """The IP literal in its reply: what a name stands for, or where it connects from."""

    @property
    def greeting(self) -> bytes:
        """What to say first: the methods of authentication that will do."""
        return bytes((_VERSION, len(self._methods), *sorted(self._methods)))

    @property
    def rest(self) -> bytes:
        """What came behind the last reply, and is not the proxy's any more."""
        return self._buffer

    def receive(self, data: bytes) -> bytes:
        """Take what the proxy says; return what to answer.

        Raises:
            ProxyFailed: that is no SOCKS5, or the proxy does not let us in.
            ProxyRefused: it cannot do what was asked for.
        """
        self._buffer += data
        answer = b""
        while not self.done and len(self._buffer) >= self._size:
            piece, self._buffer = self._buffer[: self._size], self._buffer[self._size :]
            answer += self._take(piece)
        return answer

    def _expect(self, size: int, take: Callable[[bytes], bytes]) -> None:
        self._size, self._take = size, take

    def _method(self, piece: bytes) -> bytes:
        version, method = piece
        if version != _VERSION:
            raise ProxyFailed(f"does not speak SOCKS5, but began with {piece.hex()}")
        if method == _NONE_FITS:
            wants = "our credentials" if self._credentials else "to let us in without credentials"
            raise ProxyFailed(f"does not want {wants}")
        if method not in self._methods:
            raise ProxyFailed(f"chose authentication {method}, which nobody offered")
        if method == _WITH_CREDENTIALS and self._credentials is not None:
            self._expect(2, self._verdict)
            return self._credentials
        self._expect(4, self._reply)
        return self._request

    def _verdict(self, piece: bytes) -> bytes:
        version, status = piece
        if version != _CREDENTIALS_VERSION:
            raise ProxyFailed(f"answered credentials with {piece.hex()}")
        if status:
            raise ProxyFailed("does not accept our credentials")
        self._expect(4, self._reply)
        return self._request

    def _reply(self, piece: bytes) -> bytes:
        version, code, reserved, kind = piece
        if version != _VERSION or reserved:
            raise ProxyFailed(f"answered a request with {piece.hex()}")
        if code:
            raise ProxyRefused(code, REFUSALS.get(code, "it does not say why"))
        if kind == _IPV4:
            self._expect(4 + _PORT_SIZE, self._ipv4)
        elif kind == _IPV6:
            self._expect(16 + _PORT_SIZE, self._ipv6)
        elif kind == _NAME:
            self._expect(1, self._length)
        else:
            raise ProxyFailed(f"answered with an address of the unknown kind {kind}")
        return b""

    def _ipv4(self, piece: bytes) -> bytes:
        self.address = str(IPv4Address(piece[:4]))
        return self._finish(piece)

    def _ipv6(self, piece: bytes) -> bytes:
        self.address = str(IPv6Address(piece[:16]))
        return self._finish(piece)

    def _length(self, piece: bytes) -> bytes:
        self._expect(piece[0] + _PORT_SIZE, self._finish)
        return b""

    def _finish(self, _: bytes) -> bytes:
        self.done = True
        return b""


def _target(host: str, port: int, by_name: bool) -> bytes:
    """Return host and port as a request carries them."""
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 0xFFFF:
        raise InvalidSetting("port", port, "0 to 65535")
    return _host(host, by_name) + port.to_bytes(2, "big")


def _host(host: str, by_name: bool) -> bytes:
    try:
        address = ip_address(host)
    except ValueError:
        if not _FIT.fullmatch(host):
            expected = f"an IP address, or a name of 1 to {MAX_FIELD} letters, digits and - . _"
            raise InvalidSetting("host", host, expected) from None
        return _name(host)
    if getattr(address, "scope_id", None) is not None:
        raise InvalidSetting("host", host, "an address without an interface of this machine")
    if by_name:
        return _name(str(address))
    return bytes((_IPV4 if address.version == 4 else _IPV6,)) + address.packed


def _name(name: str) -> bytes:
    return bytes((_NAME, len(name))) + name.encode("ascii")


def _credentials(credentials: Credentials) -> bytes:
    """Return credentials as RFC 1929 says them."""
    said = bytes((_CREDENTIALS_VERSION,))
    for what, text in zip(Credentials._fields, credentials, strict=True):
        field = text.encode("utf-8", "surrogateescape")
        if not 1 <= len(field) <= MAX_FIELD:
            raise InvalidSetting(f"proxy {what}", "...", f"1 to {MAX_FIELD} bytes")
        said += bytes((len(field),)) + field
    return said
