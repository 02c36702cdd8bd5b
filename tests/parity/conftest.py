"""What is logged, as lines."""

from collections.abc import Callable, Iterator

import pytest
from twisted.logger import formatEvent, globalLogPublisher


@pytest.fixture
def capture_log() -> Iterator[Callable[[], list[str]]]:
    lines: list[str] = []

    def observer(event: dict) -> None:
        lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observer)
    yield lambda: list(lines)
    globalLogPublisher.removeObserver(observer)
