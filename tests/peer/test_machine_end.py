"""How a conversation ends, and that it stays ended."""

import ast
from pathlib import Path

import pytest

import bitpeer.peer
from bitpeer.errors import (
    LocalError,
    Refused,
)
from bitpeer.messages.control import FeeFilter, Ping, Pong, Reject, SendHeaders, VerAck
from bitpeer.messages.inventory import GetData, Inv
from bitpeer.peer.machine import PeerMachine
from bitpeer.peer.part import NEVER
from tests.peer.village import (
    NEWS,
    commands,
    establish,
    framed,
    hear,
    hello,
    item,
    items,
    make_machine,
    make_relay,
    make_terms,
    spoken,
)
from tests.toy import Say


def test_the_first_reason_counts() -> None:
    machine = establish(make_terms())
    machine.fail(Refused("one"))
    machine.fail(Refused("two"))
    assert str(machine.failure) == "one"
    machine.close()
    assert str(machine.failure) == "one"


def test_closing_gives_back_what_was_borrowed() -> None:
    terms = make_terms(relay=make_relay())
    machine = establish(terms)
    machine.announce(item(1), 0)
    machine.send(GetData(items([2])), 0)
    assert terms.relay.waiting == 1
    machine.close()
    machine.close()
    assert terms.relay.waiting == 0
    assert not machine.has_data_to_send
    assert machine.failure is None
    pending = make_machine(terms)
    assert len(terms.own_nonces) == 1
    pending.close()
    assert terms.own_nonces == set()


def test_closing_keeps_no_part_of_a_message() -> None:
    machine = establish(make_terms())
    list(machine.receive_data(framed(Say(bytes(90_000)))[:80_000], 0))
    assert machine.held > 70_000
    machine.close()
    assert machine.held == machine.expected == 0
    assert list(machine.receive_data(b"more", 1)) == []
    assert machine.held == 0


def test_a_peer_that_left_is_not_taken_for_another() -> None:
    terms = make_terms()
    machine = establish(terms)
    machine.announce(item(1, NEWS), 0)
    machine.close()
    assert not machine.knows(item(1))
    machine.add_known(item(2))
    assert terms.relay.table.known_to(item(2).hash) == 0


def over_by_failure(machine: PeerMachine) -> None:
    machine.fail(Refused("enough"))


def over_by_timeout(machine: PeerMachine) -> None:
    machine.wake(1e9)


def over_by_loss(machine: PeerMachine) -> None:
    machine.close()


@pytest.mark.parametrize("end", [over_by_failure, over_by_timeout, over_by_loss])
@pytest.mark.parametrize("words", [(), (hello(),), (hello(), VerAck())])
def test_r_c6_everything_may_be_called_when_it_is_over(end, words) -> None:
    machine = make_machine(make_terms())
    hear(machine, *words)
    machine.announce(item(1), 0)
    rest = machine.receive_data(framed(Ping(1)), 0) if len(words) == 2 else iter(())
    end(machine)
    machine.data_to_send()
    machine.start(1.0)
    assert hear(machine, hello(), VerAck(), Ping(1), Inv(items([3])), now=2.0) == []
    assert list(rest) in ([], [Ping(1)])
    machine.data_to_send()
    machine.wake(1e9)
    machine.flush(1e9)
    machine.resume(1e9, 5.0)
    machine.refuse("no", (Reject(b"version", 1, b""),))
    machine.fail(Refused("no"))
    with pytest.raises(LocalError):
        machine.send(Say(b"x"), 3.0)
    assert not machine.announce(item(4), 3.0)
    assert not machine.announce(item(4, NEWS), 3.0)
    machine.add_known(item(5))
    assert not machine.knows(item(5))
    assert machine.preference(FeeFilter) is None
    assert machine.next_wake == machine.next_flush == NEVER
    assert spoken(machine) == []
    assert (machine.version is None) == (not words)
    assert machine.held == machine.expected == 0
    assert not machine.established
    machine.close()
    machine.close()


def test_a_conversation_that_is_over_goes_no_further() -> None:
    machine = establish(make_terms())
    events = machine.receive_data(framed(Ping(1), Ping(2)), 0)
    next(events)
    machine.close()
    assert list(events) == []
    assert machine.messages_received == 3
    assert not machine.has_data_to_send


def test_r_d3_nothing_depends_on_assertions() -> None:
    (folder,) = bitpeer.peer.__path__
    for path in Path(folder).glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Assert)], path


def test_an_echoing_peer_hears_what_it_said() -> None:
    machine = establish(make_terms())
    hear(machine, *(Ping(number) for number in range(1_000)))
    pongs = machine.data_to_send()
    assert commands(pongs) == ["pong"] * 1_000
    assert b"".join(pongs) == framed(*(Pong(number) for number in range(1_000)))


def test_wishes_need_no_handshake_of_their_own() -> None:
    machine = establish(make_terms())
    assert hear(machine, SendHeaders(), FeeFilter(9)) == [SendHeaders(), FeeFilter(9)]
    assert machine.preference(FeeFilter) == FeeFilter(9)
