"""Tests of bitpeer.service.byhttps, with a real seed on loopback."""

import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import reactor
from twisted.internet._sslverify import IOpenSSLTrustRoot
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    SSL4ServerEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.internet.task import Clock
from twisted.protocols.policies import WrappingFactory
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site
from zope.interface import implementer

from bitpeer.dialect import HttpsSeed
from bitpeer.errors import Disconnected, MissingExtra, NoRoute
from bitpeer.net.routes import Routes
from bitpeer.service.byhttps import MAX_RECEIVED, PATIENCE, ByHttps, _Body
from bitpeer.service.seeds import Address

SEED = HttpsSeed("seed.example")
REPLY = (
    b'{"host":"20.1.1.1:9108","services":1,"pver":11}\n'
    b'{"host":"[2a00:1450::8]:19108","services":5,"pver":11}\n'
    b'{"host":"a poem"}\n'
)
FOUND = [Address("20.1.1.1", 9108), Address("2a00:1450::8", 19108)]


def certificate(host, path):
    """Write a certificate that *host* has made for itself, and its key, to a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@implementer(IOpenSSLTrustRoot)
class Trust:
    """Trusts one certificate."""

    def __init__(self, path):
        self.path = path

    def _addCACertsToContext(self, context):  # noqa: N802
        context.load_verify_locations(str(self.path))


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return certificate(SEED.host, tmp_path_factory.mktemp("ours") / "pem")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    return certificate("other.example", tmp_path_factory.mktemp("theirs") / "pem")


class Seed(Resource):
    """Answers what the test says."""

    isLeaf = True  # noqa: N815

    def __init__(self, body=REPLY, code=200, headers=0):
        super().__init__()
        self.body, self.code, self.headers = body, code, headers
        self.requests = []

    def render_GET(self, request):  # noqa: N802
        self.requests.append(request)
        request.setResponseCode(self.code)
        for number in range(self.headers):
            request.setHeader(f"X-{number}", "x" * 1_000)
        return self.body


class Way(Routes):
    """Leads to loopback, whatever one wants to reach."""

    def __init__(self, port):
        super().__init__(reactor)
        self.port = port
        self.asked = []

    def endpoint(self, host, port):
        self.asked.append((host, port))
        return TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)


class Visits(WrappingFactory):
    """Knows who is still connected."""

    noisy = False
    left = None

    def unregisterProtocol(self, protocol):  # noqa: N802
        super().unregisterProtocol(protocol)
        if self.left is not None and not self.protocols:
            self.left.callback(None)

    async def end(self):
        if self.protocols:
            self.left = Deferred()
            await self.left.addTimeout(20, reactor)


@asynccontextmanager
async def listening(resource, shown):
    """Let a seed listen, with a certificate; yield the way to it."""
    visits = Visits(Site(resource, timeout=None))
    context = DefaultOpenSSLContextFactory(str(shown), str(shown))
    endpoint = SSL4ServerEndpoint(reactor, 0, context, interface="127.0.0.1")
    port = await endpoint.listen(visits)
    try:
        yield Way(port.getHost().port)
    finally:
        await port.stopListening()
        await visits.end()


async def ask(resource, shown, trusted=None, clock=reactor):
    """Ask a seed that shows one certificate, trusting that of another, or the same."""
    async with listening(resource, shown) as way:
        return await ByHttps(clock, way, trust=Trust(trusted or shown))(SEED), way


@pytest_twisted.ensureDeferred
async def test_a_seed_is_asked_for_addresses(ours):
    seed = Seed()
    found, way = await ask(seed, ours)
    assert found == FOUND
    assert way.asked == [("seed.example", 443)]
    (request,) = seed.requests
    assert request.uri == b"/api/addrs?services=1"
    assert request.getHeader(b"host") == b"seed.example"


@pytest_twisted.ensureDeferred
async def test_whom_nobody_certifies_is_not_believed(ours, theirs):
    with pytest.raises(Disconnected, match="certificate verify failed"):
        await ask(Seed(), ours, theirs)


@pytest_twisted.ensureDeferred
async def test_who_is_certified_to_be_somebody_else_is_not_believed(theirs, logged_failures):
    with pytest.raises(Disconnected):
        await ask(Seed(), theirs)
    logged_failures.claim()  # pyOpenSSL cannot raise through C, so Twisted logs it


@pytest_twisted.ensureDeferred
async def test_by_default_those_are_trusted_whom_the_machine_trusts(ours):
    async with listening(Seed(), ours) as way:
        with pytest.raises(Disconnected, match="certificate verify failed"):
            await ByHttps(reactor, way)(SEED)


@pytest_twisted.ensureDeferred
async def test_another_status_than_ok_is_no_answer(ours):
    with pytest.raises(Disconnected, match="it answers with status 404"):
        await ask(Seed(code=404), ours)


@pytest_twisted.ensureDeferred
async def test_of_an_endless_answer_the_beginning_is_used(ours):
    found, _ = await ask(Seed(REPLY + b"x" * 10 * MAX_RECEIVED), ours)
    assert found == FOUND


@pytest_twisted.ensureDeferred
async def test_endless_headers_are_no_answer(ours):
    with pytest.raises(Disconnected):
        await ask(Seed(headers=2 * MAX_RECEIVED // 1_000), ours)


@pytest_twisted.ensureDeferred
async def test_where_nobody_listens_there_is_no_answer():
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Factory())
    way = Way(port.getHost().port)
    await port.stopListening()
    with pytest.raises(Disconnected, match=r"no connection could be made: .*refused"):
        await ByHttps(reactor, way)(SEED)


class Silent(Seed):
    """Says some words, and then nothing."""

    def __init__(self, words):
        super().__init__()
        self.words = words
        self.reached = Deferred()

    def render_GET(self, request):  # noqa: N802
        request.write(self.words)
        self.reached.callback(None)
        return NOT_DONE_YET


@pytest.mark.timeout(30)
@pytest_twisted.ensureDeferred
async def test_one_that_says_nothing_is_cut_off(ours):
    seed, clock = Silent(b""), Clock()
    answer = Deferred.fromCoroutine(ask(seed, ours, clock=clock))
    await seed.reached
    clock.advance(PATIENCE)
    with pytest.raises(Disconnected):
        await answer
    assert clock.getDelayedCalls() == []


@pytest.mark.timeout(30)
@pytest_twisted.ensureDeferred
async def test_one_that_does_not_come_to_an_end_is_cut_off(ours, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(_Body, "dataReceived", lambda *_: clock.advance(PATIENCE))
    with pytest.raises(Disconnected):
        await ask(Silent(REPLY), ours, clock=clock)
    assert clock.getDelayedCalls() == []


@pytest_twisted.ensureDeferred
async def test_without_tls_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "twisted.internet.ssl", None)
    look_up = ByHttps(reactor, Way(1))
    assert look_up.needs == "internet"
    with pytest.raises(MissingExtra, match=r"HTTPS seeds .* pip install 'bitpeer\[service\]'"):
        await look_up(SEED)
    assert look_up.needs == "TLS (pip install 'bitpeer[service]')"


@pytest_twisted.ensureDeferred
async def test_where_nothing_leads_nobody_is_asked():
    with pytest.raises(NoRoute):
        await ByHttps(reactor, Routes(reactor, direct=False))(SEED)
