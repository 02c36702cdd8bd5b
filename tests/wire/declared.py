"""Every record and message that is declared anywhere."""

import importlib
import pkgutil
from collections.abc import Iterator

import bitpeer
from bitpeer.wire.message import Message, Record
from tests.wire import samples, slow_codec

FLOORS = {"messages", "bitcoin", "decred", "jaxnet"}


def classes() -> Iterator[type]:
    """Yield every class of the floors that declare messages, and the samples."""
    yield from {type(value): None for value, _ in samples.EXAMPLES}
    yield samples.Growing
    for floor in pkgutil.iter_modules(bitpeer.__path__, "bitpeer."):
        if floor.name.removeprefix("bitpeer.") in FLOORS:
            package = importlib.import_module(floor.name)
            for module in pkgutil.iter_modules(package.__path__, f"{floor.name}."):
                found = vars(importlib.import_module(module.name)).values()
                yield from (kind for kind in found if isinstance(kind, type))


RECORDS = [kind for kind in dict.fromkeys(classes()) if issubclass(kind, Record)]

MESSAGES = [kind for kind in RECORDS if issubclass(kind, Message) and hasattr(kind, "command")]
"""Every message, whether declared or written by hand."""

UNDERSTOOD = [
    kind for kind in RECORDS if slow_codec.is_declared(kind) and slow_codec.is_understood(kind)
]
"""Everything declared that contains nothing written by hand."""
