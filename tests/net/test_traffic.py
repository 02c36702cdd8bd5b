from types import SimpleNamespace

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger, LogLevel, formatEvent
from zope.interface import implementer

from bitpeer.errors import Disconnected, DisconnectReason, InvalidValue, LimitExceeded, Truncated
from bitpeer.messages.control import Ping, Pong, VerAck
from bitpeer.net.interfaces import ITrafficListener
from bitpeer.net.journal import Journal
from bitpeer.net.traffic import MAX_SHOWN, MessageLog, TrafficReport
from bitpeer.wire.message import Unknown
from tests.net.stage import (
    GREETING,
    HELLO,
    Recorder,
    commands,
    frames,
    join,
    meet,
    node,
    ping,
    say,
)
from tests.toy import Hello, Say, frame

# What traffic listeners are told


def sizes(traffic):
    return [(what, command, size) for what, command, size, _, _ in traffic]


def test_the_handshake_and_its_answers_are_reported():
    recorder = Recorder()
    peer = meet(node(recorder))
    assert sizes(recorder.traffic) == [
        ("read", "version", 24 + len(HELLO.encode())),
        ("read", "verack", 24),
        *(
            ("written", command, 24 + len(payload))
            for command, payload in frames(peer.transport.sent)
        ),
    ]
    assert commands(peer.transport.sent) == ["version", "verack", "ping"]
    assert recorder.traffic[0][3] == HELLO
    assert isinstance(recorder.traffic[2][3], Hello)
    assert all(error is None for *_, error in recorder.traffic)
    assert sum(entry[2] for entry in recorder.traffic[:2]) == peer.bytes_received
    assert sum(entry[2] for entry in recorder.traffic[2:]) == peer.bytes_sent


def test_pings_and_pongs_are_reported():
    recorder = Recorder()
    peer = meet(node(recorder))
    recorder.traffic.clear()
    peer.dataReceived(ping(5))
    assert recorder.traffic == [
        ("read", "ping", 32, Ping(5), None),
        ("written", "pong", 32, Pong(5), None),
    ]


def test_what_is_sent_is_reported_when_the_network_has_taken_it():
    recorder = Recorder()
    peer = meet(node(recorder))
    recorder.traffic.clear()
    peer.transport.kernel.room = 30
    peer.send(Say(b"0123456789"))
    assert not recorder.traffic
    peer.transport.make_room(4)
    assert not recorder.traffic
    peer.transport.make_room(1)
    assert recorder.traffic == [("written", "say", 35, Say(b"0123456789"), None)]


def test_what_never_leaves_is_reported_with_the_reason():
    recorder = Recorder()
    peer = meet(node(recorder))
    recorder.traffic.clear()
    peer.transport.kernel.room = 0
    peer.send(Say(b"lost"))
    peer.transport.lose()
    ((what, command, size, message, error),) = recorder.traffic
    assert (what, command, size, message) == ("written", "say", 29, Say(b"lost"))
    assert isinstance(error, Disconnected)
    assert error.reason is DisconnectReason.CLOSED_BY_PEER


def test_what_cannot_be_decoded_is_reported_with_the_error():
    recorder = Recorder()
    peer = meet(node(recorder))
    recorder.traffic.clear()
    peer.dataReceived(frame(b"say", b"\xfd\xff\xff"))
    ((what, command, size, message, error),) = recorder.traffic
    assert (what, command, size, message) == ("read", "say", 27, None)
    assert isinstance(error, Truncated)


def test_unknown_messages_are_reported_as_such():
    recorder = Recorder()
    peer = meet(node(recorder))
    recorder.traffic.clear()
    peer.dataReceived(frame(b"gossip", b"psst"))
    assert recorder.traffic == [("read", "gossip", 28, Unknown("gossip", b"psst"), None)]


def test_every_listener_is_told_even_if_one_before_it_fails(logged_failures):
    @implementer(ITrafficListener)
    class Clumsy:
        def message_read(self, peer, *_):
            raise ValueError("dropped it")

        message_written = message_read

    recorder = Recorder()
    stage = node(Clumsy(), recorder)
    peer = meet(stage)
    assert len(recorder.traffic) == 5
    assert peer.established
    assert peer.listener_failures == stage.listener_failures == 5
    assert len(logged_failures.claim(ValueError)) == 1


