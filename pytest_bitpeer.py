"""What pytest learns of `bitpeer.testing`: it costs nothing until a fixture is asked for.

Not a part of the package `bitpeer`, because every run of pytest imports it, also those of
people who happen to have the package installed and test something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from secrets import randbits
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bitpeer.testing import Simulation


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a seed be given by hand."""
    parser.getgroup("bitpeer").addoption(
        "--bitpeer-seed",
        type=int,
        metavar="SEED",
        help="run simulations of bitpeer.testing with this seed, to replay one that failed",
    )


@pytest.fixture
def bitpeer_seed(request: pytest.FixtureRequest) -> int:
    """What decides all chance in `bitpeer_simulation`; to try many, parametrize it."""
    given: int | None = request.config.getoption("--bitpeer-seed")
    return randbits(32) if given is None else given


@pytest.fixture
def bitpeer_simulation(bitpeer_seed: int) -> Iterator[Simulation]:
    """A `bitpeer.testing.Simulation`, entered; failures that it logs unclaimed are errors."""
    from bitpeer.testing import Simulation  # noqa: PLC0415  # only whoever asks pays for it

    print(f"to replay this simulation: --bitpeer-seed={bitpeer_seed}")  # noqa: T201  # if it fails
    with Simulation(bitpeer_seed) as simulation:
        yield simulation
