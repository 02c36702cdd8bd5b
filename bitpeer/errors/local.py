"""What the calling program asked for in vain: nothing has changed."""

from __future__ import annotations

from bitpeer.errors.base import LocalError


class InvalidSetting(LocalError, ValueError):
    """A setting or an option has a value that makes no sense.

    Attributes:
        setting: the name of the setting, as the caller wrote it.
        value: the value given.
        expected: what would have been right, in words.
    """

    def __init__(self, setting: str, value: object, expected: str) -> None:
        super().__init__(setting, value, expected)
        self.setting = setting
        self.value = value
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.setting:.64} is {self.value!r:.100}, expected {self.expected:.200}"


class StorageUnusable(LocalError):
    """A file or a directory cannot hold what is to be kept.

    Attributes:
        path: which one.
        why: what is wrong with it, and what can be done, in words.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path:.200} cannot be used: {self.why:.250}"


class Unencodable(LocalError, ValueError):
    """A message holds a value that its wire form cannot carry."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what = what
        self.why = why

    def __str__(self) -> str:
        return f"{self.what:.100} cannot be encoded: {self.why:.300}"


class NotEstablished(LocalError):
    """The handshake with this peer is not complete, so nothing can be sent yet."""

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self.command = command

    def __str__(self) -> str:
        return f"cannot send {self.command:.32} before the handshake is complete"


class NotNegotiated(LocalError):
    """What was negotiated with this peer does not allow this message."""

    def __init__(self, command: str, needed: str) -> None:
        super().__init__(command, needed)
        self.command = command
        self.needed = needed

    def __str__(self) -> str:
        return f"cannot send {self.command:.32} to this peer: it needs {self.needed:.200}"


class MissingExtra(LocalError):
    """A package is not installed that only this feature needs.

    Attributes:
        feature: what cannot be done, in words.
        package: what is missing.
        extra: the extra of ours that brings it.
    """

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(feature, package, extra)
        self.feature = feature
        self.package = package
        self.extra = extra

    @property
    def install(self) -> str:
        """What to type to have it."""
        return f"pip install 'bitpeer[{self.extra:.32}]'"

    def __str__(self) -> str:
        return f"{self.feature:.100} needs the package {self.package:.64}: {self.install}"


class TorUnavailable(LocalError):
    """There is no Tor to be used.

    Attributes:
        where: the control port, or whatever of Tor's was wanted.
        why: what is the matter with it, in words.
    """

    def __init__(self, where: str, why: str) -> None:
        super().__init__(where, why)
        self.where = where
        self.why = why

    def __str__(self) -> str:
        return f"{self.where:.120}: {self.why:.340}"


class NoRoute(LocalError):
    """Nothing that may be used leads to this host; nobody was asked for it."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(host, why)
        self.host = host
        self.why = why

    def __str__(self) -> str:
        return f"there is no way to {self.host:.100}: {self.why:.200}"
