"""Everything that can be fuzzed, by name."""

from __future__ import annotations

from importlib import import_module

from fuzz.target import Target

PLACES = {
    "messages-bitcoin": ("messages", "BITCOIN"),
    "messages-decred": ("messages", "DECRED"),
    "messages-jaxnet": ("messages", "JAXNET"),
    "framing": ("framing", "FRAMING"),
    "handshake": ("handshake", "HANDSHAKE"),
    "requests": ("requests", "REQUESTS"),
    "headers": ("headers", "HEADERS"),
    "socks": ("socks", "SOCKS"),
    "tor-control": ("torcontrol", "TOR_CONTROL"),
    "kept": ("kept", "KEPT"),
    "config": ("config", "CONFIG"),
}
"""In which module each target is, and under which name: what is not fuzzed is not imported."""


def load(name: str) -> Target:
    """Return the target of that name."""
    module, attribute = PLACES[name]
    target: Target = getattr(import_module(f"fuzz.targets.{module}"), attribute)
    return target
