"""Bytes of a peer's, made fit to be seen."""

from __future__ import annotations


def printable(raw: bytes | str, limit: int = 256) -> str:
    """Return *raw* with everything escaped that is not printable ASCII.

    For logs, terminals and pages: no escape sequence, line break or change of
    writing direction survives (R-I2).

    Args:
        raw: bytes as they came, or text that has peers' bytes in it.
        limit: most characters shown.
    """
    data = raw.encode("utf-8", "backslashreplace") if isinstance(raw, str) else raw
    shown = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\x{byte:02x}"
        for byte in data[:limit]
    )
    return shown if len(data) <= limit and len(shown) <= limit else f"{shown[:limit]}..."


def name_of(function: object) -> str:
    """Return what people call a *function* or method: its module, its class and its name."""
    kind = type(function)
    module = getattr(function, "__module__", None) or kind.__module__
    return printable(f"{module}.{getattr(function, '__qualname__', kind.__qualname__)}")


def hexdump(data: bytes, limit: int = 65_536) -> str:
    """Return *data* as offset, hexadecimal and ASCII columns, sixteen bytes a line."""
    lines = []
    for start in range(0, min(len(data), limit), 16):
        row = data[start : start + 16]
        left, right = row[:8].hex(" "), row[8:].hex(" ")
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        lines.append(f"{start:08x}  {left:<23}  {right:<23}  |{text}|")
    if len(data) > limit:
        lines.append(f"... {len(data) - limit} more bytes")
    return "\n".join(lines)
