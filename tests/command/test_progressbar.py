"""The bar on the terminal."""

import io
import sys

import pytest

from bitpeer.command.progressbar import PERIOD, ProgressBar, drawing
from bitpeer.service.headerprogress import Progress
from tests.service.fakes import Reactor, make_node


class Chain:
    """Somewhere on its way."""

    def __init__(self):
        self.height = 10
        self.current = False

    def progress(self):
        return Progress(self.height, 10_000, 0, 0.0, None, self.current)


class Bar:
    """Remembers what it was told to show."""

    def __init__(self, **settings):
        self.settings = settings
        self.total, self.n = None, settings["initial"]
        self.shown = []
        self.closed = False

    def refresh(self):
        self.shown.append((self.n, self.total))

    def close(self):
        self.closed = True


class Terminal(io.StringIO):
    def isatty(self):
        return True


class World:
    def __init__(self):
        self.reactor, self.chain, self.bars = Reactor(), Chain(), []

        def draw(**settings):
            self.bars.append(Bar(**settings))
            return self.bars[-1]

        self.service = ProgressBar(
            {"mainnet": self.chain},
            clock=self.reactor,
            journal=make_node(self.reactor).journal,
            terminal=Terminal(),
            draw=draw,
        )
        self.service.startService()


@pytest.fixture
def world():
    return World()


def test_a_chain_that_is_far_behind_has_a_bar(world):
    assert world.bars == []
    world.reactor.advance(PERIOD)
    world.chain.height = 4_000
    world.reactor.advance(PERIOD)
    (bar,) = world.bars
    assert bar.settings["desc"] == "mainnet headers"
    assert bar.shown == [(10, 10_000), (4_000, 10_000)]
    assert not bar.closed


@pytest.mark.parametrize("change", [{"height": 9_000}, {"current": True}])
def test_who_has_caught_up_needs_none(world, change):
    world.reactor.advance(PERIOD)
    vars(world.chain).update(change)
    world.reactor.advance(PERIOD)
    assert [bar.closed for bar in world.bars] == [True]
    world.reactor.advance(PERIOD)
    assert len(world.bars) == 1


def test_at_the_end_nothing_is_left_on_the_terminal(world):
    world.reactor.advance(PERIOD)
    world.service.stopService()
    assert world.bars[0].closed
    assert world.reactor.getDelayedCalls() == []


def test_tqdm_draws_on_terminals_only(monkeypatch):
    assert drawing(io.StringIO()) is None
    terminal = Terminal()
    bar = drawing(terminal)(desc="a", initial=1, total=3, file=terminal, leave=False)
    bar.refresh()
    bar.close()
    assert "1/3" in terminal.getvalue()
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert drawing(terminal) is None
