"""Whatever a peer sends, nothing is raised: in the village, and in Bitcoin."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from bitpeer.bitcoin.language import DIALECT as BITCOIN
from bitpeer.dialect import Dialect, Greeting
from bitpeer.messages.inventory import GetData
from bitpeer.peer.machine import PeerMachine
from bitpeer.peer.terms import Terms
from bitpeer.wire.framing import Framing
from tests.pair import Side
from tests.peer.test_pairs import check_order
from tests.peer.village import DIALECT as VILLAGE, items, make_terms
from tests.toy import MAGIC


def framed(dialect: Dialect, command: bytes, payload: bytes) -> bytes:
    """Return a frame with the right checksum."""
    head = MAGIC + command.ljust(12, b"\0") + len(payload).to_bytes(4, "little")
    return head + dialect.checksum(payload)[:4] + payload


def handshake(dialect: Dialect, version: int, words: int) -> bytes:
    """Return a stranger's introduction, and its verack, as far as there are to be *words*."""
    greeting = Greeting(version=version, time=0, nonce=1 << 60, user_agent=b"/noise:1/")
    introduction = framed(dialect, b"version", dialect.greet(greeting).encode())
    return b"".join([introduction, framed(dialect, b"verack", b"")][:words])


def commands(dialect: Dialect) -> st.SearchStrategy[bytes]:
    """Return the commands of a language, most often those that do not end the conversation."""
    ending = {*dialect.negotiation, *dialect.service_gates}
    all_of_them = [kind.command.encode() for kind in dialect.registry]
    harmless = [kind.command.encode() for kind in dialect.registry if kind not in ending]
    return st.sampled_from(harmless) | st.sampled_from(all_of_them)


def noise(dialect: Dialect) -> st.SearchStrategy[bytes]:
    """Return streams that lie anywhere between nonsense and good manners."""
    payload = st.binary(max_size=150) | st.integers(0, 150).map(bytes)
    name = commands(dialect) | st.binary(min_size=1, max_size=12)
    shaped = st.builds(framed, st.just(dialect), name, payload)
    header = st.builds(
        lambda command, length: MAGIC + command.ljust(12, b"\0") + length.to_bytes(4, "little"),
        commands(dialect),
        st.integers(0, (1 << 32) - 1),
    )
    piece = st.one_of(shaped, shaped, shaped, header, st.binary(max_size=40))
    return st.lists(piece, max_size=12).map(b"".join)


def make(terms: Terms, *, outbound: bool) -> PeerMachine:
    """Return a machine that has just been connected."""
    framing = Framing(terms.envelope, terms.max_handshake_payload)
    machine = PeerMachine(terms, framing, outbound=outbound)
    machine.start(0.0)
    return machine


@pytest.mark.parametrize("dialect", [VILLAGE, BITCOIN], ids=lambda dialect: dialect.name)
@settings(max_examples=200)
@given(data=st.data())
def test_noise_never_raises(dialect: Dialect, data: st.DataObject) -> None:
    outbound, tolerant, strict = (data.draw(st.booleans()) for _ in range(3))
    dialect = replace(dialect, strict_versions=strict)
    terms = make_terms(dialect, tolerate_malformed=tolerant, max_handshake_messages=50)
    machine, now = make(terms, outbound=outbound), 0.0
    version = data.draw(st.integers(dialect.min_version, dialect.protocol_version + 1))
    stream = handshake(dialect, version, data.draw(st.sampled_from([0, 1, 2, 2, 2, 2])))
    stream += data.draw(noise(dialect))
    while stream and not machine.over:
        count, now = data.draw(st.integers(1, len(stream))), now + data.draw(st.floats(0.0, 5.0))
        for _ in machine.receive_data(stream[:count], now):
            if machine.established and machine.deadlines is None:
                machine.send(GetData(items([1, 2])), now)
        machine.wake(now)
        machine.flush(now)
        stream = stream[count:]
    side = Side(machine)
    side.fetch()
    announced = {feature.command for feature in dialect.announce(dialect.protocol_version)}
    check_order(side.said, frozenset({"version", "verack", *announced}))
    machine.wake(1e9)
    assert machine.over
    machine.close()
    assert terms.own_nonces == set()
    assert terms.relay.waiting == 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dialect", [VILLAGE, BITCOIN], ids=lambda dialect: dialect.name)
def test_r_a1_a_megabyte_of_noise_is_not_kept(dialect: Dialect, seed: int) -> None:
    din = random.Random(seed).randbytes(1_000_000)
    for words in range(3):
        for begun in (b"", MAGIC):
            machine = make(make_terms(dialect), outbound=False)
            stream = handshake(dialect, dialect.protocol_version, words) + begun + din
            assert len(list(machine.receive_data(stream, 0.0))) in (0, 2, 4)
            assert machine.failure is not None
            assert machine.held <= 24


@pytest.mark.parametrize("dialect", [VILLAGE, BITCOIN], ids=lambda dialect: dialect.name)
def test_r_b11_the_emptiest_message_of_every_kind_does_no_harm(dialect: Dialect) -> None:
    for kind in dialect.registry:
        for payload in (b"", bytes(kind.min_size), bytes(kind.min_size + 1)):
            terms = make_terms(dialect, tolerate_malformed=True)
            machine = make(terms, outbound=True)
            list(machine.receive_data(handshake(dialect, dialect.protocol_version, 2), 0.0))
            machine.send(GetData(items([1])), 0.0)
            if len(payload) <= kind.max_size:
                list(machine.receive_data(framed(dialect, kind.command.encode(), payload), 0.0))
            machine.announce(items([2])[0], 0.0)
            machine.flush(10.0)
            if machine.failure is None:
                assert machine.malformed <= 1
            else:
                assert machine.failure.reason.name in ("OUT_OF_ORDER", "UNWANTED")
