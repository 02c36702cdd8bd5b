"""What holds for every test: no failure is logged unclaimed, nothing is left in the reactor."""

import gc
import os
import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure

# How long an example takes says more about the machine than about the code.
settings.register_profile("house", settings.get_profile("default"), deadline=None)
if not os.environ.get("CI"):  # there Hypothesis loads a profile of its own, without deadlines too
    settings.load_profile("house")


class LoggedFailures:
    """The failures logged during one test that the test has not claimed yet."""

    def __init__(self) -> None:
        self._failures: list[Failure] = []

    def observe(self, event: LogEvent) -> None:
        """Remember the failure that *event* carries, if it carries one."""
        failure = event.get("log_failure")
        if failure is not None:
            self._failures.append(failure)

    def claim(self, *kinds: type[BaseException]) -> list[Failure]:
        """Take the failures of these *kinds* (of any, if none is named), oldest first.

        Whoever claims a failure says that it was expected.  Unhandled errors in Deferreds are
        among them: Twisted logs those when the Deferred is collected, so this collects first.
        """
        gc.collect()
        wanted = kinds or (BaseException,)
        claimed = [failure for failure in self._failures if issubclass(failure.type, wanted)]
        self._failures = [failure for failure in self._failures if failure not in claimed]
        return claimed


def pytest_collection_finish() -> None:
    """Spare the collector what exists before the first test: it runs after every test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def logged_failures(request: pytest.FixtureRequest) -> Iterator[LoggedFailures]:
    """The failures logged during this test; each that it does not claim fails it."""
    logged = LoggedFailures()
    globalLogPublisher.addObserver(logged.observe)
    yield logged
    unclaimed = logged.claim()
    gc.freeze()  # what a test leaves for good; after thousands of them it would take minutes
    globalLogPublisher.removeObserver(logged.observe)
    trial = sys.modules.get("twisted.trial.unittest")
    if trial is not None and isinstance(request.instance, trial.SynchronousTestCase):
        return  # it looks after its own: flushLoggedErrors claims there
    if unclaimed:
        pytest.fail("logged as failed:\n" + "\n".join(f.getTraceback() for f in unclaimed))


def left_in_reactor() -> set[Any]:
    """Return the delayed calls, sockets and the like that the reactor has now, if there is one."""
    reactor: Any = sys.modules.get("twisted.internet.reactor")
    if reactor is None:
        return set()
    selectables = {*reactor.getReaders(), *reactor.getWriters()} - reactor._internalReaders
    return {*reactor.getDelayedCalls(), *selectables}


@pytest.fixture(autouse=True)
def clean_reactor() -> Iterator[None]:
    """Fail the test that leaves a delayed call or an open socket in the reactor."""
    before = left_in_reactor()
    yield
    left = left_in_reactor() - before
    for thing in left:
        if hasattr(thing, "cancel"):
            thing.cancel()
        else:
            sys.modules["twisted.internet.reactor"].removeReader(thing)
            sys.modules["twisted.internet.reactor"].removeWriter(thing)
    if left:
        pytest.fail("left in the reactor:\n" + "\n".join(map(str, left)))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Let a test have both parameters and examples.

    pytest-twisted puts a wrapper around what Hypothesis calls, one more for each parameter, and
    from the second on they get into each other's way.
    """
    handle = getattr(pyfuncitem.obj, "hypothesis", None)
    if handle is None:
        return (yield)
    inner_test = handle.inner_test
    try:
        return (yield)
    finally:
        handle.inner_test = inner_test
