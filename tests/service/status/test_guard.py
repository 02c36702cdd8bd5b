"""Tests of bitpeer.service.status.guard."""

import pytest
from twisted.web.test.requesthelper import DummyRequest

from bitpeer.service.status.guard import HEADERS, host_of, is_known, objection


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("localhost:8380", "localhost"),
        ("LOCALHOST", "localhost"),
        ("127.0.0.1:1", "127.0.0.1"),
        ("[::1]:8380", "::1"),
        ("[::1", "::1"),
        ("::1", ""),
        ("", ""),
    ],
)
def test_a_host_is_what_comes_before_the_port(header, host):
    assert host_of(header) == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "192.168.0.9", "::1", "node.lan"])
def test_addresses_and_names_of_this_machine_are_known(host):
    assert is_known(host, {"node.lan"})


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil", ""])
def test_any_other_name_may_be_another_sites(host):
    assert not is_known(host, {"node.lan"})


def asked(path=b"/", **headers):
    request = DummyRequest([b""])
    request.path = path
    request.requestHeaders.setRawHeaders("host", [headers.pop("host", "localhost:8380")])
    for name, value in headers.items():
        request.requestHeaders.setRawHeaders(name.replace("_", "-"), [value])
    return objection(request, ())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://localhost:8380"},
        {"origin": "https://localhost:8380"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
    ],
)
def test_who_comes_by_himself_is_welcome(headers):
    assert asked(**headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "path": b"/peers"},
        {"host": "evil.example"},
        {"host": b"\xff"},
        {"origin": b"http://\xff"},
    ],
)
def test_whom_another_site_sent_is_refused(headers):
    assert asked(**headers)


def test_without_a_host_nothing_is_told():
    request = DummyRequest([b""])
    assert objection(request, ())


def test_no_script_but_ours_runs_and_nothing_goes_elsewhere():
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
