import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given, strategies as st

from bitpeer.errors import (
    BadChecksum,
    BadCommand,
    Oversized,
    Unencodable,
    WrongNetwork,
)
from bitpeer.messages.control import Ping, Pong, VerAck
from bitpeer.wire.framing import (
    HEADER_SIZE,
    LARGE_PAYLOAD,
    SMALL_FRAME,
    Envelope,
    Frame,
    Framing,
)
from bitpeer.wire.message import Malformed, Registry, Unknown
from tests.toy import (
    DIALECT,
    MAGIC,
    MAX_PAYLOAD,
    MAX_TEXT,
    Hello,
    Say,
    envelope,
    frame,
    silly_checksum,
)


def framing(limit: int = MAX_PAYLOAD) -> Framing:
    return Framing(envelope(), limit)


def header(command: bytes, length: int) -> bytes:
    """Return a header that claims *length* bytes of payload."""
    return MAGIC + command.ljust(12, b"\0") + length.to_bytes(4, "little") + bytes(4)


Outcome = tuple[list[tuple[str, type, bytes, bytes]], type | None, str]


def outcome(pieces: Iterable[bytes]) -> Outcome:
    """Return what comes out of a framing fed with *pieces*, and how it ends."""
    frames, framing_ = [], framing()
    try:
        for piece in pieces:
            for entry, payload, checksum in framing_.feed(piece):
                frames.append((entry.command, entry.kind, payload, checksum))
    except Oversized as error:
        return frames, Oversized, str(error)
    except WrongNetwork as error:
        return frames, WrongNetwork, str(error)[:10]  # how much is shown depends on how much came
    return frames, None, f"{framing_.held} of {framing_.expected}"


def only(frames: Iterable[Frame]) -> Frame:
    (one,) = frames
    return one


# Cutting


def test_a_frame_yields_entry_payload_and_checksum():
    payload = Say(b"hello").encode()
    entry, got, checksum = only(framing().feed(frame(b"say", payload)))
    assert (entry.command, entry.kind) == ("say", Say)
    assert entry.decode(got) == Say(b"hello")
    assert got == payload
    assert checksum == silly_checksum(payload)[:4]


def test_a_frame_may_be_empty():
    entry, payload, _ = only(framing().feed(frame(b"verack")))
    assert entry.decode(payload) == VerAck()


