import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bitpeer.bitcoin.header import BlockHeader
from bitpeer.bitcoin.networks import MAINNET, REGTEST
from bitpeer.config import BlockPosition
from bitpeer.errors import BadHeader, InvalidSetting, StorageUnusable, TooNew
from bitpeer.service import headers as module
from bitpeer.service.headers import Extension, HeaderChain, Unconnected
from tests import toy
from tests.chains import BEGIN, demanding, mined

NOW = 2_000_000_000.0
RULES = REGTEST.rules
MAIN = RULES.links(mined(40))
OTHER = RULES.links(mined(30, mined(40)[9], tag=b"other", time=BEGIN + 6_000))
"""Goes on after the tenth block of `MAIN`."""


@pytest.fixture
def opened():
    """Open chains that are closed when the test is over."""
    chains = []

    def opened(network=REGTEST, *args, **kwargs):
        chains.append(HeaderChain.open(network, *args, **kwargs))
        return chains[-1]

    yield opened
    for chain in chains:
        chain.close()


@pytest.fixture
def chain(opened):
    return opened()


def work(height: int) -> int:
    return 2 * (height + 1)


def test_a_new_chain_has_the_genesis_block(chain):
    assert chain.tip == BlockPosition(REGTEST.genesis, 0, work(0))
    assert chain.height == 0
    assert chain.tip_time == 1_296_688_602
    assert chain.hash_at(0) == REGTEST.genesis
    assert chain.hash_at(1) is chain.hash_at(-1) is None
    assert chain.locator() == [REGTEST.genesis]
    assert chain.find(bytes(32)) is None
    assert chain.credible


def test_headers_make_the_chain_longer(chain):
    assert chain.extend(MAIN[:30], NOW) == Extension(
        30, 0, BlockPosition(MAIN[29].hash, 30, work(30))
    )
    assert chain.extend(MAIN[20:], NOW).added == 10
    assert chain.tip == BlockPosition(MAIN[-1].hash, 40, work(40))
    assert chain.tip_time == MAIN[-1].time
    assert chain.hash_at(7) == MAIN[6].hash
    assert chain.find(MAIN[6].hash) == BlockPosition(MAIN[6].hash, 7, work(7))
    assert chain.in_chain(MAIN[6].hash)
    assert chain.extend(MAIN[5:9], NOW) == Extension(0, 0, chain.find(MAIN[8].hash))


def test_a_locator_begins_where_one_wants(chain):
    chain.extend(MAIN, NOW)
    heights = [40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 27, 23, 15, 0]
    assert chain.locator() == [chain.hash_at(height) for height in heights]
    assert chain.locator(1) == [MAIN[0].hash, REGTEST.genesis]
    assert chain.locator(-1) == [REGTEST.genesis]
    assert chain.locator(99) == chain.locator()


def test_what_follows_a_locator_is_told(chain):
    chain.extend(MAIN, NOW)
    data = [link.data for link in MAIN]
    assert chain.headers_after([OTHER[0].hash, MAIN[9].hash, MAIN[3].hash]) == data[10:]
    assert chain.headers_after([MAIN[9].hash], MAIN[11].hash) == data[10:12]
    assert chain.headers_after([MAIN[9].hash], MAIN[5].hash) == data[10:]
    assert chain.headers_after([MAIN[9].hash], OTHER[5].hash) == data[10:]
    assert chain.headers_after([OTHER[0].hash]) == data
    assert chain.headers_after([MAIN[-1].hash]) == []
    assert chain.headers_after([], MAIN[3].hash) == [data[3]]
    assert chain.headers_after([], OTHER[3].hash) == chain.headers_after([]) == []


def test_no_more_is_told_than_a_message_holds(chain):
    links = RULES.links(mined(2_005, step=1))
    for at in (0, 1_000, 2_000):
        chain.extend(links[at : at + 1_000], NOW)
    assert chain.headers_after([REGTEST.genesis]) == [link.data for link in links[:2_000]]


def test_headers_of_another_chain_are_refused(chain):
    with pytest.raises(Unconnected):
        chain.extend(MAIN[1:], NOW)
    with pytest.raises(Unconnected):
        chain.judge_after(MAIN[0].hash)


