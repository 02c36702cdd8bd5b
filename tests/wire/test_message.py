from typing import Annotated

import pytest
from hypothesis import given, strategies as st

from bitpeer.errors import BadCommand, LocalError, TrailingBytes, Truncated, Unencodable
from bitpeer.wire.fields import Limit, Uint8
from bitpeer.wire.message import (
    ANY_SIZE,
    Malformed,
    Message,
    Record,
    Registry,
    Unknown,
    message,
    pad_command,
    record,
    unknown_entry,
)
from tests.toy import Hello, Say


@message("count", since=7, until=9)
class Count(Message):
    number: Uint8 = 3


class Tail(Message):
    """Written by hand: the payload backwards."""

    command = "tail"

    def __init__(self, text: bytes) -> None:
        self.text = text

    @classmethod
    def read(cls, data: bytes, pos: int = 0) -> tuple["Tail", int]:
        return cls(data[pos : pos + 4][::-1]), min(pos + 4, len(data))

    def encode(self) -> bytes:
        return self.text[::-1]


@message("many", max_size=9)
class Many(Message):
    """Its fields could have 65 bytes."""

    text: Annotated[bytes, Limit(64)]


# Records


def test_a_record_without_a_wire_form_says_so():
    class Mute(Record):
        pass

    with pytest.raises(LocalError, match="Mute has no reader"):
        Mute.read(b"")
    with pytest.raises(LocalError, match="Mute has no writer"):
        Mute().encode()


def test_a_record_written_by_hand_may_have_any_size():
    assert (Tail.min_size, Tail.max_size) == (0, ANY_SIZE)


@pytest.mark.parametrize("name", ["__init__", "__post_init__", "read", "decode", "encode"])
def test_what_is_declared_is_not_written_by_hand_as_well(name):
    body = {"__annotations__": {"number": Uint8}, name: lambda *_: None}
    with pytest.raises(TypeError, match=f"Both is declared, so it cannot have its own {name}"):
        record(type("Both", (Record,), body))


def test_what_is_declared_may_have_other_methods():
    @record
    class Double(Record):
        number: Uint8

        @property
        def twice(self) -> int:
            return 2 * self.number

    assert Double.read(b"\x04")[0].twice == 8


# Messages


def test_a_message_has_a_command_and_a_range_of_versions():
    assert (Count.command, Count.since, Count.until) == ("count", 7, 9)
    assert (Say.command, Say.since, Say.until) == ("say", 0, None)


@pytest.mark.parametrize("command", ["", "thirteen_char", "näme", "new\nline", "nul\0", "\x7f"])
def test_a_wrong_command_is_refused_where_it_is_declared(command):
    with pytest.raises(Unencodable, match="1 to 12 printable ASCII characters"):
        message(command)


def test_decoding_takes_the_whole_payload():
    assert Count.decode(b"\x05") == Count(5)
    with pytest.raises(Truncated):
        Count.decode(b"")
    with pytest.raises(TrailingBytes):
        Count.decode(b"\x05\x06")


def test_a_message_written_by_hand_is_decoded_as_strictly():
    assert Tail.decode(b"abcd").text == b"dcba"
    with pytest.raises(TrailingBytes) as caught:
        Tail.decode(b"abcdef")
    assert caught.value.count == 2


def test_a_message_of_an_unknown_kind_is_sent_as_it_came():
    unknown = Unknown("whatever", b"\x01\x02")
    assert unknown.encode() == b"\x01\x02"
    assert unknown == ("whatever", b"\x01\x02")


# Commands


@pytest.mark.parametrize("command", ["a", "sendheaders", "twelve_chars", "with space", "~!"])
def test_a_command_is_padded_with_nul(command):
    padded = pad_command(command)
    assert padded == command.encode() + bytes(12 - len(command))
    assert unknown_entry(padded).command == command


@pytest.mark.parametrize(
    "command", ["", "thirteen_char", "ü", "\ud800", "nul\0l", "tab\t", "\x7f", "x" * 10_000]
)
def test_what_is_no_command_cannot_be_sent(command):
    with pytest.raises(Unencodable) as caught:
        pad_command(command)
    assert len(str(caught.value)) < 200


