"""What a dialect says when it says nothing, and what a network must have."""

from dataclasses import replace

import pytest

from bitpeer.dialect import DnsSeed, Greeting, HttpsSeed, ServiceGate
from bitpeer.errors import InvalidSetting
from bitpeer.messages.addresses import NOWHERE, Addr, TimedNetAddress
from bitpeer.messages.control import FeeFilter, Ping, SendHeaders
from bitpeer.messages.locator import GetBlocks, GetHeaders
from bitpeer.wire.message import Message, message
from tests.toy import DIALECT, NETWORK, Hello


@message("secret", since=3, until=5)
class Secret(Message):
    """A message that came and went."""


def no_wish(_: type[Message]) -> None:
    return None


def test_a_greeting_says_little_unless_it_is_told_more() -> None:
    greeting = Greeting(version=2, time=1_000, nonce=7, user_agent=b"/toy:1/")
    assert (greeting.services, greeting.height, greeting.relay) == (0, 0, True)
    assert greeting.receiver is NOWHERE


def test_a_plain_dialect_refuses_nobody_and_announces_nothing() -> None:
    greeting = Greeting(version=2, time=1_000, nonce=7, user_agent=b"/toy:1/")
    assert tuple(DIALECT.review(Hello(2, 0, 0, 5), greeting)) == ()
    assert DIALECT.announce(2) == ()
    assert DIALECT.welcome(2) == ()


def test_a_plain_dialect_knows_nothing_of_addresses() -> None:
    assert DIALECT.get_addresses is None
    assert DIALECT.told == {}
    with pytest.raises(ValueError, match=r"no form for 192\.0\.2\.1"):
        DIALECT.address("192.0.2.1", 8333, 0, 0)


def test_messages_are_spoken_from_their_first_version_to_before_their_last() -> None:
    assert [DIALECT.speaks(Secret, version) for version in (2, 3, 4, 5)] == [
        False,
        True,
        True,
        False,
    ]
    assert DIALECT.speaks(Ping, 0)


def test_a_dialect_may_know_better_than_the_message() -> None:
    dialect = replace(DIALECT, gates={Secret: (1, None), SendHeaders: (7, 9)})
    assert dialect.speaks(Secret, 1)
    assert dialect.speaks(Secret, 99)
    assert [dialect.speaks(SendHeaders, version) for version in (6, 7, 8, 9)] == [
        False,
        True,
        True,
        False,
    ]
    assert dialect.speaks(FeeFilter, 0)


def test_requests_for_blocks_and_headers_are_those_of_bitcoin() -> None:
    assert DIALECT.get_blocks(2, (b"a" * 32,), b"b" * 32) == GetBlocks(2, (b"a" * 32,), b"b" * 32)
    assert DIALECT.get_headers(2, (), bytes(32)) == GetHeaders(2, (), bytes(32))


def test_every_address_can_be_told_in_an_addr() -> None:
    address = TimedNetAddress(5, 1, bytes(16), 8333)
    assert DIALECT.tellable([address], no_wish) == [address]
    assert DIALECT.tell([address], no_wish) == Addr((address,))
    assert DIALECT.max_addresses == 1_000


def test_a_private_message_makes_a_new_dialect() -> None:
    dialect = replace(DIALECT, registry=DIALECT.registry.extended(Secret))
    assert Secret in dialect.registry
    assert Secret not in DIALECT.registry


def test_a_service_gate_is_a_bit_and_a_version() -> None:
    assert ServiceGate(4, 70011) == ServiceGate(service=4, hang_up_from=70011)


def test_a_seed_filters_only_if_it_says_so() -> None:
    assert not DnsSeed("seed.example").filters


def test_the_title_of_a_network_names_the_dialect_too() -> None:
    assert NETWORK.title == "toy-nursery"
    assert NETWORK.seeds == ()
    assert NETWORK.genesis == bytes(32)


@pytest.mark.parametrize("magic", [b"", b"abc", b"abcde"])
def test_magic_has_four_bytes(magic: bytes) -> None:
    with pytest.raises(InvalidSetting, match=r"magic is .* expected four bytes"):
        replace(NETWORK, magic=magic)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_is_a_port(port: int) -> None:
    with pytest.raises(
        InvalidSetting, match=r"port is -?[0-9]+, expected a number from 1 to 65535"
    ):
        replace(NETWORK, port=port)


def test_the_last_port_is_one() -> None:
    assert replace(NETWORK, port=65535).port == 65535


def test_a_genesis_block_has_a_hash() -> None:
    with pytest.raises(InvalidSetting, match=r"genesis is .* expected a hash of 32 bytes"):
        replace(NETWORK, genesis=b"genesis")


def test_a_dialect_leaves_early_messages_to_the_settings() -> None:
    assert DIALECT.early_messages(7) is None
    assert not DIALECT.strict_commands


def test_a_host_is_asked_for_addresses_by_https() -> None:
    seed = HttpsSeed("seed.example")
    assert seed.url() == "https://seed.example/api/addrs"
    assert seed.url(services=1) == "https://seed.example/api/addrs?services=1"
    assert seed.url(services=1, ip_version=6, version=11) == (
        "https://seed.example/api/addrs?services=1&ipversion=6&pver=11"
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(("name", value) for value in ("", "a\n", "\x1b[2J", None, b"nursery")),
        *(("dialect", value) for value in (None, "toy", NETWORK)),
        *(("magic", value) for value in ("abcd", None, 4)),
        *(("port", value) for value in ("8333", None, True, 8333.0)),
        *(("genesis", value) for value in ("0" * 32, None)),
        *(("seeds", value) for value in (("seed.example",), [DnsSeed("a")], "seed", None)),
        *(("https_seeds", value) for value in ((DnsSeed("seed.example"),), None)),
    ],
)
def test_every_part_of_a_network_is_of_its_kind(setting: str, value: object) -> None:
    with pytest.raises(InvalidSetting, match=f"{setting} is .*, expected ") as caught:
        replace(NETWORK, **{setting: value})
    assert caught.value.setting == setting
