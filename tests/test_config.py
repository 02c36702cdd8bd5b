"""What settings may be, and what is said of those that may not."""

import tomllib
from dataclasses import fields, replace
from math import inf, nan
from pathlib import Path

import pytest

from bitpeer.config import VERSION, BlockPosition, PeerConfig, user_agent
from bitpeer.dialect import Pace
from bitpeer.errors import InvalidSetting
from bitpeer.messages.control import FeeFilter, Ping, SendHeaders, VerAck
from bitpeer.wire.message import Message
from tests.toy import DIALECT, NETWORK, Hello

CONFIG = PeerConfig(network=NETWORK)

WISHING = replace(
    NETWORK,
    dialect=replace(
        DIALECT,
        registry=DIALECT.registry.extended(FeeFilter, SendHeaders),
        negotiation=frozenset({SendHeaders}),
    ),
)
"""A network whose peers may wish for fees, but for headers only during the handshake."""

SECONDS = [
    "handshake_timeout",
    "listener_timeout",
    "idle_timeout",
    "ping_interval",
    "ping_timeout",
    "stall_timeout",
    "transfer_grace",
    "transfer_rate",
    "trickle_interval",
    "known_for",
]
COUNTS = [
    "max_payload",
    "max_handshake_payload",
    "max_handshake_messages",
    "max_requests",
    "pause_queue",
    "max_queue",
    "max_total",
    "max_announcements",
    "max_pending_announcements",
    "max_total_announcements",
    "known_inventory",
    "relay_window",
]
SWITCHES = [
    "relay",
    "proxied",
    "allow_self_connections",
    "follow_redirects",
    "tolerate_malformed",
    "poisson",
    "log_messages",
    "log_bytes",
]
FUNCTIONS = ["newest_block", "address_of"]
OPTIONAL = {
    "protocol_version",
    "min_version",
    "preferences",
    "max_payload",
    "listener_timeout",
    "stall_timeout",
    "idle_timeout",
    "ping_interval",
    "trickle_interval",
    "known_for",
    *FUNCTIONS,
}


def refusal(name: str, value: object) -> str:
    """Return what is said of a setting that makes no sense."""
    with pytest.raises(InvalidSetting) as caught:
        replace(CONFIG, **{name: value})
    assert caught.value.setting == name
    assert caught.value.value is value
    return str(caught.value)


def test_the_version_is_that_of_the_distribution() -> None:
    pyproject = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    assert pyproject["project"]["version"] == VERSION


def test_a_network_is_enough() -> None:
    assert CONFIG.user_agent == f"/bitpeer:{VERSION}/".encode()
    assert CONFIG.pace.idle_timeout > CONFIG.pace.ping_interval


def test_every_setting_is_checked() -> None:
    nonsense = object()
    for field in fields(PeerConfig):
        assert "expected" in refusal(field.name, nonsense)


def test_only_some_settings_may_be_none() -> None:
    for field in fields(PeerConfig):
        if field.name in OPTIONAL:
            assert getattr(replace(CONFIG, **{field.name: None}), field.name) is None
        else:
            refusal(field.name, None)


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [0, -1, -0.5, nan, -inf, True, "30"])
def test_times_and_rates_are_positive_numbers(name: str, value: object) -> None:
    assert "expected more than 0" in refusal(name, value)


@pytest.mark.parametrize("name", SECONDS)
def test_times_and_rates_may_be_whole_numbers_or_fractions(name: str) -> None:
    longer = {"idle_timeout": 10_000} if name == "ping_interval" else {}
    for value in (400, 400.5):
        assert getattr(replace(CONFIG, **{name: value}, **longer), name) == value


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", [-1, 1.5, True, "7", 1 << 63])
def test_counts_and_sizes_are_whole_numbers(name: str, value: object) -> None:
    refusal(name, value)


