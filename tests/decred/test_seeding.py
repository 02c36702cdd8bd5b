import pytest
from hypothesis import given, strategies as st

from bitpeer.decred.addresses import NodeAddress
from bitpeer.decred.seeding import MAX_REPLY, MAX_SEEDED, seeded_addresses


def entry(host="192.0.2.1:9108", services="1"):
    return f'{{"host": "{host}", "services": {services}, "pver": 11}}\n'.encode()


def test_an_answer_is_a_row_of_objects():
    reply = entry() + entry("[2001:db8::1]:19108", "5").strip() + entry("192.0.2.3:1")
    assert seeded_addresses(reply) == [
        NodeAddress.of("192.0.2.1", 9108, 1),
        NodeAddress.of("2001:db8::1", 19108, 5),
        NodeAddress.of("192.0.2.3", 1, 1),
    ]


def test_services_may_be_left_out():
    assert seeded_addresses(b'{"host": "192.0.2.1:9108"}')[0].services == 0


@pytest.mark.parametrize(
    "bad",
    [
        entry("example.org:9108"),
        entry("192.0.2.1"),
        entry("192.0.2.1:"),
        entry("192.0.2.1:99999"),
        entry("192.0.2.1:x"),
        entry("2001:db8::1:9108:1"),
        entry("[192.0.2.1]:9108"),
        entry(services="-1"),
        entry(services='"1"'),
        entry(services="1e30"),
        b'{"host": 7}',
    ],
)
def test_what_is_no_address_is_left_out(bad):
    assert seeded_addresses(bad + entry()) == [NodeAddress.of("192.0.2.1", 9108, 1)]


@pytest.mark.parametrize("bad", [b"", b"[]", b"7", b"{", b'{"hosts": 1}', b"<html>", b"\xff" * 9])
def test_what_is_no_object_ends_the_answer(bad):
    assert len(seeded_addresses(entry() + bad + entry())) == (2 if not bad else 1)
    assert seeded_addresses(bad) == []


def test_no_more_is_read_than_the_reference_reads():
    assert len(seeded_addresses(entry() * 40)) == MAX_SEEDED
    padded = entry() + b" " * MAX_REPLY + entry()
    assert len(seeded_addresses(padded)) == 1


@given(st.binary(max_size=300))
def test_noise_does_no_harm(noise):
    assert isinstance(seeded_addresses(noise), list)
    assert len(seeded_addresses(b"[" * 4096)) == 0
