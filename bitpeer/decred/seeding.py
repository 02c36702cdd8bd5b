"""What the hosts say that are asked for addresses by HTTPS: see `HttpsSeed`."""

from __future__ import annotations

import json

from bitpeer.decred.addresses import NodeAddress

MAX_REPLY = 4_096
"""Most bytes of an answer that are looked at."""
MAX_SEEDED = 16
"""Most addresses of an answer that are looked at."""

_DECODER = json.JSONDecoder()


def seeded_addresses(reply: bytes) -> list[NodeAddress]:
    """Return the addresses in the answer of an `HttpsSeed`, without the time of any.

    The answer is a row of JSON objects; what is no address is left out, and what
    follows something that is no object is, too (dcrd addrmgr.SeedAddrs).
    """
    text, found, pos = reply[:MAX_REPLY].decode("utf-8", "replace"), [], 0
    for _ in range(MAX_SEEDED):
        pos += len(text[pos:]) - len(text[pos:].lstrip())
        try:
            entry, pos = _DECODER.raw_decode(text, pos)
            host, services = entry["host"], entry.get("services", 0)
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            break
        address = _address(host, services)
        if address is not None:
            found.append(address)
    return found


def _address(host: object, services: object) -> NodeAddress | None:
    if not isinstance(host, str) or not isinstance(services, int):
        return None
    name, colon, port = host.rpartition(":")
    bracketed = name.startswith("[") and name.endswith("]")
    if bracketed != (":" in name) or not (colon and port.isascii() and port.isdecimal()):
        return None
    try:
        address = NodeAddress.of(name.strip("[]"), int(port[:9]), services)
        address.encode()
    except ValueError:
        return None
    return address
