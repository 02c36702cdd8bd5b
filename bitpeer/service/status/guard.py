"""Who may look: nobody whom another site sent."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address

from twisted.web.server import Request

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "bitpeer",
}
"""What every answer carries."""


def host_of(header: str) -> str:
    """Return the host that a ``Host`` header names, without its port; nothing if it names none."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def is_known(host: str, names: Collection[str]) -> bool:
    """Whether *host* can be meant for this page.

    A page elsewhere can let its own name point here, and then read what it gets (DNS
    rebinding); it cannot do so with an IP address, nor with ``localhost``.

    Args:
        host: as the client wrote it, without a port.
        names: other names of this machine, in lower case.
    """
    if host == "localhost" or host in names:
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def objection(request: Request, names: Collection[str]) -> str | None:
    """Return why *request* is refused; `None` if it is not."""
    try:
        return _objection(request, names)
    except UnicodeDecodeError:  # from getHeader
        return "a header is no text"


def _objection(request: Request, names: Collection[str]) -> str | None:
    host = request.getHeader("host") or ""
    if not is_known(host_of(host), names):
        return "this page is to be asked for by an IP address, as localhost, or by a name it knows"
    origin = request.getHeader("origin")
    if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
        return "another site asks"
    if request.getHeader("sec-fetch-site") in (None, "same-origin", "none"):
        return None
    if request.getHeader("sec-fetch-mode") == "navigate" and request.path == b"/":
        return None  # somebody followed a link, and the other site learns nothing
    return "another site asks"