def test_a_wrong_header_spoils_all_that_came_with_it(chain):
    wrong = MAIN[3]._replace(time=0)
    with pytest.raises(BadHeader):
        chain.extend([*MAIN[:3], wrong], NOW)
    assert chain.height == 0
    with pytest.raises(TooNew):
        chain.extend(MAIN, MAIN[20].time - 7_200)
    assert chain.height == 0
    chain.extend(MAIN[:20], MAIN[20].time - 7_200)
    assert chain.height == 20


def test_a_branch_waits_beside_the_chain_until_it_has_more_work(chain):
    chain.extend(MAIN, NOW)
    assert chain.extend(OTHER[:20], NOW) == Extension(
        20, 0, BlockPosition(OTHER[19].hash, 30, work(30))
    )
    assert chain.extend(OTHER[20:], NOW).withdrawn == 0  # as much is not more
    assert chain.tip.hash == MAIN[-1].hash
    assert chain.find(OTHER[7].hash) == BlockPosition(OTHER[7].hash, 18, work(18))
    assert not chain.in_chain(OTHER[7].hash)
    assert chain.extend(OTHER[3:9], NOW).added == 0


def test_the_branch_with_the_most_work_wins(chain):
    chain.extend(MAIN[:30], NOW)
    chain.extend(OTHER[:15], NOW)
    extension = chain.extend(OTHER[15:], NOW)
    assert extension == Extension(15, 20, BlockPosition(OTHER[-1].hash, 40, work(40)))
    assert chain.tip == extension.end
    assert [chain.hash_at(height) for height in range(1, 41)] == [
        link.hash for link in MAIN[:10] + OTHER
    ]
    assert not chain.in_chain(MAIN[12].hash)
    back = RULES.links(mined(11, mined(40)[-1], time=BEGIN + 40 * 600))
    chain.extend(MAIN[30:], NOW)
    assert chain.extend(back, NOW) == Extension(11, 30, BlockPosition(back[-1].hash, 51, work(51)))
    assert chain.hash_at(31) == MAIN[30].hash
    assert chain.find(OTHER[0].hash) == BlockPosition(OTHER[0].hash, 11, work(11))


def test_a_branch_may_win_at_once_and_from_a_branch(chain):
    chain.extend(MAIN[:20], NOW)
    chain.extend(OTHER[:5], NOW)
    twig = RULES.links(
        mined(10, BlockHeader.read(OTHER[2].data)[0], tag=b"twig", time=OTHER[2].time + 1)
    )
    assert chain.extend(twig, NOW) == Extension(10, 10, chain.tip)
    assert chain.height == 23
    assert chain.hash_at(13) == OTHER[2].hash
    assert chain.find(OTHER[4].hash).height == 15
    assert chain.extend(OTHER, NOW).withdrawn == 10


def test_forks_are_bounded_and_the_oldest_go_with_all_that_hangs_on_them(chain, monkeypatch):
    monkeypatch.setattr(module, "MAX_FORKS", 12)
    headers = mined(40)
    chain.extend(MAIN, NOW)
    first = RULES.links(mined(8, headers[20], tag=b"1", time=headers[21].time))
    second = RULES.links(mined(8, headers[22], tag=b"2", time=headers[23].time))
    chain.extend(first, NOW)
    chain.extend(second, NOW)
    assert all(chain.find(link.hash) is None for link in first)
    assert all(chain.find(link.hash) for link in second)
    with pytest.raises(Unconnected):
        chain.judge_after(first[-1].hash)


def test_what_a_branch_withdraws_is_bounded_as_well(chain, monkeypatch):
    monkeypatch.setattr(module, "MAX_FORKS", 12)
    chain.extend(MAIN[:30], NOW)
    chain.extend(OTHER, NOW)
    assert chain.height == 40
    assert chain.find(MAIN[11].hash) is None


def test_many_branches_are_gone_on_with(chain):
    headers = mined(40)
    chain.extend(MAIN, NOW)
    for height in range(20, 30):
        more = mined(4, headers[height], tag=b"%d" % height, time=headers[height].time + 1)
        chain.extend(RULES.links(more[:2]), NOW)
        chain.extend(RULES.links(more[2:]), NOW)
        assert chain.find(more[-1].hash).height == height + 5
    assert len(chain._judges) == module.MAX_JUDGES


