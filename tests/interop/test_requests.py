"""What a real node answers when it is asked."""

import re
import sys
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from bitpeer import Absent, PeerGone, PeerGroup, Unanswered
from bitpeer.bitcoin import REGTEST, Block, Tx
from tests.interop.bcoin_node import PATIENCE, within
from tests.twistd import ROOT, running

UNKNOWN = bytes(31) + b"\1"


@pytest_twisted.ensureDeferred
async def test_headers_and_blocks_are_fetched_in_order(bcoin, dial):
    peer, ears = await dial(bcoin)
    headers = await within(PATIENCE, peer.get_headers([REGTEST.genesis]))
    tip = await bcoin.tip()
    hashes = headers.hashes()
    assert hashes[-1] == tip.hash
    assert not (await within(PATIENCE, peer.get_headers([tip.hash]))).headers
    assert await within(PATIENCE, peer.get_block(tip.hash)) == Block.decode(
        await bcoin.block(tip.hash)
    )
    few = await within(PATIENCE, peer.get_blocks(hashes[:10]))
    assert [block.hash for block in few] == hashes[:10]

    async def read():
        return [block.hash async for block in peer.blocks(hashes[-100:])]

    assert await within(PATIENCE, read()) == hashes[-100:]
    assert ears.heard(Block) == []  # they belong to who asked


@pytest_twisted.ensureDeferred
async def test_transactions_and_the_mempool_are_fetched(bcoin, dial):
    peer, _ = await dial(bcoin)
    tx = Tx.decode(await bcoin.payment("segwit"))
    await bcoin.send_raw_transaction(tx.encode())
    assert await within(PATIENCE, peer.get_tx(tx.txid)) == tx
    listed = await within(PATIENCE, peer.get_mempool())
    assert {item.hash for item in listed} == await bcoin.mempool()
    await bcoin.generate()
    assert await within(PATIENCE, peer.get_mempool(timeout=2)) == []  # of which nothing tells
    with pytest.raises(Absent):
        await within(PATIENCE, peer.get_tx(UNKNOWN))


@pytest_twisted.ensureDeferred
async def test_an_unknown_block_is_denied_or_never_answered(bcoin, dial):
    peer, _ = await dial(bcoin)
    with pytest.raises((Absent, Unanswered)) as caught:
        await within(PATIENCE, peer.get_block(UNKNOWN, timeout=1))
    assert UNKNOWN[::-1].hex() in str(caught.value)
    assert peer.established
    assert 0 < await within(PATIENCE, peer.ping()) < PATIENCE


@pytest_twisted.ensureDeferred
async def test_what_the_node_has_not_answered_fails_when_it_is_gone(start_bcoin, dial):
    node = await start_bcoin()
    peer, _ = await dial(node)
    waiting = within(PATIENCE, peer.get_addresses())
    await node.kill()
    with pytest.raises(PeerGone):
        await waiting


@pytest_twisted.ensureDeferred
async def test_a_group_asks_the_next_when_one_is_gone(bcoin, start_bcoin, dial):
    lone = await start_bcoin()
    group = PeerGroup(reactor)
    for node in (lone, bcoin):  # the first is asked first, and has nothing but the genesis block
        peer, _ = await dial(node)
        group.add(peer)
    tip = await bcoin.tip()
    block = await within(PATIENCE, group.get_block(tip.hash, timeout=1))
    assert block.hash == tip.hash


@pytest_twisted.ensureDeferred
async def test_the_five_lines_of_the_readme_fetch_a_block(bcoin, tmp_path: Path):
    programs = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    [program] = [each for each in programs if "get_block" in each]
    script = tmp_path / "five.py"
    here = f"127.0.0.1:{bcoin.port}"
    script.write_text(program.replace("MAINNET", "REGTEST").replace("127.0.0.1", here))

    def run():
        with running(sys.executable, str(script)) as process:
            return process.status(), process.lines

    status, lines = await within(PATIENCE, deferToThread(run))
    assert (status, len(lines)) == (0, 1)
    assert lines[0].startswith(f"<Block {REGTEST.genesis[::-1].hex()}")