def test_an_unknown_command_keeps_its_payload():
    entry = unknown_entry(b"whatever\0\0\0\0")
    assert (entry.command, entry.kind, entry.max_size) == ("whatever", Unknown, ANY_SIZE)
    assert entry.decode(b"payload") == Unknown("whatever", b"payload")


@pytest.mark.parametrize(
    "padded",
    [
        bytes(12),
        b"\0version\0\0\0\0",
        b"ver\0sion\0\0\0\0",
        b"version\0\0\0\0x",
        b"version\n\0\0\0\0",
        b"versi\xf6n\0\0\0\0\0",
        b"\x7f" * 12,
        b"\xff" * 12,
    ],
)
def test_r_b4_a_wrong_command_is_an_error_of_the_peer(padded):
    entry = unknown_entry(padded)
    assert (entry.command, entry.kind) == (padded.hex(), Malformed)
    with pytest.raises(BadCommand) as caught:
        entry.decode(b"payload")
    assert caught.value.command == padded


@given(st.binary(min_size=12, max_size=12))
def test_r_b4_any_twelve_bytes_are_a_command_or_refused(padded):
    entry = unknown_entry(padded)
    if entry.kind is Unknown:
        assert pad_command(entry.command) == padded
    else:
        with pytest.raises(BadCommand):
            entry.decode(b"")


def test_a_message_may_have_less_room_than_its_fields():
    assert (Many.min_size, Many.max_size) == (1, 9)
    assert Registry((Many,)).entries[pad_command("many")].max_size == 9
    assert Many(bytes(8)).encode() == b"\x08" + bytes(8)
    with pytest.raises(Unencodable, match="many cannot be encoded: 10 bytes exceed the limit of 9"):
        Many(bytes(9)).encode()


def test_room_that_the_fields_cannot_fill_changes_nothing():
    @message("few", max_size=9)
    class Few(Message):
        number: Uint8

    assert Few.max_size == 1


# Registries


def test_a_registry_finds_a_message_by_its_command():
    registry = Registry((Say, Count))
    assert registry.decode("count", b"\x05") == Count(5)
    assert registry.decode("say", b"\x02hi") == Say(b"hi")


def test_a_registry_holds_kinds():
    registry = Registry((Say, Count))
    assert list(registry) == [Say, Count]
    assert Say in registry
    assert Hello not in registry
    assert "say" not in registry


def test_a_registry_keeps_what_it_does_not_know():
    assert Registry(()).decode("say", b"\x02hi") == Unknown("say", b"\x02hi")


@pytest.mark.parametrize("command", ["__init__", "__class__", "class", "decode", "_kinds", "Say"])
def test_r_b12_only_the_table_decides_what_a_command_is(command):
    registry = Registry((Say, Count))
    assert registry.decode(command, b"\x05") == Unknown(command, b"\x05")
    assert pad_command(command) not in registry.entries


def test_an_entry_tells_how_to_decode_and_how_long_it_may_be():
    entry = Registry((Say, Count)).entries[b"count".ljust(12, b"\0")]
    assert (entry.command, entry.kind, entry.max_size) == ("count", Count, 1)
    assert entry.decode(b"\x05") == Count(5)


def test_of_two_messages_with_one_command_the_later_counts():
    @message("count")
    class Recount(Message):
        number: Uint8

    registry = Registry((Count, Say, Recount))
    assert list(registry) == [Recount, Say]
    assert registry.entries[pad_command("count")].kind is Recount


def test_a_registry_may_allow_less_than_the_fields_do():
    registry = Registry((Say, Count), limits={Say: 1, Count: 99}).extended(Tail)
    sizes = {entry.command: entry.max_size for entry in registry.entries.values()}
    assert (sizes["say"], sizes["count"]) == (1, 1)


def test_extending_a_registry_leaves_it_as_it_was():
    small = Registry((Say,))
    large = small.extended(Count, Tail)
    assert list(small) == [Say]
    assert list(large) == [Say, Count, Tail]
    assert large.decode("tail", b"abcd").text == b"dcba"
