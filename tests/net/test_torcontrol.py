import os
import sys
from binascii import unhexlify
from hashlib import sha256
from hmac import new as hmac
from itertools import cycle

import pytest
from hypothesis import given, strategies as st
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectError, ConnectionRefusedError as NobodyThere
from twisted.internet.task import Clock

from bitpeer.errors import MissingExtra, TorUnavailable
from bitpeer.net.torcontrol import (
    MAX_REPLY,
    PATIENCE,
    Control,
    connect_control,
    cookie_problem,
)
from tests.net.fake_tor import FakeTor

COOKIE = bytes(range(32))
READING = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # txtorcon's cookie


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cookie(tmp_path):
    path = tmp_path / 'a "cookie"'
    path.write_bytes(COOKIE)
    return path


def quoted(path):
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def join(tor, password=None):
    return connect_control(tor, "port 9051", password, tor.clock)


def outcome(deferred):
    """What a Deferred has fired with, be it good or bad."""
    results = []
    deferred.addBoth(results.append)
    assert results, "it has not fired"
    return getattr(results[0], "value", results[0])


def complaint(clock, deferred):
    clock.advance(0)  # what is cut is gone a moment later
    error = outcome(deferred)
    assert isinstance(error, TorUnavailable)
    return str(error)


def joined(tor, password=None):
    control = outcome(join(tor, password))
    assert control.failure is None
    return control


def knowing(clock, cookie):
    """Return a Tor that knows its cookie (control-spec, 3.24)."""
    tor = FakeTor(clock, methods=f"METHODS=COOKIE,SAFECOOKIE COOKIEFILE={quoted(cookie)}")

    def challenge(command):
        ours = unhexlify(command.split()[-1])
        words = b"Tor safe cookie authentication server-to-controller hash"
        proof = hmac(words, COOKIE + ours + bytes(32), sha256).hexdigest().upper()
        return f"250 AUTHCHALLENGE SERVERHASH={proof} SERVERNONCE={'00' * 32}"

    tor.replies["AUTHCHALLENGE"] = challenge
    return tor


def test_tor_without_authentication_lets_us_in(clock):
    tor = FakeTor(clock)
    joined(tor)
    assert tor.said("AUTHENTICATE") == ["AUTHENTICATE"]


@READING
def test_cookie_is_proved_without_being_shown(clock, cookie):
    tor = knowing(clock, cookie)
    joined(tor)
    ours = unhexlify(tor.said("AUTHCHALLENGE")[0].split()[-1])
    words = b"Tor safe cookie authentication controller-to-server hash"
    proof = hmac(words, COOKIE + ours + bytes(32), sha256).hexdigest()
    assert tor.said("AUTHENTICATE")[0].lower() == f"authenticate {proof}"


@READING
def test_somebody_who_does_not_know_the_cookie_is_no_tor(clock, cookie):
    tor = FakeTor(clock, methods=f"METHODS=SAFECOOKIE COOKIEFILE={quoted(cookie)}")
    tor.replies["AUTHCHALLENGE"] = f"250 AUTHCHALLENGE SERVERHASH={'00' * 32} SERVERNONCE=00"
    assert "Server hash not expected" in complaint(clock, join(tor))


def test_password_is_preferred_to_a_cookie(clock, cookie):
    methods = f"METHODS=COOKIE,HASHEDPASSWORD COOKIEFILE={quoted(cookie)}"
    tor = FakeTor(clock, methods=methods)
    joined(tor, "open sesame")
    assert tor.said("AUTHENTICATE") == [f"AUTHENTICATE {b'open sesame'.hex()}"]


def test_r_h2_a_cookie_is_shown_to_nobody(clock, cookie):
    """A file of 32 bytes is easily named, and what it holds is not for everybody."""
    tor = FakeTor(clock, methods=f"METHODS=COOKIE COOKIEFILE={quoted(cookie)}")
    assert "it wants to see the cookie" in complaint(clock, join(tor, "open sesame"))
    assert not tor.said("AUTHENTICATE")


def test_wrong_password_is_called_so(clock):
    tor = FakeTor(clock, methods="METHODS=HASHEDPASSWORD")
    tor.replies["AUTHENTICATE"] = "515 Authentication failed: Password did not match"
    said = "it refuses our password: 515 Authentication failed: Password did not match"
    assert complaint(clock, join(tor, "open barley")) == f"port 9051: {said}"


