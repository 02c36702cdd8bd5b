"""Requests in real programs: under Twisted's reactor, and under asyncio's, in a process each."""

import subprocess
import sys

import pytest

from tests.twistd import ROOT, environment

PREAMBLE = {
    "twisted": "",
    "asyncio": "from twisted.internet import asyncioreactor; asyncioreactor.install()",
}

PROGRAM = """
import asyncio
import sys

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import react

from bitpeer import LocalNode, PeerConfig, PeerFactory, PeerListener, bitcoin, connect, on
from tests.net.asked import make_block

ASYNCIO = "twisted.internet.asyncioreactor" in sys.modules
CONFIG = PeerConfig(network=bitcoin.REGTEST)
BLOCKS = {block.hash: block for block in map(make_block, range(20))}

class Giver(PeerListener):
    @on(bitcoin.GetData)
    def asked(self, peer, getdata):
        for item in getdata.items:
            if item.hash in BLOCKS:
                peer.send(BLOCKS[item.hash])

async def read(peer):
    names = list(BLOCKS)
    assert await peer.get_block(names[3]) == BLOCKS[names[3]]
    assert await ensureDeferred(one(peer)) == BLOCKS[names[0]]
    assert [block async for block in peer.blocks(names, window=4)] == list(BLOCKS.values())
    assert 0 <= await peer.ping() < 10
    async for block in peer.blocks(names):
        break
    if ASYNCIO:  # which closes what was broken off a moment later
        await Deferred.fromFuture(asyncio.ensure_future(asyncio.sleep(0)))
    assert not peer.machine.asking
    print("read")

async def one(peer):
    return await peer.get_block(list(BLOCKS)[0])

async def in_asyncio(peer):
    ticks = 0
    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1
    beside = asyncio.create_task(tick())
    loop = asyncio.get_running_loop()
    await Deferred.fromCoroutine(read(peer)).asFuture(loop)
    block = await peer.get_block(list(BLOCKS)[7]).asFuture(loop)
    waiting = peer.get_tx(bytes(32)).asFuture(loop)
    waiting.cancel()
    await asyncio.sleep(0)
    assert not peer.machine.asking
    beside.cancel()
    assert ticks
    print("in asyncio, too")
    return block

async def main(reactor):
    node = LocalNode(CONFIG, [Giver()], clock=reactor)
    port = reactor.listenTCP(0, PeerFactory(node, outbound=False), interface="127.0.0.1")
    peer = await connect(reactor, f"127.0.0.1:{port.getHost().port}", CONFIG)
    await read(peer)
    if ASYNCIO:
        task = asyncio.ensure_future(in_asyncio(peer))
        assert await Deferred.fromFuture(task) == list(BLOCKS.values())[7]
    peer.disconnect()
    await peer.when_lost()
    await port.stopListening()

react(main)
"""


@pytest.mark.parametrize("reactor", ["twisted", "asyncio"])
def test_one_may_await_answers_under(reactor):
    run = subprocess.run(
        (sys.executable, "-W", "error", "-c", PREAMBLE[reactor] + PROGRAM),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.stderr == ""
    assert run.returncode == 0
    more = ["read", "in asyncio, too"] if reactor == "asyncio" else []
    assert run.stdout.splitlines() == ["read", *more]
