"""The values of mainnet are those of the chain itself."""

from dataclasses import replace

import pytest

from bitpeer.bitcoin import consensus
from bitpeer.bitcoin.consensus import MAINNET, PERIOD, REGTEST, TESTNET3, TESTNET4, Consensus
from bitpeer.bitcoin.header import BlockHeader, Headers
from bitpeer.bitcoin.networks import NETWORKS, signet
from bitpeer.errors import BadHeader, TooNew
from bitpeer.messages.target import bits_of, target_of
from tests.chains import BEGIN, EASY, mined, pretended

LATER = 4_000_000_000.0
HARD = 0x1C00_FFFF
LIMIT = 0x1D00_FFFF

BLOCK_1 = bytes.fromhex(
    "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000"
    "982051fd1e4ba744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299"
)
BLOCK_2 = bytes.fromhex(
    "010000004860eb18bf1b1620e37e9490fc8a427514416fd75159ab86688e9a8300000000"
    "d5fdcc541e25de1c7a5addedf24858b8bb665c9f36ef744ee42c316022c90f9bb0bc6649ffff001d08d2bd61"
)


def judged(rules: Consensus, links, now: float = LATER):
    """Return a judge who has seen *links*, the first of which is taken for the genesis block."""
    judge = rules.judge(links.__getitem__, 0)
    for link in links[1:]:
        judge.follow(link, now)
    return judge


def complaint(judge, link, now: float = LATER) -> str:
    with pytest.raises(BadHeader) as raised:
        judge.follow(link, now)
    assert raised.value.block == link.hash
    return raised.value.why


@pytest.mark.parametrize("network", NETWORKS.values(), ids=lambda network: network.name)
def test_every_network_begins_with_its_genesis_block(network):
    assert network.rules.genesis.hash == network.genesis


def test_only_the_public_signet_is_known_to_have_work():
    assert NETWORKS["signet"].rules.minimum_work > 0
    assert signet(b"\x51").rules is consensus.PRIVATE_SIGNET


def test_first_blocks_of_mainnet_are_right():
    message = Headers([BlockHeader.read(data)[0] for data in (BLOCK_1, BLOCK_2)])
    links = MAINNET.links(message.headers)
    assert [link.data for link in links] == [BLOCK_1, BLOCK_2]
    assert links[0].hash[::-1].hex().startswith("00000000839a8e6886ab5951d76f4114")
    assert links[0].work == 0x1_0001_0001
    judged(MAINNET, [MAINNET.genesis, *links])


def test_headers_need_not_come_in_a_message():
    headers = mined(2)
    assert REGTEST.links(headers) == REGTEST.links(Headers(headers).headers)
    assert REGTEST.message([header.encode() for header in headers]) == Headers(headers)
    assert REGTEST.links([]) == []


def test_work_that_is_not_there_is_missed():
    header = mined(1)[0]
    lazy = next(
        each
        for nonce in range(100)
        if int.from_bytes((each := header._replace(nonce=nonce)).hash, "little") >> 255
    )
    with pytest.raises(BadHeader, match="does not have the work"):
        REGTEST.links([lazy])


@pytest.mark.parametrize("bits", [0, 0x0180_0000 | 5, 0x2100_FFFF, 0x2300_0001])
def test_absurd_targets_are_refused(bits):
    with pytest.raises(BadHeader, match="none, or too easy"):
        REGTEST.links([mined(1)[0]._replace(bits=bits)])


def test_a_target_beyond_the_limit_of_the_network_is_refused():
    with pytest.raises(BadHeader, match="none, or too easy"):
        MAINNET.links(mined(1))


def test_a_stranger_is_no_successor():
    judge = judged(REGTEST, [REGTEST.genesis])
    assert "does not follow" in complaint(judge, REGTEST.links(mined(2))[1])


def test_regtest_never_changes_its_difficulty():
    links = [REGTEST.genesis, *REGTEST.links(mined(PERIOD + 1, step=1))]
    judge = judged(REGTEST, links)
    harder = pretended([BEGIN + 9_999], [0x1F7F_FFFF], links[-1].hash)[0]
    assert complaint(judge, harder) == "its target is 1f7fffff instead of 207fffff"


# What the chain had: last time of the period, time of its first block, bits before and after.
ADJUSTMENTS = [
    pytest.param(1_231_006_505, 1_233_061_996, LIMIT, LIMIT, id="2016: never easier than at first"),
    pytest.param(1_261_130_161, 1_262_152_739, LIMIT, 0x1D00_D86A, id="32256: the first change"),
    pytest.param(1_279_008_237, 1_279_297_671, 0x1C05_A3F4, 0x1C01_68FD, id="68544: the most"),
    pytest.param(1_263_163_443, 1_269_211_443, 0x1C38_7F6F, 0x1D00_E1FD, id="the least"),
]