@READING
@pytest.mark.parametrize("password", [None, "not asked for"])
def test_cookie_that_is_refused_is_called_so(clock, cookie, password):
    tor = knowing(clock, cookie)
    tor.replies["AUTHENTICATE"] = "515 Authentication failed: Wrong length"
    assert "it refuses our cookie" in complaint(clock, join(tor, password))


def test_missing_password_is_asked_for(clock):
    tor = FakeTor(clock, methods="METHODS=HASHEDPASSWORD")
    assert complaint(clock, join(tor)) == "port 9051: it wants a password, and none was given"
    assert not tor.said("AUTHENTICATE")


@pytest.mark.parametrize("methods", ["METHODS=", "nothing at all"])
def test_unknown_ways_to_authenticate_are_none(clock, methods):
    assert "it wants a password" in complaint(clock, join(FakeTor(clock, methods=methods)))


def test_cookie_that_is_not_there_is_named(clock, tmp_path):
    tor = FakeTor(clock, methods=f"METHODS=SAFECOOKIE COOKIEFILE={quoted(tmp_path / 'x')}")
    said = f"its cookie {tmp_path / 'x'} cannot be read (No such file or directory)"
    assert complaint(clock, join(tor)) == f"port 9051: {said}"


def test_cookie_that_is_not_there_can_be_replaced_by_a_password(clock, tmp_path):
    methods = f"METHODS=SAFECOOKIE,HASHEDPASSWORD COOKIEFILE={quoted(tmp_path / 'x')}"
    assert complaint(clock, join(FakeTor(clock, methods=methods))).endswith("no password was given")
    joined(FakeTor(clock, methods=methods), "open sesame")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev", "/etc/passwd"])
def test_r_h2_devices_and_other_files_are_not_taken_for_a_cookie(clock, path):
    """R-H2: who poses as a Tor could name a file without end."""
    tor = FakeTor(clock, methods=f"METHODS=SAFECOOKIE COOKIEFILE={quoted(path)}")
    assert "(it is no cookie)" in complaint(clock, join(tor))
    assert not tor.said("AUTHENTICATE")


@pytest.mark.parametrize("rest", ["", " COOKIEFILE=bare"])
def test_cookie_without_a_path_is_none(clock, rest):
    assert "cannot be read" in complaint(
        clock, join(FakeTor(clock, methods=f"METHODS=SAFECOOKIE{rest}"))
    )


def test_path_that_is_none_is_no_cookie():
    assert cookie_problem("a\0b") == "it is no path"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NobodyThere(), "nobody listens there"),
        (ConnectError(osError=2), os.strerror(2)),
        (ConnectError(string="too dark"), "too dark"),
        (OSError("AF_UNIX path too long"), "AF_UNIX path too long"),
    ],
)
def test_who_cannot_be_reached_is_told_with_the_reason(clock, error, said):
    tor = FakeTor(clock)
    tor.refuses = error
    assert said in complaint(clock, join(tor))


@pytest.mark.parametrize(
    "greeting",
    ["HTTP/1.1 400 Bad Request", "SSH-2.0-OpenSSH_9.2", "220 mail ready", "650 ", "251 x"],
)
def test_somebody_else_is_no_tor(clock, greeting):
    tor = FakeTor(clock)
    tor.replies["PROTOCOLINFO"] = greeting
    assert "port 9051: " in complaint(clock, join(tor))


def test_what_no_tor_says_is_shown_safely(clock):
    tor = FakeTor(clock)
    tor.replies["PROTOCOLINFO"] = None
    answer = join(tor)
    tor.say(b"\x1b[2J and more\r\n")
    assert complaint(clock, answer) == "port 9051: no Tor control port: it says \\x1b[2J and more"


def test_bytes_outside_ascii_are_not_what_tor_says(clock):
    tor = FakeTor(clock)
    tor.replies["PROTOCOLINFO"] = None
    answer = join(tor)
    tor.say(b"250 caf\xe9\r\n")
    assert "it says what no Tor says" in complaint(clock, answer)


def test_silence_is_no_tor(clock):
    tor = FakeTor(clock)
    tor.replies["PROTOCOLINFO"] = None
    answer = join(tor)
    clock.advance(PATIENCE)
    assert complaint(clock, answer) == "port 9051: no answer within 30 seconds"
    assert tor.wires[0].disconnecting


def test_giving_up_closes_the_connection(clock):
    tor = FakeTor(clock)
    tor.replies["PROTOCOLINFO"] = None
    answer = join(tor)
    answer.cancel()
    assert isinstance(outcome(answer), CancelledError)
    assert tor.wires[0].disconnecting
    clock.advance(0)