def test_a_chain_must_show_the_work_that_is_expected_of_it(opened):
    chain = opened(demanding(work(40)))
    assert not chain.credible
    assert chain.threshold == work(40)
    chain.extend(MAIN, NOW)
    assert chain.credible
    assert opened(MAINNET).minimum_work == MAINNET.rules.minimum_work
    assert opened(MAINNET, minimum_work=5).threshold == 5


def test_a_branch_far_behind_the_tip_is_not_worth_keeping(chain):
    assert chain.threshold == 0
    chain.extend(RULES.links(mined(200, step=1)), NOW)
    assert chain.threshold == work(200 - 144)


def test_a_chain_outlives_the_program(tmp_path):
    file = tmp_path / "headers.sqlite"
    chain = HeaderChain.open(REGTEST, file)
    chain.extend(MAIN[:30], NOW)
    chain.extend(OTHER[:9], NOW)
    chain.close()
    chain = HeaderChain.open(REGTEST, file)
    assert chain.tip == BlockPosition(MAIN[29].hash, 30, work(30))
    assert chain.find(OTHER[8].hash).height == 19
    assert chain.extend(OTHER, NOW).withdrawn == 20
    chain.close()


def test_a_file_belongs_to_one_network(tmp_path):
    file = tmp_path / "headers.sqlite"
    HeaderChain.open(REGTEST, file).close()
    with pytest.raises(StorageUnusable, match="bitcoin-mainnet"):
        HeaderChain.open(MAINNET, file)


def test_a_file_that_is_damaged_is_refused(tmp_path):
    file = tmp_path / "headers.sqlite"
    HeaderChain.open(REGTEST, file).close()
    database = sqlite3.connect(file)
    database.execute("DROP TABLE chain")
    database.close()
    with pytest.raises(StorageUnusable, match="no such table"):
        HeaderChain.open(REGTEST, file)


@pytest.mark.parametrize("damage", ["data = 'x'", "data = x'00'", "work = 7"])
def test_a_file_with_something_else_than_headers_is_refused(tmp_path, damage):
    file = tmp_path / "headers.sqlite"
    HeaderChain.open(REGTEST, file).close()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(f"UPDATE chain SET {damage}")
    with pytest.raises(StorageUnusable, match="headers"):
        HeaderChain.open(REGTEST, file)


def test_rules_must_be_known():
    with pytest.raises(InvalidSetting, match="rules for headers"):
        HeaderChain.open(toy.NETWORK)


def test_blocks_with_the_same_key_are_told_apart(opened, monkeypatch):
    monkeypatch.setattr(module, "_key", lambda _: 7)
    chain = opened()
    chain.extend(MAIN[:5], NOW)
    assert chain.find(MAIN[3].hash).height == 4
    assert chain.find(OTHER[3].hash) is None


EXTENDER = """
import sys
from pathlib import Path
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.service.headers import HeaderChain
from tests.chains import mined

chain = HeaderChain.open(REGTEST, Path(sys.argv[1]))
tip = chain.headers_after([], chain.tip.hash)[0]
header = REGTEST.rules.first.read(tip)[0]
while True:
    more = mined(25, header, time=chain.tip_time + 1, step=1)
    chain.extend(REGTEST.rules.links(more), 4e9)
    header = more[-1]
    print(chain.height, flush=True)
"""


def test_nothing_is_lost_that_was_kept_when_the_process_is_killed(tmp_path):
    file = tmp_path / "headers.sqlite"
    height = 0
    for rounds in range(1, 4):
        with subprocess.Popen(
            [sys.executable, "-c", EXTENDER, str(file)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        ) as process:
            for _ in range(rounds * 3):
                height = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
        chain = HeaderChain.open(REGTEST, file)
        assert chain.height >= height
        assert chain.height % 25 == 0
        rows = chain._database.execute("SELECT height, work, data FROM chain ORDER BY height")
        previous = bytes(32)
        for at, (number, blob, data) in enumerate(rows):
            link = RULES.link(data)
            assert (number, int.from_bytes(blob, "big")) == (at, work(at))
            assert link.previous == previous
            previous = link.hash
        assert previous == chain.tip.hash
        assert chain._database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        chain.close()
