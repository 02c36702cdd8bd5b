"""Tests of bitpeer.net.places."""

import pytest

from bitpeer.errors import InvalidSetting
from bitpeer.net.places import endpoint_description, listening_description, split_host_port


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("node.example", "node.example", 7),
        ("node.example:8333", "node.example", 8333),
        ("192.0.2.1:1", "192.0.2.1", 1),
        ("2001:db8::1", "2001:db8::1", 7),
        ("[2001:db8::1]", "2001:db8::1", 7),
        ("[2001:db8::1]:65535", "2001:db8::1", 65535),
    ],
)
def test_host_and_port_are_told_apart(text, host, port):
    assert split_host_port(text, 7) == (host, port)


@pytest.mark.parametrize(
    "text",
    ["", ":8333", "host:", "host:0", "host:65536", "host:http", "host:+1", "[::1", "[::1]8333"],
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
    ],
)
def test_what_is_dialled_becomes_a_description(text, description):
    assert endpoint_description(text, 7) == description


@pytest.mark.parametrize(
    "text", ["tcp:host:65536", "tcp:host=x:port=99999", "tls:h:70000:timeout=1"]
)
def test_descriptions_with_a_port_that_cannot_be_are_refused(text):
    with pytest.raises(InvalidSetting, match="a port up to 65535"):
        endpoint_description(text, 7)
    with pytest.raises(InvalidSetting, match="a port up to 65535"):
        listening_description(text, 7)


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
        ("systemd:domain=INET:index=0", "systemd:domain=INET:index=0"),
        ("plugin:option=1", "plugin:option=1"),
    ],
)
def test_where_to_listen_becomes_a_description(text, description):
    assert listening_description(text, 7) == description


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("65536", "a port from 0 to 65535"),
        ("", "host, host:port"),
        ("node.example", "an IP address of this machine"),
        ("node.example:8333", "an IP address of this machine"),
        ("127.0.0.1:65536", "a port from 1 to 65535"),
    ],
)
def test_where_nobody_can_listen_is_refused(text, expected):
    with pytest.raises(InvalidSetting, match=expected) as caught:
        listening_description(text, 7)
    assert caught.value.value == text