def test_tor_that_hangs_up_while_it_is_asked_is_gone(clock):
    tor = FakeTor(clock)
    tor.replies["PROTOCOLINFO"] = None
    answer = join(tor)
    tor.die()
    assert complaint(clock, answer) == "port 9051: it closed the connection"


def test_questions_are_answered(clock):
    control = joined(FakeTor(clock))
    assert outcome(control.ask("version")) == "0.4.9.11"
    assert outcome(control.command("DEL_ONION x")) == "OK"


def test_refusal_is_told_and_harms_nobody(clock):
    tor = FakeTor(clock)
    tor.replies["GETINFO moon"] = '552 Unrecognized key "moon"'
    control = joined(tor)
    assert complaint(clock, control.ask("moon")) == 'port 9051: 552 Unrecognized key "moon"'
    assert control.failure is None


def test_events_are_heard(clock):
    tor = FakeTor(clock)
    control = joined(tor)
    heard = []
    outcome(control.hear("CIRC", heard.append))
    tor.say("650 CIRC 7 BUILT\r\n")
    assert heard == ["7 BUILT"]
    assert tor.said("SETEVENTS") == ["SETEVENTS CIRC"]


def test_event_that_this_tor_does_not_have_is_refused(clock):
    control = joined(FakeTor(clock))
    assert complaint(clock, control.hear("STARS", print)).endswith("this Tor has no event STARS")


def test_loss_is_told_to_all_who_ask(clock):
    tor = FakeTor(clock)
    control = joined(tor)
    before = control.when_lost()
    tor.die()
    reason = outcome(before)
    assert str(reason) == "port 9051: it closed the connection"
    assert outcome(control.when_lost()) is reason


def test_closing_is_told_once(clock):
    tor = FakeTor(clock)
    control = joined(tor)
    lost = control.when_lost()
    control.close()
    control.close("again")
    clock.advance(0)
    assert str(outcome(lost)) == "port 9051: closed by this side"


def flooded(clock, first, piece, most=MAX_REPLY):
    """Let a Tor say *piece* over and over; return how many bytes it took to end that."""
    tor = FakeTor(clock)
    tor.replies["GETINFO flood"] = None
    control = joined(tor)
    answer = control.ask("flood")
    tor.say(first)
    said = 0
    while not tor.wires[0].disconnecting:
        said += len(piece)
        assert said <= most + 2 * len(piece) + MAX_REPLY
        tor.say(piece)
    clock.advance(0)
    assert "does not end within 65536 bytes" in complaint(clock, answer)
    return said


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        ("", "250-more\r\n"),
        ("250+flood=\r\n", "more\r\n"),
        ("250+flood=\r\n", "250 OK\r\n"),
        ("", "650-CIRC more\r\n"),
        ("", "x" * 1_000),
    ],
)
def test_r_h2_a_reply_without_end_fills_no_memory(clock, first, piece):
    """R-H2: a malicious control port sends lines for ever."""
    flooded(clock, first, piece)


LINES = st.sampled_from(
    [b"250 OK", b"250-version=1", b"250+poem=", b".", b"..", b"650 STATUS_CLIENT x", b"650-CIRC"]
) | st.binary(max_size=20)


@given(st.lists(LINES, max_size=30), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_r_h1_nothing_that_is_said_harms_us_however_it_is_cut(said, sizes):
    """R-H1, R-H2: whatever sits at the control port, it ends in an answer or a reason."""
    clock = Clock()
    tor = FakeTor(clock)
    tor.replies["GETINFO version"] = None
    answer = join(tor)
    stream = b"\r\n".join([*said, b""])
    for size in cycle(sizes):
        if not stream or tor.wires[0].disconnecting:
            break
        piece, stream = stream[:size], stream[size:]
        tor.say(piece)
    tor.die()
    result = outcome(answer)
    assert isinstance(result, Control | TorUnavailable)
    assert not clock.getDelayedCalls() or tor.wires[0].disconnecting


def test_long_conversation_is_no_long_reply(clock):
    tor = FakeTor(clock)
    tor.replies["GETINFO poem"] = "250+poem=\r\n" + "line\r\n" * 5_000 + ".\r\n250 OK"
    control = joined(tor)
    for _ in range(5):
        assert len(outcome(control.ask("poem"))) > 20_000
    assert control.failure is None


def test_missing_package_is_named(clock, monkeypatch):
    monkeypatch.setitem(sys.modules, "txtorcon.torcontrolprotocol", None)
    with pytest.raises(MissingExtra, match=r"pip install 'bitpeer\[tor\]'"):
        join(FakeTor(clock))