def test_who_joins_later_hears_of_what_comes_later():
    stage, recorder = node(), Recorder()
    peer = meet(stage)
    stage.add_listener(recorder)
    peer.dataReceived(say(b"now"))
    assert sizes(recorder.traffic) == [("read", "say", 24 + 4)]
    late = Recorder()
    stage.add_listener(late)
    peer.dataReceived(say(b"again"))
    assert len(recorder.traffic) == 2
    assert sizes(late.traffic) == [("read", "say", 24 + 6)]


def test_without_such_listeners_nothing_is_reported_at_all():
    peer = meet(node())
    assert peer.machine.observer is None


def test_a_report_names_the_peer_it_is_about():
    told = []
    listener = SimpleNamespace(message_read=lambda *details: told.append(details))
    peer = SimpleNamespace(node=SimpleNamespace(audience=SimpleNamespace(traffic=(listener,))))
    peer.tell = lambda receive, *details: receive(peer, *details)
    TrafficReport(peer).message_read("say", 25, Say(b"x"), None)
    assert told == [(peer, "say", 25, Say(b"x"), None)]


# What is logged of it


def log(*, bytes_too):
    events = []
    journal = Journal(Logger("log", observer=events.append), Clock().seconds)
    return MessageLog(journal, bytes_too=bytes_too), events


class Somebody:
    payload = b"\x05hello"

    def __str__(self):
        return "peer 7"


def test_a_summary_is_one_line_for_each_message():
    messages, events = log(bytes_too=False)
    messages.message_read(Somebody(), "say", 30, Say(b"hello"), None)
    messages.message_written(Somebody(), "verack", 24, VerAck(), None)
    assert [formatEvent(event) for event in events] == [
        "peer 7 received say, 30 bytes",
        "peer 7 sent verack, 24 bytes",
    ]
    assert all(event["log_level"] is LogLevel.debug for event in events)
    assert events[0]["command"] == "say"
    assert events[0]["size"] == 30


def test_a_summary_tells_errors_and_escapes_what_peers_wrote():
    messages, events = log(bytes_too=False)
    messages.message_read(Somebody(), "\x1b[2J", 24, None, InvalidValue("text", "\u202e"))
    text = formatEvent(events[0])
    assert text == r"peer 7 received \x1b[2J, 24 bytes: text cannot be '\x5cu202e'"


def test_a_trace_has_the_decoded_message_and_its_bytes():
    messages, events = log(bytes_too=True)
    messages.message_read(Somebody(), "say", 30, Say(b"hello"), None)
    assert formatEvent(events[0]).splitlines() == [
        "peer 7 received say, 30 bytes",
        "Say(text=b'hello')",
        "00000000  05 68 65 6c 6c 6f                                 |.hello|",
    ]
    messages.message_written(Somebody(), "say", 28, Say(b"bye"), None)
    assert formatEvent(events[1]).splitlines()[2].endswith("|.bye|")


def test_a_trace_is_bounded():
    messages, events = log(bytes_too=True)
    messages.message_written(Somebody(), "say", 100_030, Say(bytes(100_000)), None)
    text = formatEvent(events[0])
    assert len(text) < 20 * MAX_SHOWN
    assert "98005 more bytes" in text


class Lazy:
    """A message that shows itself only when it is looked at."""

    def __init__(self, look):
        self.look = look

    def encode(self):
        return b""

    def __repr__(self):
        return self.look()


def test_a_trace_survives_a_message_that_turns_out_to_be_malformed():
    def look():
        raise LimitExceeded(5, 4)

    messages, events = log(bytes_too=True)
    messages.message_written(Somebody(), "block", 24, Lazy(look), None)
    assert "\nLazy: 5 exceeds the limit of 4\n" in formatEvent(events[0])


@pytest.mark.parametrize("said", ["\x1b[2J", "a\nb"])
def test_a_trace_escapes_what_a_message_says_of_itself(said):
    messages, events = log(bytes_too=True)
    messages.message_written(Somebody(), "odd", 24, Lazy(lambda: said), None)
    shown = formatEvent(events[0]).splitlines()[1]
    assert shown.isprintable()
    assert "\\x" in shown


@pytest.mark.parametrize(("setting", "lines"), [("log_messages", 1), ("log_bytes", 3)])
def test_a_node_logs_messages_if_it_is_told_to(setting, lines, monkeypatch):
    stage = node(**{setting: True})
    logged = []

    def emit(_, text, _share="", **fields):
        logged.append(text.format(**fields))

    monkeypatch.setattr(stage.journal, "emit", emit)
    peer = join(stage)
    peer.dataReceived(GREETING)
    of_version = next(text for text in logged if "received version" in text)
    assert len(of_version.splitlines()) >= lines
    assert len([text for text in logged if " sent " in text]) == 3
