"""`version` and the announcements of features, byte for byte."""

import pytest

from bitpeer.bitcoin.messages import SendAddrV2, Version, WtxidRelay
from bitpeer.errors import DecodeError, LimitExceeded, Unencodable
from bitpeer.messages.addresses import NOWHERE, NetAddress

# rust-bitcoin p2p/src/message_network.rs, as quoted in the project's fact sheet (8.2)
RECORDED = bytes.fromhex(
    "721101000100000000000000e6e0845300000000010000000000000000000000000000000000ffff"
    "0000000000000100000000000000fd87d87eeb4364f22cf54dca59412db7208d47d920cffce83ee8"
    "102f5361746f7368693a302e392e39392f2c9f040001"
)


def test_a_recorded_version_is_read_and_written() -> None:
    version = Version.decode(RECORDED)
    assert version.version == 70002
    assert version.services == 1
    assert version.time == 1401217254
    assert version.receiver == NetAddress.of("0.0.0.0", 0, 1)
    assert version.sender.ip[:6] == bytes.fromhex("fd87d87eeb43")
    assert version.nonce == 16735069437859780935
    assert version.user_agent == b"/Satoshi:0.9.99/"
    assert version.height == 302892
    assert version.relay is True
    assert version.extra == b""
    assert version.encode() == RECORDED


@pytest.mark.parametrize("size", [46, 72, 80, 97, 101, 102])
def test_older_peers_leave_fields_off_the_end(size: int) -> None:
    version = Version.decode(RECORDED[:size])
    full = Version.decode(RECORDED)
    assert version.receiver == full.receiver
    assert version.sender == (full.sender if size >= 72 else NOWHERE)
    assert version.nonce == (full.nonce if size >= 80 else 1)
    assert version.user_agent == (full.user_agent if size >= 97 else b"")
    assert version.height == (full.height if size >= 101 else -1)
    assert version.relay is True


@pytest.mark.parametrize(
    "size", [size for size in range(len(RECORDED)) if size not in (46, 72, 80, 97, 101)]
)
def test_a_version_cut_inside_a_field_is_refused(size: int) -> None:
    with pytest.raises(DecodeError):
        Version.decode(RECORDED[:size])


def test_what_newer_versions_put_behind_is_kept() -> None:
    version = Version.decode(RECORDED + b"future")
    assert version.extra == b"future"
    assert version.encode() == RECORDED + b"future"


def test_any_relay_byte_but_zero_means_yes() -> None:
    assert Version.decode(RECORDED[:-1] + b"\x07").relay is True
    assert Version.decode(RECORDED[:-1] + b"\x00").relay is False


@pytest.mark.parametrize("time", [-(2**63), 2**63 - 1])
def test_r_b9_absurd_times_stay_numbers(time: int) -> None:
    data = RECORDED[:12] + time.to_bytes(8, "little", signed=True) + RECORDED[20:]
    assert Version.decode(data).time == time


@pytest.mark.parametrize("agent", [b"\xff\xfe", b"\x1b[2J", bytes(range(256))])
def test_r_b5_a_user_agent_is_bytes(agent: bytes) -> None:
    version = Version(70016, 0, 0, NOWHERE, user_agent=agent)
    assert Version.decode(version.encode()).user_agent == agent


def test_a_user_agent_has_at_most_256_bytes() -> None:
    with pytest.raises(Unencodable):
        Version(70016, 0, 0, NOWHERE, user_agent=bytes(257)).encode()
    longest = Version(70016, 0, 0, NOWHERE, user_agent=bytes(256)).encode()
    longer = longest.replace(b"\xfd\x00\x01", b"\xfd\x01\x01\x00", 1)
    with pytest.raises(LimitExceeded):
        Version.decode(longer)


@pytest.mark.parametrize(
    ("kind", "command"), [(WtxidRelay, "wtxidrelay"), (SendAddrV2, "sendaddrv2")]
)
def test_announcements_are_empty_and_begin_with_version_70016(kind: type, command: str) -> None:
    assert kind.command == command
    assert kind.since == 70016
    assert kind().encode() == b""
    assert kind.decode(b"") == kind()
    with pytest.raises(DecodeError):
        kind.decode(b"\0")
