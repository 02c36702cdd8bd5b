"""What is answered to whom."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from importlib.resources import files

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from bitpeer.service.status.board import Board
from bitpeer.service.status.guard import HEADERS, objection
from bitpeer.service.status.stream import MAX_STREAMS, Stream

Answer = tuple[str, bytes]
"""The type of the content, and the content."""

_ASSETS = {
    "/": ("status.html", "text/html; charset=utf-8"),
    "/status.css": ("status.css", "text/css; charset=utf-8"),
    "/status.js": ("status.js", "text/javascript; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_METHODS = ("GET", "HEAD")
_PLAIN = "text/plain; charset=utf-8"


class Pages(Resource):
    """Everything there is to see.  Nothing can be changed here.

    Args:
        board: what there is to tell.
        stream: tells of changes.
        metrics: returns the metrics; `None` if they cannot be had.
        names: by which this machine is known, besides its addresses; in lower case.
    """

    isLeaf = True  # noqa: N815  # Twisted's name

    def __init__(
        self,
        board: Board,
        stream: Stream,
        metrics: Callable[[], Answer] | None,
        names: Collection[str] = (),
    ) -> None:
        Resource.__init__(self)
        self._stream = stream
        self._names = names
        self._answers: dict[str, Callable[[], Answer]] = {
            "/status": _json(board.status),
            "/peers": _json(board.peers),
            "/events": _json(board.latest),
            "/history": _json(board.history),
        }
        if metrics is not None:
            self._answers["/metrics"] = metrics
        for path, (name, kind) in _ASSETS.items():
            self._answers[path] = _fixed(kind, files(__package__).joinpath(name).read_bytes())

    def render(self, request: Request) -> bytes | int:
        """Answer *request*; see `twisted.web.resource.IResource`."""
        for name, value in HEADERS.items():
            request.setHeader(name, value)
        why = objection(request, self._names)
        if why is not None:
            return _say(request, 403, why)
        path = request.path.decode("ascii", "replace")
        known = path in self._answers or path in ("/stream", "/metrics")
        if not known:
            return _say(request, 404, "there is no such page")
        if request.method.decode("ascii", "replace") not in _METHODS:
            request.setHeader("Allow", ", ".join(_METHODS))
            return _say(request, 405, "this can only be read")
        if path == "/stream":
            return self._join(request)
        if path not in self._answers:
            return _say(
                request, 501, 'metrics need prometheus-client: pip install "bitpeer[service]"'
            )
        return _answer(request, *self._answers[path]())

    def _join(self, request: Request) -> bytes | int:
        if self._stream.clients >= MAX_STREAMS:
            request.setHeader("Retry-After", "10")
            return _say(request, 503, "too many are watching already")
        request.setHeader("Content-Type", "text/event-stream; charset=utf-8")
        if request.method == b"HEAD":
            return b""
        self._stream.join(request)
        return NOT_DONE_YET


def _answer(request: Request, kind: str, content: bytes) -> bytes:
    request.setHeader("Content-Type", kind)
    request.setHeader("Content-Length", str(len(content)))
    return b"" if request.method == b"HEAD" else content


def _say(request: Request, code: int, text: str) -> bytes:
    request.setResponseCode(code)
    return _answer(request, _PLAIN, f"{text}\n".encode("ascii"))


def _fixed(kind: str, content: bytes) -> Callable[[], Answer]:
    return lambda: (kind, content)


def _json(ask: Callable[[], object]) -> Callable[[], Answer]:
    return lambda: ("application/json", json.dumps(ask(), separators=(",", ":")).encode("ascii"))
