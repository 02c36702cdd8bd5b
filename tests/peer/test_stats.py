"""Everything that can be told about a peer."""

from dataclasses import FrozenInstanceError, fields

import pytest

from bitpeer.peer.stats import PeerSnapshot


def snapshot() -> PeerSnapshot:
    """Return a snapshot with a value of its own in every field."""
    names = [field.name for field in fields(PeerSnapshot)]
    return PeerSnapshot(**{name: number for number, name in enumerate(names)})


def test_a_snapshot_has_all_that_the_seeds_tell() -> None:
    # StatsSnap in both seeds, and what the issue adds.
    assert {field.name for field in fields(PeerSnapshot)} >= {
        "id",
        "address",
        "services",
        "last_send",
        "last_receive",
        "bytes_sent",
        "bytes_received",
        "connected_at",
        "time_offset",
        "version",
        "user_agent",
        "inbound",
        "starting_height",
        "last_block",
        "last_ping_nonce",
        "last_ping_at",
        "latency",
        "min_latency",
        "disconnect_reason",
        "queued_bytes",
    }


def test_a_snapshot_stays_as_it_was_taken() -> None:
    taken = snapshot()
    with pytest.raises(FrozenInstanceError):
        taken.bytes_sent = 1
    assert taken == snapshot()
