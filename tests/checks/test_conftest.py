"""The net under every test, tried on tests that fall."""

import shutil
from pathlib import Path

import pytest

from tests import conftest

pytest_plugins = ["pytester"]


@pytest.fixture
def guarded(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder of tests with our conftest.py in it."""
    shutil.copy(Path(conftest.__file__), pytester.path / "conftest.py")
    return pytester


def run(guarded: pytest.Pytester) -> dict[str, str]:
    """Run the tests; return the worst outcome of each by name."""
    result = guarded.runpytest_subprocess("-rA", "-q", "--tb=short")
    outcomes: dict[str, str] = {}
    for line in result.outlines:
        word, _, rest = line.partition(" ")
        if word in {"PASSED", "FAILED", "ERROR"} and "::" in rest:
            name = rest.split("::")[-1].split(" ")[0]
            outcomes[name] = "PASSED" if word == "PASSED" and name not in outcomes else word
    return outcomes


def test_r_j4_unclaimed_failures_and_leftovers_are_found(guarded: pytest.Pytester) -> None:
    guarded.makepyfile("""
        from twisted.internet import defer, protocol, reactor
        from twisted.logger import Logger
        from twisted.trial.unittest import SynchronousTestCase

        log = Logger()

        def log_one(error):
            with log.failuresHandled("while testing"):
                raise error

        def test_silent():
            log.info("nothing happened")

        def test_logged():
            log_one(ValueError())

        def test_claimed(logged_failures):
            log_one(ValueError())
            assert [f.type for f in logged_failures.claim(ValueError)] == [ValueError]

        def test_claimed_another(logged_failures):
            log_one(ValueError())
            assert not logged_failures.claim(KeyError)

        def test_deferred_in_a_cycle():
            deferred = defer.fail(KeyError("nobody listens"))
            deferred.itself = deferred

        def test_call_left():
            reactor.callLater(1000, print)

        def test_port_left():
            reactor.listenTCP(0, protocol.Factory(), interface="127.0.0.1")

        def test_after_those():
            assert not reactor.getDelayedCalls()

        class TrialTest(SynchronousTestCase):
            def test_flushed(self):
                log_one(ValueError())
                self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

            def test_unflushed(self):
                log_one(ValueError())
    """)
    assert run(guarded) == {
        "test_silent": "PASSED",
        "test_logged": "ERROR",
        "test_claimed": "PASSED",
        "test_claimed_another": "ERROR",
        "test_deferred_in_a_cycle": "ERROR",
        "test_call_left": "ERROR",
        "test_port_left": "ERROR",
        "test_after_those": "PASSED",
        "test_flushed": "PASSED",
        "test_unflushed": "FAILED",
    }


def test_a_test_may_have_parameters_and_examples(guarded: pytest.Pytester) -> None:
    guarded.makepyfile("""
        import pytest
        from hypothesis import given, strategies as st

        @pytest.mark.parametrize("word", ["one", "two", "three"])
        @given(st.integers())
        def test_both(word, number):
            assert isinstance(number, int)
    """)
    assert run(guarded) == dict.fromkeys(
        ["test_both[one]", "test_both[two]", "test_both[three]"], "PASSED"
    )