@pytest.mark.parametrize(("first", "last", "before", "after"), ADJUSTMENTS)
def test_difficulty_is_adjusted_after_2016_blocks(first, last, before, after):
    times = [first, *range(first + 1, first + PERIOD - 1), last]
    links = pretended(times, [before] * PERIOD)
    rules = replace(MAINNET, versions=())
    judge = rules.judge(links.__getitem__, PERIOD - 1)
    name = links[-1].hash
    good, bad = (pretended([last + 1], [bits], name)[0] for bits in (after, after - 1))
    assert f"instead of {after:08x}" in complaint(judge, bad)
    judge.follow(good, LATER)
    judge.follow(pretended([last + 2], [after], good.hash)[0], LATER)


def test_a_judge_may_begin_anywhere():
    bits = [HARD] * PERIOD
    links = pretended(range(BEGIN, BEGIN + PERIOD), bits)
    rules = replace(MAINNET, versions=())
    expected = bits_of(target_of(HARD) // 4)
    for height in (0, 5, 11, PERIOD - 2):
        judge = rules.judge(links.__getitem__, height)
        for link in links[height + 1 :]:
            judge.follow(link, LATER)
        judge.follow(pretended([BEGIN + PERIOD], [expected], links[-1].hash)[0], LATER)


def test_difficulty_does_not_change_within_a_period():
    links = pretended([BEGIN, BEGIN + 600], [HARD, HARD])
    judge = judged(replace(MAINNET, versions=()), links)
    late = pretended([BEGIN + 9_600], [LIMIT], links[-1].hash)[0]
    assert "instead of 1c00ffff" in complaint(judge, late)


def test_a_late_block_of_a_test_network_may_be_easy():
    rules = replace(TESTNET3, versions=())
    links = pretended([BEGIN, BEGIN + 600, BEGIN + 1_801, BEGIN + 2_400], [HARD, HARD, LIMIT, HARD])
    judge = judged(rules, links)
    for height in range(4):  # wherever one begins, what was real before is remembered
        again = rules.judge(links.__getitem__, height)
        for link in links[height + 1 :]:
            again.follow(link, LATER)
    punctual = pretended([BEGIN + 3_600], [LIMIT], links[-1].hash)[0]
    assert "instead of 1c00ffff" in complaint(judge, punctual)


def test_an_easy_first_block_of_a_period_makes_a_test_network_easy():
    rules = replace(TESTNET3, versions=())
    links = pretended([BEGIN, BEGIN + 1], [LIMIT, LIMIT])
    judge = judged(rules, links)
    assert "instead of 1d00ffff" in complaint(
        judge, pretended([BEGIN + 2], [HARD], links[-1].hash)[0]
    )


@pytest.mark.parametrize(("rules", "basis"), [(TESTNET3, LIMIT), (TESTNET4, HARD)])
def test_bip94_takes_the_difficulty_from_the_first_block_of_a_period(rules, basis):
    times = [*range(BEGIN, BEGIN + PERIOD - 1), BEGIN + PERIOD + 5_000]
    links = pretended(times, [HARD] * (PERIOD - 1) + [LIMIT])
    judge = replace(rules, versions=()).judge(links.__getitem__, PERIOD - 1)
    expected = bits_of(target_of(basis) // 4)
    judge.follow(pretended([times[-1] + 1], [expected], links[-1].hash)[0], LATER)


@pytest.mark.parametrize("back", [600, 601])
def test_bip94_dates_no_period_back(back):
    times = [BEGIN + 600 * at for at in range(PERIOD - 1)]
    times.append(times[-1] + 10_000)
    links = pretended(times, [HARD] * PERIOD)
    judge = replace(TESTNET4, versions=()).judge(links.__getitem__, PERIOD - 1)
    took = min(times[-1] - times[0], PERIOD * 600 * 4)
    bits = bits_of(target_of(HARD) * took // (PERIOD * 600))
    link = pretended([times[-1] - back], [bits], links[-1].hash)[0]
    if back == 600:
        judge.follow(link, LATER)
    else:
        assert "BIP 94" in complaint(judge, link)


def test_old_versions_end_at_their_height():
    rules = replace(REGTEST, versions=((1, 2), (3, 4)))
    headers = mined(2)
    judge = judged(rules, [REGTEST.genesis, *rules.links(headers)])
    old = mined(1, headers[-1], time=BEGIN + 5_000)[0]._replace(version=3)
    while int.from_bytes(old.hash, "little") > target_of(EASY):
        old = old._replace(nonce=old.nonce + 1)
    assert complaint(judge, rules.links([old])[0]) == "its version 3 is below 4"


def test_time_must_pass_the_median_of_eleven():
    headers = mined(11, step=100)
    links = [REGTEST.genesis, *REGTEST.links(headers)]
    median = BEGIN + 500
    stuck = REGTEST.links(mined(1, headers[-1], time=median))[0]
    assert "median" in complaint(judged(REGTEST, links), stuck)
    judged(REGTEST, [*links, *REGTEST.links(mined(1, headers[-1], time=median + 1))])


def test_the_future_may_come_two_hours_early():
    link = REGTEST.links(mined(1))[0]
    judge = judged(REGTEST, [REGTEST.genesis])
    with pytest.raises(TooNew, match="two hours"):
        judge.follow(link, BEGIN - 7_201)
    judge.follow(link, BEGIN - 7_200)
