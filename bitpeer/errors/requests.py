"""Something that was asked for is not coming; the connection may be fine."""

from __future__ import annotations

from bitpeer.errors.base import BitpeerError, Disconnected, LocalError


class RequestFailed(BitpeerError):
    """What was asked for is not coming."""


class Absent(RequestFailed):
    """The peer says that it does not have what was asked for."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"the peer does not have {self.what:.200}"


class Unanswered(RequestFailed):
    """No answer came in time; a late one will be thrown away.

    Attributes:
        what: what was asked for, in words.
        seconds: how long was waited.
    """

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(what, seconds)
        self.what = what
        self.seconds = seconds

    def __str__(self) -> str:
        return f"no answer to a request for {self.what:.200} within {self.seconds:g} seconds"


class AnswerTooLong(RequestFailed):
    """The peer went on answering beyond all measure.

    Attributes:
        what: what was asked for, in words.
        count: messages that had come when it was too much.
        size: bytes of them.
    """

    def __init__(self, what: str, count: int, size: int) -> None:
        super().__init__(what, count, size)
        self.what = what
        self.count = count
        self.size = size

    def __str__(self) -> str:
        so_far = f"{self.count} messages of {self.size} bytes"
        return f"the answer to a request for {self.what:.200} has no end: {so_far}"


class TooManyRequests(RequestFailed, LocalError):
    """This side has asked the peer for so much already that it does not ask for more."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(count, limit)
        self.count = count
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.count} requests would be on their way to one peer, at most {self.limit} may"


class PeerGone(RequestFailed, Disconnected):
    """The peer was lost before it answered, or before it was asked."""


class NobodyAnswered(RequestFailed):
    """None of several peers could, or would.

    Attributes:
        what: what was asked for, in words.
        attempts: how many peers were asked.
        cause: what went wrong last, if anybody was asked.
    """

    def __init__(self, what: str, attempts: int, cause: BaseException | None = None) -> None:
        super().__init__(what, attempts, cause)
        self.what = what
        self.attempts = attempts
        self.cause = cause

    def __str__(self) -> str:
        if not self.attempts:
            return f"nobody could be asked for {self.what:.200}"
        last = "" if self.cause is None else f": {self.cause!s:.200}"
        peers = "1 peer was" if self.attempts == 1 else f"{self.attempts} peers were"
        return f"{peers} asked for {self.what:.200} in vain{last}"