@pytest.mark.parametrize("name", COUNTS)
def test_counts_and_sizes_are_above_zero(name: str) -> None:
    refusal(name, 0)


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [inf, 1e308, 10**400, 1e16])
def test_times_and_rates_have_an_end(name: str, value: object) -> None:
    assert "and at most" in refusal(name, value)


def test_times_may_last_ten_years() -> None:
    assert replace(CONFIG, ping_timeout=10 * 365.25 * 86_400).ping_timeout > 3e8
    assert "expected more than 0 and at most 3.2e8 seconds" in refusal("ping_timeout", 3.3e8)


def test_a_handshake_has_room_for_what_peers_must_say() -> None:
    assert replace(CONFIG, max_handshake_messages=8).max_handshake_messages == 8
    assert refusal("max_handshake_messages", 7).endswith("expected a whole number from 8 on")
    assert replace(CONFIG, max_handshake_payload=1_024).max_handshake_payload == 1_024
    assert replace(CONFIG, max_payload=1_024).max_payload == 1_024
    assert refusal("max_handshake_payload", 1_023).endswith("a whole number from 1024 on")
    assert refusal("max_payload", 1_023).endswith("a whole number from 1024 on, or None")


def test_one_inv_has_at_most_fifty_thousand_items() -> None:
    assert replace(CONFIG, max_announcements=50_000).max_announcements == 50_000
    assert refusal("max_announcements", 50_001).endswith("expected 1 to 50000")


@pytest.mark.parametrize("name", SWITCHES)
def test_switches_are_true_or_false(name: str) -> None:
    for value in (True, False):
        assert getattr(replace(CONFIG, **{name: value}), name) is value
    assert "True or False" in refusal(name, 1)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_can_be_called(name: str) -> None:
    assert getattr(replace(CONFIG, **{name: print}), name) is print
    assert refusal(name, 5).endswith("expected a function, or None")


def test_services_have_64_bits() -> None:
    assert replace(CONFIG, services=(1 << 64) - 1).services == (1 << 64) - 1
    assert refusal("services", 1 << 64).endswith("expected 64 bits")
    refusal("services", -1)


def test_versions_are_those_of_the_dialect() -> None:
    low, high = DIALECT.min_version, DIALECT.protocol_version
    for name in ("protocol_version", "min_version"):
        assert f"from {low} to {high}" in refusal(name, high + 1)
        assert replace(CONFIG, **{name: low})
        assert replace(CONFIG, **{name: high})
    assert replace(CONFIG, protocol_version=high, min_version=high)


def test_nobody_can_be_asked_for_more_than_is_spoken_here() -> None:
    with pytest.raises(InvalidSetting, match="min_version is 2, expected a version from 1 to 1"):
        replace(CONFIG, protocol_version=1, min_version=2)


def test_a_version_below_the_dialects_is_none() -> None:
    dialect = replace(DIALECT, min_version=2)
    with pytest.raises(InvalidSetting, match="from 2 to 2"):
        PeerConfig(network=replace(NETWORK, dialect=dialect), min_version=1)


def test_r_c8_a_silent_peer_is_pinged_well_before_it_is_dead() -> None:
    assert "more than ping_interval, which is 120" in refusal("idle_timeout", 120)
    refusal("idle_timeout", 132.0)
    assert replace(CONFIG, idle_timeout=133)


def test_the_dialect_sets_the_pace_and_the_operator_may_change_it() -> None:
    hasty = Pace(ping_interval=7, idle_timeout=9, trickle_interval=(0.1, 0.5), known_for=900)
    config = PeerConfig(network=replace(NETWORK, dialect=replace(DIALECT, pace=hasty)))
    assert config.pace == hasty
    assert replace(config, trickle_interval=2, known_for=60).pace == replace(
        hasty, trickle_interval=(2, 2), known_for=60
    )
    assert replace(config, ping_interval=8, idle_timeout=10).pace == replace(
        hasty, ping_interval=8, idle_timeout=10
    )
    with pytest.raises(InvalidSetting, match="idle_timeout is 9, expected clearly more than"):
        replace(config, ping_interval=8.9)


