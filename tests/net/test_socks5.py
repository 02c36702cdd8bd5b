"""Tests of bitpeer.net.socks5."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from bitpeer.errors import InvalidSetting, ProxyFailed, ProxyRefused
from bitpeer.net.socks5 import MAX_FIELD, REFUSALS, Command, Credentials, Negotiation

ME = Credentials("user", "pass")
ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
IPV4_REPLY = bytes.fromhex("05000001c00002071234")
IPV6_REPLY = bytes.fromhex("0500000420010db80000000000000000000000071234")
NAME_REPLY = bytes.fromhex("05000003") + b"\x03abc\x12\x34"
REPLIES = {IPV4_REPLY: "192.0.2.7", IPV6_REPLY: "2001:db8::7", NAME_REPLY: None}


def connect(host="192.0.2.1", port=8333, credentials=None, **how):
    return Negotiation(Command.CONNECT, host, port, credentials, **how)


def request(host, port=8333, command=Command.CONNECT):
    """What is asked for once the proxy lets us in."""
    return Negotiation(command, host, port).receive(b"\x05\x00")


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("192.0.2.1", "01 c0000201"),
        ("2001:db8::1", "04 20010db8000000000000000000000001"),
        ("::ffff:192.0.2.1", "04 00000000000000000000ffffc0000201"),
        ("node.example", "03 0c" + b"node.example".hex()),
        (ONION, "03 3e" + ONION.encode().hex()),
        ("a" * 255, "03 ff" + "61" * 255),
    ],
)
def test_r_h4_hosts_of_every_kind_are_told_to_the_proxy_as_they_are(host, said):
    assert request(host) == bytes.fromhex("050100" + said + "208d")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", ONION])
def test_tor_is_told_addresses_as_if_they_were_names(host):
    said = Negotiation(Command.CONNECT, host, 8333, by_name=True).receive(b"\5\0")
    assert said == b"\5\1\0\3" + bytes((len(host),)) + host.encode() + b"\x20\x8d"


def test_looking_a_name_up_is_a_command_of_its_own():
    said = request("node.example", 0, Command.RESOLVE)
    assert said == bytes.fromhex("05f000030c") + b"node.example" + bytes(2)


@pytest.mark.parametrize(
    ("credentials", "insist", "methods"),
    [(None, True, b"\0"), (None, False, b"\0"), (ME, True, b"\2"), (ME, False, b"\0\2")],
)
def test_what_is_offered_is_what_will_do(credentials, insist, methods):
    greeting = connect(credentials=credentials, insist=insist).greeting
    assert greeting == bytes((5, len(methods))) + methods


def test_credentials_are_presented_when_the_proxy_asks_for_them():
    negotiation = connect(credentials=ME)
    assert negotiation.receive(b"\5\2") == b"\1\4user\4pass"
    assert negotiation.receive(b"\1\0") == request("192.0.2.1")


def test_credentials_that_nobody_wants_to_see_are_kept():
    negotiation = connect(credentials=ME, insist=False)
    assert negotiation.receive(b"\5\0") == request("192.0.2.1")


def test_credentials_do_not_show():
    assert "pass" not in repr(ME)


@pytest.mark.parametrize("reply", REPLIES)
def test_the_address_in_the_reply_is_read_and_what_follows_is_the_targets(reply):
    negotiation = connect()
    negotiation.receive(b"\5\0")
    assert negotiation.receive(reply[:-1]) == b""
    assert not negotiation.done
    assert negotiation.receive(reply[-1:] + b"hello") == b""
    assert negotiation.done
    assert negotiation.address == REPLIES[reply]
    assert negotiation.rest == b"hello"


@pytest.mark.parametrize(
    ("come", "why"),
    [
        (b"\4\0", "does not speak SOCKS5, but began with 0400"),
        (b"HT", "does not speak SOCKS5, but began with 4854"),
        (b"\5\xff", "does not want our credentials"),
        (b"\5\0", "chose authentication 0, which nobody offered"),
        (b"\5\1", "chose authentication 1, which nobody offered"),
        (b"\5\2\5\0", "answered credentials with 0500"),
        (b"\5\2\1\1", "does not accept our credentials"),
        (b"\5\2\1\0\4\0\0\1", "answered a request with 04000001"),
        (b"\5\2\1\0\5\0\1\1", "answered a request with 05000101"),
        (b"\5\2\1\0\5\0\0\2", "answered with an address of the unknown kind 2"),
    ],
)
def test_what_a_proxy_may_not_say_ends_it(come, why):
    with pytest.raises(ProxyFailed, match=why):
        connect(credentials=ME).receive(come)


def test_a_proxy_that_wants_credentials_is_told_apart():
    with pytest.raises(ProxyFailed, match="does not want to let us in without credentials"):
        connect().receive(b"\5\xff")
    with pytest.raises(ProxyFailed, match="chose authentication 2, which nobody offered"):
        connect().receive(b"\5\2")


@pytest.mark.parametrize(("code", "why"), [*REFUSALS.items(), (9, "it does not say why")])
def test_a_refusal_says_why(code, why):
    negotiation = connect()
    negotiation.receive(b"\5\0")
    with pytest.raises(ProxyRefused) as caught:
        negotiation.receive(bytes((5, code, 0, 1)))
    assert (caught.value.code, caught.value.why) == (code, why)


@pytest.mark.parametrize("host", ["", "a" * 256, "a b", "a\0b", "bücher.example", "fe80::1%eth0"])
def test_a_host_that_cannot_be_told_is_refused(host):
    with pytest.raises(InvalidSetting, match="host is"):
        connect(host)


@pytest.mark.parametrize("port", [-1, 65_536, "80", True])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(InvalidSetting, match="port is"):
        connect(port=port)


@pytest.mark.parametrize("field", ["", "x" * 256, "ü" * 128])
@pytest.mark.parametrize("place", [0, 1])
def test_credentials_that_cannot_be_told_are_refused_and_not_shown(field, place):
    pair = ("x", field) if place else (field, "x")
    with pytest.raises(InvalidSetting, match=r"proxy (user|password) is '\.\.\.'"):
        connect(credentials=Credentials(*pair))


# Fuzz


def run(pieces, credentials=ME, insist=False):
    """Play a proxy that says *pieces*; return everything that became of it."""
    negotiation = connect(credentials=credentials, insist=insist)
    said, most = b"", 0
    try:
        for piece in pieces:
            said += negotiation.receive(piece)
            if not negotiation.done:
                most = max(most, len(negotiation.rest))
    except (ProxyFailed, ProxyRefused) as error:
        return said, str(error), None, most
    return said, negotiation.done, (negotiation.address, negotiation.rest), most


def cut(data, cuts):
    ends = sorted({0, len(data), *(each % (len(data) + 1) for each in cuts)})
    return [data[start:end] for start, end in pairwise(ends)]


STREAMS = st.one_of(
    st.binary(max_size=600),
    st.builds(
        lambda opening, reply, rest: opening + reply + rest,
        st.sampled_from([b"\5\0", b"\5\2\1\0"]),
        st.one_of(st.sampled_from(sorted(REPLIES)), st.binary(max_size=300)),
        st.binary(max_size=50),
    ),
)


@given(STREAMS, st.lists(st.integers(0, 1_000)))
def test_r_h1_any_bytes_in_any_slices_end_the_same_way(data, cuts):
    whole, sliced = run([data]), run(cut(data, cuts))
    assert sliced[1:3] == whole[1:3]
    if isinstance(whole[1], bool):
        assert sliced[0] == whole[0]
    assert sliced[3] <= MAX_FIELD + 2  # the most that a piece can have


@pytest.mark.parametrize("opening", [b"\5\0", b"\5\2\1\0"])
@pytest.mark.parametrize("reply", REPLIES)
def test_r_h1_a_conversation_cut_at_every_byte_is_the_same(opening, reply):
    data = opening + reply + b"hello"
    whole = run([data])
    assert whole[2] == (REPLIES[reply], b"hello")
    for size in range(1, len(data)):
        assert run([data[:size], data[size:]])[:3] == whole[:3]
        assert run([data[at : at + size] for at in range(0, len(data), size)])[:3] == whole[:3]


def test_r_h1_a_name_of_any_length_is_read_as_unsigned():
    """CVE-2017-18350 was a length of 255 taken for -1."""
    for length in (0, 127, 128, 255):
        reply = b"\5\0\5\0\0\3" + bytes((length,)) + b"x" * length + b"\0\0" + b"rest"
        assert run([reply], credentials=None)[2] == (None, b"rest")
        assert run([reply[:-7]], credentials=None)[1] is False or length == 0
