"""Tests of bitpeer.net.places."""

import pytest

from bitpeer.errors import InvalidSetting
from bitpeer.net.places import (
    endpoint_description,
    listening_description,
    misread,
    named_host,
    split_host_port,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("node.example", "node.example", 7),
        ("node.example:8333", "node.example", 8333),
        ("192.0.2.1:1", "192.0.2.1", 1),
        ("2001:db8::1", "2001:db8::1", 7),
        ("[2001:db8::1]", "2001:db8::1", 7),
        ("[2001:db8::1]:65535", "2001:db8::1", 65535),
        ("fe80::1%eth0", "fe80::1%eth0", 7),
        ("node.example.:5", "node.example.", 5),
        ("a1-b.4d.example", "a1-b.4d.example", 7),
        ("x" * 56 + ".onion:8333", "x" * 56 + ".onion", 8333),
        (".".join(["a" * 63] * 3 + ["b" * 61]), ".".join(["a" * 63] * 3 + ["b" * 61]), 7),
    ],
)
def test_host_and_port_are_told_apart(text, host, port):
    assert split_host_port(text, 7) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            ":8333",
            "host:",
            "host:0",
            "host:65536",
            "host:http",
            "host:+1",
            "[::1",
            "[::1]8333",
        ),
        *("nonsense:::", "[nonsense]:1", "[192.0.2.1]:1", "[]:1", "fe80::1%", "fe80::1%\x1b"),
        *("1.2.3.4.5:1", "1.2.3:1", "256.1.1.1", "7", "a.7", "\u0663:1"),
        *("a..b:1", ".a", "a" * 64, ".".join(["a" * 63] * 4), "-a:1", "a-:1", "a_b:1", "."),
        *(" ", "127.0.0.1 :1", " 127.0.0.1:1", "host\n:1", "\x1b[2J:1", "\udcff:1", "é:1"),
        *("http://x:1", "user@host:1", "::1\n", "gggg::1"),
    ],
)
def test_what_is_neither_is_refused(text):
    with pytest.raises(InvalidSetting, match="expected host, host:port"):
        split_host_port(text, 7)


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("node.example", "tcp:node.example:7"),
        ("tcp.example:5", "tcp:tcp.example:5"),
        ("[::1]:8333", r"tcp:\:\:1:8333"),
        ("tcp:192.0.2.1:8333:timeout=99999", "tcp:192.0.2.1:8333:timeout=99999"),
        ("TLS:node.example:8333", "TLS:node.example:8333"),
        ("unix:/run/99999:timeout=5", "unix:/run/99999:timeout=5"),
        ("plugin:host=x", "plugin:host=x"),
        (r"tcp:fe80\:\:1:8333", r"tcp:fe80\:\:1:8333"),
        ("tcp:node.example:port=1", "tcp:node.example:port=1"),
        ("tcp:1:host=node.example", "tcp:1:host=node.example"),
        ("ssl:port=1:host=node.example", "ssl:port=1:host=node.example"),
        ("unix:path=/run/peers", "unix:path=/run/peers"),
    ],
)
def test_what_is_dialled_becomes_a_description(text, description):
    assert endpoint_description(text, 7) == description


@pytest.mark.parametrize(
    "text",
    [
        *("tcp:host:65536", "tcp:host=x:port=99999", "tls:h:70000:timeout=1", "tcp:host:0"),
        *("tcp:host=h:port=-5", "tcp:host:http", "tcp:host", "tcp:", "ssl:", "tcp::1"),
        *("tcp:a..b:1", "tcp:1.2.3.4.5:1", "tls: :1", "tcp:timeout=5"),
    ],
)
def test_descriptions_of_what_nobody_can_dial_are_refused(text):
    with pytest.raises(InvalidSetting, match=r"expected (tcp|ssl|tls):host:port, with a") as caught:
        endpoint_description(text, 7)
    assert caught.value.value == text


@pytest.mark.parametrize("text", ["tcp:65536", "ssl:port=70000", "tcp6:http", "tcp:", "tcp:h:1"])
def test_descriptions_of_ports_that_cannot_be_are_refused(text):
    with pytest.raises(InvalidSetting, match=":port, with a port from 0 to 65535"):
        listening_description(text, 7)


@pytest.mark.parametrize("text", ["unix:", "unix:timeout=5", "unix:/" + 107 * "x"])
def test_a_socket_in_the_file_system_has_a_path(text):
    for read in (endpoint_description, listening_description):
        with pytest.raises(InvalidSetting, match="expected unix:path"):
            read(text, 7)


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("8333", "tcp:8333"),
        (":8333", "tcp:8333"),
        ("0", "tcp:0"),
        ("127.0.0.1", "tcp:7:interface=127.0.0.1"),
        ("127.0.0.1:0", "tcp:0:interface=127.0.0.1"),
        ("localhost:8333", "tcp:8333:interface=127.0.0.1"),
        ("::", r"tcp6:7:interface=\:\:"),
        ("::0", r"tcp6:7:interface=\:\:0"),
        ("[::1]:0", r"tcp6:0:interface=\:\:1"),
        ("tcp:8333", "tcp:8333"),
        ("unix:/run/peers", "unix:/run/peers"),
        ("unix:address=/run/peers", "unix:address=/run/peers"),
        ("systemd:domain=INET:index=0", "systemd:domain=INET:index=0"),
        ("plugin:option=1", "plugin:option=1"),
    ],
)
def test_where_to_listen_becomes_a_description(text, description):
    assert listening_description(text, 7) == description


@pytest.mark.parametrize(
    "text", ["65536", "", " 8333", "node.example", "node.example:8333", "127.0.0.1:65536", "a..b"]
)
def test_where_nobody_can_listen_is_refused(text):
    expected = "port, address or address:port, with an IP address of this machine and a port up"
    with pytest.raises(InvalidSetting, match=f"expected {expected} to 65535") as caught:
        listening_description(text, 7)
    assert caught.value.value == text


@pytest.mark.parametrize(
    ("description", "named"),
    [
        ("tcp:node.example:7", ("node.example", 7, True)),
        ("TCP:node.example:7", ("node.example", 7, True)),
        (r"tcp:2001\:db8\:\:1:7", ("2001:db8::1", 7, True)),
        ("tcp:port=7:host=node.example", ("node.example", 7, True)),
        ("tcp:node.example:7:timeout=5", ("node.example", 7, False)),
        ("unix:/run/peers", None),
        ("socks5:192.0.2.1:9050:node.example:7", None),
    ],
)
def test_a_description_may_name_a_host_and_no_more(description, named):
    assert named_host(description) == named


def test_a_description_is_made_of_words():
    assert words_of(r"tls:node.example:port=7:bind\:here") == ["node.example", "7", "bind:here"]


@pytest.mark.parametrize(
    ("error", "place", "why"),
    [
        (NameError("SSL"), "ssl:a:1", "ssl: needs the package pyOpenSSL"),
        (ImportError(), "TLS:a:1", "TLS: needs the package pyOpenSSL"),
        (ImportError("gone"), "tcp:a:1", r"that Twisted can read \(gone\)"),
        (TypeError("argument 3"), "tcp:a:1", "tcp: has other parts, or more of them"),
        (IndexError(), "tcp:a:1", r"\(IndexError\)"),
        (IndexError("1"), "haproxy:systemd:index=1", "no service manager has passed such a socket"),
    ],
)
def test_what_twisted_could_not_read_is_said_in_words(error, place, why):
    assert misread("connect", place, error).setting == "connect"
    with pytest.raises(InvalidSetting, match=why):
        raise misread("connect", place, error)
