import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger, LogLevel, formatEvent

from bitpeer.net.journal import OVERHEAD, SITE_BUDGET, Complaint, Journal


class Desk:
    """A journal, its clock, and what it wrote."""

    def __init__(self, **limits) -> None:
        self.clock = Clock()
        self.events = []
        self.journal = Journal(
            Logger("desk", observer=self.events.append), self.clock.seconds, **limits
        )

    @property
    def lines(self):
        return [formatEvent(event) for event in self.events]

    @property
    def size(self):
        return sum(len(line) + OVERHEAD for line in self.lines)


def raised(text="oops", kind=ValueError):
    try:
        raise kind(text)
    except Exception as error:
        return error


def raised_deeper():
    def deeper():
        raise ValueError("oops")

    try:
        deeper()
    except ValueError as error:
        return error


def test_an_event_keeps_its_level_and_its_fields():
    desk = Desk()
    desk.journal.emit(LogLevel.info, "{peer} said {what}", peer="peer 1", what="hello")
    (event,) = desk.events
    assert formatEvent(event) == "peer 1 said hello"
    assert event["log_level"] is LogLevel.info
    assert event["what"] == "hello"


def test_r_i1_a_million_malformed_frames_leave_a_megabyte_an_hour():
    """R-I1."""
    desk = Desk()
    for _ in range(1_000_000):
        desk.journal.emit(LogLevel.info, "{peer} lost: {reason}", peer="peer 1", reason="x")
    assert SITE_BUDGET - 200 < desk.size <= SITE_BUDGET + 200
    assert desk.lines[-1] == (
        "too many events like '{peer} lost: {reason}': no more are logged for up to 3600 s"
    )
    assert desk.events[-1]["log_level"] is LogLevel.warn


def test_every_place_has_a_budget_of_its_own():
    desk = Desk(budget=1_000)
    for _ in range(100):
        desk.journal.emit(LogLevel.info, "one")
        desk.journal.emit(LogLevel.info, "two")
    assert desk.lines.count("one") == desk.lines.count("two") == 1_000 // (3 + OVERHEAD)


def test_the_next_hour_says_what_the_last_one_suppressed_and_begins_anew():
    desk = Desk(budget=200)
    for _ in range(5):
        desk.journal.emit(LogLevel.info, "x" * 50)
    desk.clock.advance(3_599)
    desk.journal.emit(LogLevel.info, "x" * 50)
    assert len(desk.lines) == 2
    desk.clock.advance(1)
    desk.journal.emit(LogLevel.info, "x" * 50)
    assert len(desk.lines) == 4
    assert desk.lines[2].startswith("5 events like 'xxx")
    assert desk.events[2]["log_level"] is LogLevel.warn


def test_shares_of_one_format_have_budgets_of_their_own():
    desk = Desk(budget=1_000)
    for share in ("", "inbound", "outbound"):
        for _ in range(100):
            desk.journal.emit(LogLevel.info, "one", share)
    assert desk.lines.count("one") == 3 * (1_000 // (3 + OVERHEAD))
    assert sum("like 'one (inbound)'" in line for line in desk.lines) == 1


def test_a_clock_that_is_set_back_begins_a_new_hour():
    desk = Desk(budget=200)
    desk.clock.advance(10_000)
    desk.journal.emit(LogLevel.info, "x" * 100)
    desk.clock.rightNow = 5_000
    desk.journal.emit(LogLevel.info, "x" * 100)
    assert len(desk.lines) == 2


def test_a_failure_is_logged_with_its_traceback():
    desk = Desk()
    desk.journal.failure("{peer} failed", raised(), peer="peer 1")
    (event,) = desk.events
    assert formatEvent(event) == "peer 1 failed"
    assert event["log_level"] is LogLevel.critical
    assert event["log_failure"].value.args == ("oops",)
    assert "in raised" in event["log_failure"].getTraceback()


def test_failures_are_logged_once_for_each_place_they_come_from():
    desk = Desk()
    for _ in range(1_000):
        desk.journal.failure("failed", raised())
        desk.journal.failure("failed", raised_deeper())
        desk.journal.failure("failed", raised(kind=KeyError))
        desk.journal.failure("failed otherwise", raised())
        desk.journal.failure("failed", OSError("never raised"))
    assert len(desk.events) == 5
    desk.clock.advance(3_600)
    desk.journal.failure("failed", raised())
    assert len(desk.events) == 5 + 5 + 1
    assert all(line.startswith("999 events like") for line in desk.lines[5:10])


@pytest.mark.parametrize("text", ["\x1b[2J", "one\ntwo", "\u202e", "x" * 10_000_000])
def test_r_i2_what_an_exception_says_is_made_fit_to_be_seen(text):
    """R-I2."""
    desk = Desk()
    desk.journal.failure("failed", raised(text))
    failure = desk.events[0]["log_failure"]
    assert isinstance(failure.value, Complaint)
    assert str(failure.value).startswith("ValueError: ")
    assert str(failure.value).isprintable()
    assert len(failure.getTraceback()) < 10_000
    assert "in raised" in failure.getTraceback()


def test_an_exception_that_cannot_even_speak_is_logged_too():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    desk = Desk()
    desk.journal.failure("failed", raised(kind=Mute))
    assert len(desk.events) == 1
