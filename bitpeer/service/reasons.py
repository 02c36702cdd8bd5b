"""Why Twisted could not do something, in words."""

from __future__ import annotations

from twisted.internet.error import CannotListenError
from twisted.python.failure import Failure

from bitpeer.net.text import printable


def reason_of(failure: Failure) -> str:
    """Return what went wrong, as people would say it: never nothing, and fit for a log."""
    error: object = failure.value
    if isinstance(error, CannotListenError):  # says where, too, which our sentences say already
        error = error.socketError
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(str(words).removesuffix("."))