def test_reading_pauses_before_the_queue_is_full() -> None:
    assert replace(CONFIG, pause_queue=10, max_queue=10)
    with pytest.raises(InvalidSetting, match="pause_queue is 11, expected at most max_queue"):
        replace(CONFIG, pause_queue=11, max_queue=10)


def test_wishes_are_messages_of_the_dialect() -> None:
    config = PeerConfig(network=WISHING, preferences=(FeeFilter(1_000), Ping(1)))
    assert config.preferences == (FeeFilter(1_000), Ping(1))
    assert replace(config, preferences=()).preferences == ()
    with pytest.raises(InvalidSetting, match="messages that toy has after the handshake"):
        replace(CONFIG, preferences=(FeeFilter(1_000),))
    for value in ([], (Ping,), "ping", FeeFilter(1_000)):
        assert "expected a tuple of messages, or None" in refusal("preferences", value)


@pytest.mark.parametrize("wish", [SendHeaders(), VerAck(), Hello(1, 0, 0, 0)])
def test_wishes_do_not_belong_into_the_handshake(wish: Message) -> None:
    with pytest.raises(InvalidSetting, match="messages that toy has after the handshake"):
        PeerConfig(network=WISHING, preferences=(wish,))


def test_wishes_can_be_encoded() -> None:
    with pytest.raises(InvalidSetting, match="fee_rate"):
        PeerConfig(network=WISHING, preferences=(FeeFilter(1 << 63),))


def test_settings_never_change() -> None:
    with pytest.raises(AttributeError):
        CONFIG.services = 1


def test_a_user_agent_names_software_and_version() -> None:
    assert user_agent() == f"/bitpeer:{VERSION}/".encode()
    assert user_agent("watcher", "2.0-rc1") == b"/watcher:2.0-rc1/"
    assert user_agent("watcher", "2.0", ("linux", "by me")) == b"/watcher:2.0(linux; by me)/"


@pytest.mark.parametrize(
    "part", ["", "a/b", "a:b", "a(b", "a)b", "caf\xe9", "a\nb", "\x7f", "\u202e"]
)
def test_a_user_agent_has_no_illegal_characters(part: str) -> None:
    for parts in ((part, "1", ()), ("x", part, ()), ("x", "1", (part,)), ("x", "1", ("a", part))):
        with pytest.raises(InvalidSetting, match="printable ASCII"):
            user_agent(*parts)


def test_a_user_agent_has_at_most_256_bytes() -> None:
    assert len(user_agent("x" * 252, "1")) == 256
    with pytest.raises(InvalidSetting, match="at most 256 bytes"):
        user_agent("x" * 253, "1")


@pytest.mark.parametrize(
    "agent",
    [
        b"",
        b"/Satoshi:31.99.0/",
        b"/Satoshi:25.0.0/Knots:20230823/",
        b"/btcwire:0.5.0/btcd:0.24.2(a; b)/",
        b"/x:" + b"1" * 252 + b"/",
    ],
)
def test_user_agents_in_use_are_taken(agent: bytes) -> None:
    assert replace(CONFIG, user_agent=agent).user_agent == agent


@pytest.mark.parametrize(
    "agent",
    [
        b"Satoshi:1.0",
        b"/Satoshi:1.0",
        b"/Satoshi/",
        b"/a:b:c/",
        b"//",
        b"/a:1()/",
        b"/a:1\x1b[2J/",
        b"/a:1\xe9/",
        b"/x:" + b"1" * 253 + b"/",
        "/text:1/",
    ],
)
def test_user_agents_that_peers_would_stumble_over_are_not(agent: object) -> None:
    assert "BIP 14" in refusal("user_agent", agent)


def test_a_block_position_is_hash_height_and_work() -> None:
    assert BlockPosition(bytes(32), 7) == (bytes(32), 7, 0)