SMALL = st.one_of(
    st.builds(lambda n: frame(b"ping", n.to_bytes(8, "little")), st.integers(0, 2**64 - 1)),
    st.builds(lambda t: frame(b"say", Say(t).encode()), st.binary(max_size=40)),
    st.builds(lambda p: frame(b"whatever", p), st.binary(max_size=40)),
    st.sampled_from(
        [
            frame(b"verack"),
            frame(b"ping", bytes(8))[:-1] + b"!",
            frame(b"say\0hello", b"hello"),
            frame(b"\xff" * 12),
            frame(b""),
        ]
    ),
)
LARGE = st.sampled_from(
    [
        frame(b"whatever", b"x" * (SMALL_FRAME - HEADER_SIZE)),
        frame(b"whatever", b"x" * SMALL_FRAME),
        frame(b"say", b"x" * (SMALL_FRAME + 1)),
        frame(b"say", b"x" * SMALL_FRAME * 3),
        frame(b"say", b"x" * SMALL_FRAME * 3)[:-1] + b"!",
    ]
)
END = st.sampled_from(
    [
        frame(b"ping", bytes(9)),
        header(b"say", MAX_TEXT + 6),
        header(b"whatever", MAX_PAYLOAD + 1),
        frame(b"ping", bytes(8), magic=b"toy?"),
        b"GET / HTTP/1.1\r\n\r\n",
        b"to",
        b"",
    ]
)


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Return a stream, and the same cut into pieces."""
    stream = b"".join(draw(st.lists(SMALL | LARGE, max_size=6))) + draw(END)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    edges = zip([0, *cuts], [*cuts, len(stream)], strict=True)
    return stream, [stream[start:end] for start, end in edges]


@given(cut_streams())
def test_any_slicing_of_a_stream_yields_the_same(cut):
    stream, pieces = cut
    assert b"".join(pieces) == stream
    assert outcome(pieces) == outcome([stream])


@given(st.lists(SMALL, max_size=4), END)
def test_bytes_may_dribble(frames, end):
    stream = b"".join([*frames, end])
    assert outcome(bytes([byte]) for byte in stream) == outcome([stream])


@pytest.mark.parametrize(
    "size", [0, 1, 4095 - 24, 4096 - 24, 4095, 4096, 4097, 32_767, 32_768, MAX_TEXT]
)
def test_a_frame_may_be_cut_anywhere(size):
    raw = frame(b"whatever", bytes(size))
    cuts = {1, 3, 4, 5, 23, 24, 25, 24 + size // 2, len(raw) - 1} & set(range(1, len(raw)))
    for cut in cuts:
        framing_ = framing()
        assert list(framing_.feed(raw[:cut])) == []
        assert framing_.held > 0 or cut == HEADER_SIZE
        assert framing_.expected > framing_.held
        _, payload, _ = only(framing_.feed(raw[cut:]))
        assert payload == bytes(size)
        assert (framing_.held, framing_.expected) == (0, 0)


def test_what_follows_a_large_frame_is_not_lost():
    framing_ = framing()
    large, small = frame(b"say", Say(bytes(9000)).encode()), frame(b"verack")
    assert list(framing_.feed(small + large[:5000])) != []
    commands = [entry.command for entry, _, _ in framing_.feed(large[5000:] + small + small[:7])]
    assert commands == ["say", "verack"]
    assert framing_.held == 7


@pytest.mark.parametrize("size", [0, 10, 30, 5000])
def test_nothing_comes_of_nothing(size):
    framing_ = framing()
    assert list(framing_.feed(frame(b"whatever", bytes(9000))[:size])) == []
    before = (framing_.held, framing_.expected)
    assert list(framing_.feed(b"")) == []
    assert (framing_.held, framing_.expected) == before


def test_iteration_can_stop_and_go_on():
    framing_ = framing()
    stream = framing_.feed(b"".join(frame(b"ping", bytes([n]) + bytes(7)) for n in range(5)))
    first, second = next(stream), next(stream)
    assert (first[1][0], second[1][0]) == (0, 1)
    assert [payload[0] for _, payload, _ in stream] == [2, 3, 4]
    assert framing_.held == 0


def test_nothing_is_looked_at_before_it_is_asked_for():
    stream = framing().feed(frame(b"verack") + b"no frame at all, and longer than a header")
    assert next(stream)[0].kind is VerAck
    with pytest.raises(WrongNetwork):
        next(stream)


# What is kept


def test_what_is_held_and_expected_of_a_small_frame():
    framing_, raw = framing(), frame(b"ping", bytes(8))
    seen = []
    for byte in raw[:-1]:
        assert list(framing_.feed(bytes([byte]))) == []
        seen.append((framing_.held, framing_.expected))
    assert seen == [(held, 24 if held < 24 else 32) for held in range(1, 32)]


def test_what_is_held_and_expected_of_a_large_frame():
    framing_, raw = framing(), frame(b"whatever", bytes(9000))
    assert (framing_.held, framing_.expected) == (0, 0)
    for fed in range(100, 9000, 100):
        assert list(framing_.feed(raw[fed - 100 : fed])) == []
        if fed > HEADER_SIZE:
            assert (framing_.held, framing_.expected) == (fed - HEADER_SIZE, 9000)


def test_a_large_frame_in_small_pieces_costs_no_more_than_its_bytes():
    framing_, raw = framing(), frame(b"whatever", bytes(100_000))
    pieces = [raw[at : at + 2] for at in range(0, len(raw) - 2, 2)]
    tracemalloc.start()
    for piece in pieces:
        list(framing_.feed(piece))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert framing_.held == 100_000 - 2
    assert used < 110_000


def test_a_large_frame_in_large_pieces_is_not_copied_before_it_is_complete():
    framing_, raw = framing(), frame(b"whatever", bytes(100_000))
    pieces = [raw[at : at + 20_000] for at in range(0, 100_000, 20_000)]
    list(framing_.feed(pieces[0]))
    tracemalloc.start()
    for piece in pieces[1:]:
        list(framing_.feed(piece))
    used, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < peak + 1 < 4096


class Counted(bytes):
    """Bytes that count how many of them were copied out."""

    copied = 0

    def __getitem__(self, key):
        part = super().__getitem__(key)
        self.copied += len(part)
        return part


@pytest.mark.parametrize("count", [10, 1000, 10_000])
def test_r_a12_the_cost_of_a_message_does_not_grow_with_the_burst(count):
    burst = Counted(frame(b"ping", bytes(8)) * count)
    assert sum(1 for _ in framing().feed(burst)) == count
    assert burst.copied == 8 * count


def test_r_a12_a_burst_is_not_taken_apart_beforehand():
    burst = frame(b"say", Say(bytes(1000)).encode()) * 1000
    stream = framing().feed(burst)
    tracemalloc.start()
    for _ in stream:
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24_576


# Lies


LYING = [
    (b"say", Say.max_size),
    (b"version", Hello.max_size),
    (b"verack", 0),
    (b"ping", 8),
    (b"inv", 50_000 * 36 + 3),
    (b"whatever", MAX_PAYLOAD),
    (b"nul\0within", MAX_PAYLOAD),
    (b"\xff" * 12, MAX_PAYLOAD),
]


@pytest.mark.parametrize(("command", "cap"), LYING)
@pytest.mark.parametrize("excess", [1, 2**31 - 1, 2**32 - 1])
def test_r_a1_a_lying_header_allocates_nothing(command, cap, excess):
    cap = min(cap, MAX_PAYLOAD)
    length = cap + 1 if excess == 1 else excess
    framing_ = framing()
    tracemalloc.start()
    with pytest.raises(Oversized) as caught:
        list(framing_.feed(header(command, length)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16_384
    assert (caught.value.length, caught.value.limit) == (length, cap)
    assert len(str(caught.value)) < 512


@pytest.mark.parametrize(("command", "cap"), LYING)
def test_r_a1_an_honest_header_allocates_nothing_either(command, cap):
    cap = min(cap, MAX_PAYLOAD)
    framing_ = framing()
    tracemalloc.start()
    frames = list(framing_.feed(header(command, cap)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16_384
    assert [entry.kind for entry, _, _ in frames] == ([] if cap else [VerAck])
    assert framing_.held <= HEADER_SIZE


def test_the_limit_of_the_moment_counts_too():
    framing_ = framing(limit=100)
    assert only(framing_.feed(frame(b"say", Say(bytes(99)).encode())))[0].kind is Say
    with pytest.raises(Oversized) as caught:
        list(framing_.feed(frame(b"say", Say(bytes(100)).encode())))
    assert (caught.value.command, caught.value.length, caught.value.limit) == ("say", 101, 100)
    framing_ = framing(limit=100)
    framing_.limit = 1000
    assert only(framing_.feed(frame(b"say", Say(bytes(100)).encode())))[0].kind is Say


def test_a_limit_that_rises_between_two_frames_holds_for_the_second():
    framing_ = framing(limit=100)
    stream = framing_.feed(frame(b"verack") + frame(b"say", Say(bytes(500)).encode()))
    assert next(stream)[0].kind is VerAck
    framing_.limit = 1000
    assert next(stream)[0].kind is Say


def test_two_equal_frames_are_equally_wrong():
    bad = frame(b"ping", bytes(8))[:-1] + b"!"
    entries = [entry.kind for entry, _, _ in framing().feed(bad + frame(b"ping", bytes(8)) + bad)]
    assert entries == [Malformed, Ping, Malformed]


@pytest.mark.parametrize("good", range(4))
def test_wrong_magic_is_seen_at_the_first_wrong_byte(good):
    framing_ = framing()
    assert only(framing_.feed(frame(b"verack") + MAGIC[:good]))[0].kind is VerAck
    with pytest.raises(WrongNetwork) as caught:
        list(framing_.feed(b"?"))
    assert caught.value.magic == MAGIC[:good] + b"?"


@pytest.mark.parametrize("size", [1, 4, 23, 24, 25, 100_000])
def test_wrong_magic_is_seen_however_much_follows(size):
    with pytest.raises(WrongNetwork) as caught:
        list(framing().feed(b"GET / HTTP/1.1".ljust(100_000)[:size]))
    assert caught.value.magic == b"GET "[:size]


# Bad frames in a good stream


@pytest.mark.parametrize("size", [0, 5, SMALL_FRAME, 10_000])
@pytest.mark.parametrize("cut", [0, 30])
def test_a_bad_checksum_leaves_the_stream_alive(size, cut):
    payload = bytes(size)
    bad = MAGIC + b"whatever".ljust(12, b"\0") + size.to_bytes(4, "little") + b"oops" + payload
    framing_ = framing()
    frames = list(framing_.feed(bad[:cut]))
    frames += framing_.feed(bad[cut:] + frame(b"verack"))
    (entry, got, checksum), (good, _, _) = frames
    assert (entry.command, entry.kind, got, checksum) == ("whatever", Malformed, payload, b"oops")
    with pytest.raises(BadChecksum) as caught:
        entry.decode(got)
    assert caught.value.command == "whatever"
    assert good.kind is VerAck


@pytest.mark.parametrize("bad", [{0}, {3, 4}, {0, 9}, set(range(10))])
def test_only_frames_with_a_bad_checksum_are_blamed_for_it(bad):
    good, wrong = frame(b"ping", bytes(8)), frame(b"ping", bytes(8))[:-1] + b"!"
    stream = b"".join(wrong if number in bad else good for number in range(10))
    found = [entry.kind for entry, _, _ in framing().feed(stream)]
    assert found == [Malformed if number in bad else Ping for number in range(10)]


def test_the_next_frame_of_the_same_kind_is_good_again():
    good = frame(b"ping", bytes(8))
    first, second = framing().feed(good[:-1] + b"\x01" + good)
    assert (first[0].kind, second[0].kind) == (Malformed, Ping)


@pytest.mark.parametrize(
    "command", [b"", b"\0ping", b"pi\0ng", b"p\xf6ng", b"ping\n", b"\xff" * 12]
)
def test_r_b4_a_bad_command_leaves_the_stream_alive(command):
    (entry, payload, _), (good, _, _) = framing().feed(frame(command, b"hi") + frame(b"verack"))
    assert (entry.kind, payload) == (Malformed, b"hi")
    with pytest.raises(BadCommand):
        entry.decode(payload)
    assert good.kind is VerAck


@pytest.mark.parametrize(
    "command", [b"whatever", b"PING", b"pings", b"__init__", b"class", b"feed"]
)
def test_r_b12_a_command_in_no_table_is_unknown(command):
    entry, payload, _ = only(framing().feed(frame(command, b"hi")))
    assert entry.decode(payload) == Unknown(command.decode(), b"hi")
    assert entry.max_size == MAX_PAYLOAD


# Wrapping


def test_a_message_becomes_a_frame():
    assert envelope().wrap(Ping(7)) == (frame(b"ping", b"\x07" + bytes(7)),)
    assert framing().wrap(VerAck()) == (frame(b"verack"),)
    assert envelope().wrap(Unknown("whatever", b"hi")) == (frame(b"whatever", b"hi"),)


def test_what_is_wrapped_can_be_fed():
    for message in (Hello(1, 2, 3, 4), Say(b"hi"), Say(bytes(MAX_TEXT)), VerAck()):
        entry, payload, _ = only(framing().feed(b"".join(envelope().wrap(message))))
        assert entry.decode(payload) == message


def test_a_large_payload_is_not_copied_behind_its_header():
    payload = bytes(LARGE_PAYLOAD)
    head, body = envelope().wrap(Unknown("whatever", payload))
    assert body is payload
    assert head + body == frame(b"whatever", payload)
    assert len(envelope().wrap(Unknown("whatever", payload[1:]))) == 1


class Spoken:
    """Counts how often it is encoded."""

    command = "say"

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.encoded = 0

    def encode(self) -> bytes:
        self.encoded += 1
        return self.payload


class Sealed(Spoken):
    """A view of bytes, with room for what is known of them."""

    seal = None


def test_a_message_for_many_peers_is_encoded_once():
    envelope_, message = envelope(), Spoken(b"hi")
    (first,) = envelope_.wrap(message)
    (second,) = envelope_.wrap(message)
    assert second is first
    assert message.encoded == 1


def test_only_the_same_message_counts_as_the_same():
    class Equal(Spoken):
        __hash__ = None

        def __eq__(self, other: object) -> bool:
            return True

    envelope_, one, other = envelope(), Equal(b"hi"), Equal(b"ho")
    assert envelope_.wrap(one) == (frame(b"say", b"hi"),)
    assert envelope_.wrap(other) == (frame(b"say", b"ho"),)
    assert envelope_.wrap(one) == (frame(b"say", b"hi"),)


def test_a_large_message_is_not_kept():
    envelope_, message = envelope(), Spoken(bytes(LARGE_PAYLOAD))
    assert envelope_.wrap(message) == envelope_.wrap(message)
    assert message.encoded == 2


def test_a_checksum_that_is_known_is_not_computed():
    (raw,) = envelope().wrap(Ping(7), b"seal")
    assert raw[20:24] == b"seal"


def test_a_view_of_bytes_remembers_its_checksum():
    hashed = []

    def checksum(data: bytes) -> bytes:
        hashed.append(data)
        return silly_checksum(data)

    message, other = Sealed(b"hi"), Say(b"")
    one, two = (Envelope(magic, checksum, DIALECT.registry, 99) for magic in (MAGIC, b"toy2"))
    first = one.wrap(message)
    assert message.seal == (checksum, silly_checksum(b"hi")[:4])
    one.wrap(other)
    assert one.wrap(message) == first == (frame(b"say", b"hi"),)
    assert two.wrap(message) == (frame(b"say", b"hi", magic=b"toy2"),)
    assert hashed.count(b"hi") == 1


def test_a_checksum_of_another_kind_is_not_mistaken_for_ours():
    message = Sealed(b"hi")
    other = Envelope(MAGIC, lambda _: b"other", DIALECT.registry, 99)
    other.wrap(message)
    assert envelope().wrap(message) == (frame(b"say", b"hi"),)
    assert message.seal == (silly_checksum, silly_checksum(b"hi")[:4])


def test_a_nonce_can_be_sent_back_as_it_came():
    payload = Ping(7).encode()
    pong = framing().pong_head + silly_checksum(payload)[:4] + payload
    assert pong == b"".join(envelope().wrap(Pong(7)))


def test_a_message_that_cannot_be_encoded_is_not_wrapped():
    envelope_ = envelope()
    with pytest.raises(Unencodable, match=r"Ping\.nonce"):
        envelope_.wrap(Ping(-1))
    with pytest.raises(Unencodable, match="command"):
        envelope_.wrap(Unknown("much too long a command", b""))


def test_prefixes_are_remembered_but_not_without_end():
    envelope_ = envelope()
    assert envelope_.prefix("ping") is envelope_.prefix("ping")
    for number in range(1100):
        assert envelope_.prefix(f"c{number}") == MAGIC + f"c{number}".encode().ljust(12, b"\0")
    assert envelope_.prefix("ping") is envelope_.prefix("ping")
    assert envelope_.prefix("c1099") is not envelope_.prefix("c1099")


# Tables


def test_no_message_may_be_larger_than_the_network_allows():
    small = Envelope(MAGIC, silly_checksum, DIALECT.registry, 50)
    sizes = {entry.command: entry.max_size for entry in small.table.values()}
    assert sizes == {"version": 50, "say": 50, "inv": 50, "verack": 0, "ping": 8, "pong": 8}
    assert small.entry(MAGIC + b"whatever\0\0\0\0").max_size == 50


def test_a_table_knows_each_command_of_the_registry():
    table = envelope().table
    assert {entry.kind for entry in table.values()} == set(DIALECT.registry)
    assert all(envelope().entry(key).kind is entry.kind for key, entry in table.items())


def test_an_envelope_without_messages_knows_frames_all_the_same():
    framing_ = Framing(Envelope(MAGIC, silly_checksum, Registry(()), 99), 99)
    entry, payload, _ = only(framing_.feed(frame(b"ping", bytes(8))))
    assert entry.decode(payload) == Unknown("ping", bytes(8))


def test_nothing_is_wrapped_that_peers_would_not_take():
    paper = envelope()
    longest = Unknown("say", bytes(MAX_PAYLOAD))
    assert sum(map(len, paper.wrap(longest))) == HEADER_SIZE + MAX_PAYLOAD
    with pytest.raises(Unencodable, match="exceed the limit"):
        paper.wrap(Unknown("say", bytes(MAX_PAYLOAD + 1)))


@pytest.mark.parametrize("size", [3, 50_000])
def test_bytes_that_change_later_are_sent_as_they_were(size):
    paper, payload = envelope(), bytearray(size)
    message = Unknown("say", payload)
    before = b"".join(paper.wrap(message))
    waiting = paper.wrap(message)
    payload[0] = 1
    assert b"".join(waiting) == before == frame(b"say", bytes(size))
    assert b"".join(paper.wrap(message)) == frame(b"say", bytes(payload))
