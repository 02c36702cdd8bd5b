"""Most headers here only pretend to be mined: their hashes say of which age their proof is."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from bitpeer.decred.consensus import Age, Consensus
from bitpeer.decred.header import BlockHeader, Headers
from bitpeer.decred.networks import MAINNET, NETWORKS, REGNET, SIMNET, TESTNET3
from bitpeer.errors import BadHeader, TooNew
from bitpeer.messages.rules import Link
from bitpeer.messages.target import bits_of, target_of, work_of

LATER = 4_000_000_000.0
BEGIN = 1_500_000_000
HARD = 0x1A01_0000
SMALL = replace(
    MAINNET.rules, window=8, windows=4, voting_from=20, voting_interval=10, start_bits=0x1B00_A5A6
)
"""Mainnet's rules, with everything that is counted in blocks at hand.  Votes may have an outcome
from height 40 on."""
TEST = replace(
    TESTNET3.rules, window=8, windows=4, voting_from=20, voting_interval=10, capped_from=64
)
EASY = 0x1E00_FFFF


def link(
    previous: Link | None,
    time: int,
    bits: int = HARD,
    *,
    old: bool = True,
    version: int = 10,
    height: int | None = None,
) -> Link:
    """Return the header after *previous*, which nobody has mined."""
    before = 0 if previous is None else header_of(previous).height + 1
    name = bytes(32) if previous is None else previous.hash
    header = BlockHeader(
        version=version,
        previous_hash=name,
        bits=bits,
        time=time,
        height=before if height is None else height,
    )
    data = header.encode()
    digest = sha256(data).digest()[:20] + (bytes(12) if old else b"\xff" * 12)
    return Link(digest, name, time, bits, work_of(bits), data)


def header_of(each: Link) -> BlockHeader:
    return BlockHeader.read(each.data)[0]


def chain(count: int, bits: int = HARD, *, step: int = 300, **how) -> list[Link]:
    links = [link(None, BEGIN, bits, **how)]
    while len(links) < count:
        links.append(link(links[-1], links[-1].time + step, bits, **how))
    return links


def judge_of(rules: Consensus, links: list[Link], height: int | None = None):
    """Return a judge who has seen all *links*, or those up to *height*."""
    return rules.judge(links.__getitem__, len(links) - 1 if height is None else height)


def complaint(judge, each: Link, now: float = LATER) -> str:
    with pytest.raises(BadHeader) as raised:
        judge.follow(each, now)
    return raised.value.why


@pytest.mark.parametrize("network", NETWORKS.values(), ids=lambda network: network.name)
def test_every_network_begins_with_its_genesis_block(network):
    assert network.rules.genesis.hash == network.genesis
    assert network.rules.per_turn in (50, 1_000)


def mined(*, old: bool) -> BlockHeader:
    header = BlockHeader(
        version=11, previous_hash=bytes(32), bits=0x207F_FFFF, height=1, time=BEGIN
    )
    limit = target_of(header.bits)
    while True:
        hits = [int.from_bytes(h, "little") <= limit for h in (header.hash, header.pow_hash())]
        if hits == [old, not old]:
            return header
        header = header._replace(nonce=header.nonce + 1)


@pytest.mark.parametrize("old", [True, False])
def test_proof_of_work_is_of_one_age_or_the_other(old):
    header = mined(old=old)
    message = Headers([header])
    [one] = SIMNET.rules.links(message.headers)
    assert [one] == SIMNET.rules.links([header])
    assert one == (header.hash, header.previous_hash, BEGIN, 0x207F_FFFF, 2, header.encode())
    assert SIMNET.rules.message([one.data]) == message
    assert SIMNET.rules.links([]) == []


def test_headers_without_proof_are_refused():
    header = mined(old=True)
    limit = target_of(header.bits)
    while any(int.from_bytes(h, "little") <= limit for h in (header.hash, header.pow_hash())):
        header = header._replace(nonce=header.nonce + 1)
    with pytest.raises(BadHeader, match="does not have the work"):
        SIMNET.rules.links([header])
    with pytest.raises(BadHeader, match="too easy"):
        MAINNET.rules.links([header])


# Values of the reference implementation's own test of the schedule.
SCHEDULE = [
    (MAINNET, 0x1D00_FFFF, 300, 1, 0x1D00_FFFF),
    (MAINNET, 0x0101_0000, 43_500, 1, 0x0102_0000),
    (MAINNET, 0x0101_0000, 9_744_000, 224, 0x1D00_FFFF),
    (MAINNET, 0x1D00_FFFF, 0, 144, 0x1C7F_FF80),
    (MAINNET, 0x1D00_FFFF, 0, 32_256, 0x0101_0000),
    (MAINNET, 0x1B00_A5A6, 86_342, 288, 0x1B00_A57F),
    (MAINNET, 0x1B00_A5A6, 4_320, 288, 0x1A2C_63BD),
    (MAINNET, 0x1A2C_BEFA, 288_002, 288, 0x1B04_7082),
    (MAINNET, 0x1B00_A5A6, 299, 1, 0x1B00_A5A5),
    (MAINNET, 0x1B00_A5A6, -6, 6, 0x1B00_A0ED),
    (TESTNET3, 0x1D07_4388, 336, 2, 0x1D07_F7CA),
    (SIMNET, 0x1E1B_4E81, 10, 11, 0x1E18_5487),
    (SIMNET, 0x1E1B_4E81, 1 << 31, 1, 0x207F_FFFF),
]


@pytest.mark.parametrize(("network", "start", "seconds", "blocks", "bits"), SCHEDULE)
def test_difficulty_follows_a_schedule(network, start, seconds, blocks, bits):
    rules = replace(network.rules, start_bits=start)
    assert f"{rules.scheduled(seconds, blocks):08x}" == f"{bits:08x}"


def test_links_heights_and_times_are_checked():
    links = chain(12)
    judge = judge_of(SMALL, links)
    last = links[-1]
    stranger = link(links[-2], last.time + 1, height=12)
    assert "does not follow" in complaint(judge, stranger)
    assert "is 13 instead of 12" in complaint(judge, link(last, last.time + 1, height=13))
    assert "median" in complaint(judge, link(last, links[6].time))
    with pytest.raises(TooNew):
        judge.follow(link(last, last.time + 9_000), last.time)
    good = link(last, last.time + 1)
    assert judge.follow(good, LATER) is good


def test_difficulty_of_old_stays_within_a_window():
    links = chain(12)
    other = link(links[-1], links[-1].time + 9_999, HARD + 1)
    assert "instead of 1a010000" in complaint(judge_of(SMALL, links), other)


def averaged(times: list[int], before: int, easiest: int) -> int:
    """Compute anew what four windows of eight blocks on time for 2,400 s make of a target."""
    total = sum((took * 2**32 // 2_400) * 2 ** (4 - n) for n, took in enumerate(times))
    return min(total // 30 * before // 2**32, easiest)


@pytest.mark.parametrize("step", [100, 299, 300, 301, 600])
def test_difficulty_of_old_is_an_average_of_windows(step):
    links = chain(40, step=step)
    expected = bits_of(averaged([8 * step] * 4, target_of(HARD), SMALL.easiest))
    good = link(links[-1], links[-1].time + 300, expected)
    for height in (0, 7, 20, 38, 39):
        judge = judge_of(replace(SMALL, voting_from=1 << 30), links, height)
        for each in links[height + 1 :]:
            if step == 300 or header_of(each).height % 8:
                judge.follow(each, LATER)
            else:
                break  # it would have been adjusted
        else:
            judge.follow(good, LATER)


def test_windows_before_the_first_block_were_on_time():
    links = chain(16, step=600)
    expected = bits_of(averaged([4_800, 2_400, 2_400, 2_400], target_of(HARD), SMALL.easiest))
    judge_of(SMALL, links).follow(link(links[-1], links[-1].time + 1, expected), LATER)
    early = chain(8, step=600)
    judge_of(SMALL, early).follow(link(early[-1], early[-1].time + 1), LATER)


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        pytest.param(40_000, HARD, bits_of(target_of(HARD) * 4), id="at most four times easier"),
        pytest.param(1, HARD, bits_of(target_of(HARD) // 4), id="at most four times harder"),
        pytest.param(600, 0x1D00_FFFF, 0x1D00_FFFF, id="never easier than at first"),
        pytest.param(1, 0x0101_0000, 0x1D00_FFFF, id="and never impossible"),
    ],
)
def test_difficulty_of_old_changes_within_limits(step, before, after):
    links = chain(40, before, step=step)
    rules = replace(SMALL, voting_from=1 << 30)
    judge_of(rules, links).follow(link(links[-1], links[-1].time + 1, after), LATER)


def new_age(count: int, rules: Consensus = SMALL) -> list[Link]:
    """Return a chain whose new age begins with height 40, and lasts for *count* blocks."""
    links = chain(40)
    while len(links) < 40 + count:
        bits = rules.scheduled(links[-1].time - links[39].time, len(links) - 40)
        links.append(link(links[-1], links[-1].time + 200, bits, old=False))
    return links


@pytest.mark.parametrize("height", [38, 39, 40, 47, 50, 69])
def test_a_vote_shows_in_the_first_block_of_the_new_age(height):
    links = new_age(35)
    judge = judge_of(SMALL, links, height)
    for each in links[height + 1 :]:
        if header_of(each).height >= 40 or header_of(each).height % 8:
            judge.follow(each, LATER)
    wrong = links[-1].bits + 1
    assert f"instead of {links[-1].bits:08x}" not in complaint(
        judge, link(links[-1], links[-1].time + 9, wrong, old=False)
    )


def test_the_new_age_begins_with_its_own_target():
    links = chain(40)
    hard = link(links[-1], links[-1].time + 300, HARD, old=False)
    assert "instead of 1b00a5a6" in complaint(judge_of(SMALL, links), hard)


@pytest.mark.parametrize(
    ("length", "version"),
    [
        pytest.param(30, 10, id="before there was time for it"),
        pytest.param(41, 10, id="in the middle of an interval"),
        pytest.param(40, 9, id="by blocks that cannot vote on it"),
    ],
)
def test_the_new_age_does_not_begin_just_anywhere(length, version):
    links = chain(length)
    rules = replace(SMALL, window=144)
    early = link(links[-1], links[-1].time + 300, 0x1B00_A5A6, old=False, version=version)
    assert "too early" in complaint(judge_of(rules, links), early)


def test_in_the_new_age_a_hash_of_old_proves_nothing():
    links = new_age(3)
    bits = SMALL.scheduled(links[-1].time - links[39].time, 3)
    lazy = link(links[-1], links[-1].time + 300, bits, old=True)
    assert "does not have the work" in complaint(judge_of(SMALL, links), lazy)


def test_on_some_networks_the_new_age_is_all_there_is():
    rules = replace(SIMNET.rules, start_bits=HARD, easiest=(1 << 224) - 1)
    links = [link(None, BEGIN, HARD)]
    judge = judge_of(rules, links)
    for _ in range(5):
        blocks = len(links) - 2
        bits = rules.scheduled(links[-1].time - links[1].time, blocks) if blocks >= 0 else HARD
        links.append(link(links[-1], links[-1].time + 2, bits, old=False))
        judge.follow(links[-1], LATER)
    again = judge_of(rules, links, 3)
    for each in links[4:]:
        again.follow(each, LATER)


def test_where_nothing_shows_the_age_either_may_be():
    assert REGNET.rules.age is Age.UNSEEN
    links = chain(150, 0x207F_FFFF)
    judge = judge_of(REGNET.rules, links)
    for old in (True, False):
        links.append(link(links[-1], links[-1].time + 1, 0x1F7F_FFFF, old=old))
        judge.follow(links[-1], LATER)


def test_late_blocks_of_the_early_test_network_may_be_easy():
    links = chain(4, step=120)
    links.append(link(links[-1], links[-1].time + 601, EASY))
    links.append(link(links[-1], links[-1].time + 601, EASY))
    links.append(link(links[-1], links[-1].time + 600, HARD))
    for height in range(3, 7):
        judge = judge_of(TEST, links, height)
        for each in links[height + 1 :]:
            judge.follow(each, LATER)
    punctual = link(links[-1], links[-1].time + 600, EASY)
    assert "instead of 1a010000" in complaint(judge, punctual)


def test_the_test_network_is_bounded_later():
    hardest = TEST.hardest_bits
    links = chain(64, hardest, step=60)
    judge = judge_of(TEST, links)
    soon = link(links[-1], links[-1].time + 59, hardest)
    assert "too soon" in complaint(judge_of(TEST, links), soon)
    links.append(link(links[-1], links[-1].time + 60, hardest))
    judge.follow(links[-1], LATER)
    late = link(links[-1], links[-1].time + 9_999, EASY)
    assert f"instead of {hardest:08x}" in complaint(judge, late)


def test_the_test_network_is_bounded_in_the_new_age_as_well():
    links = chain(70, TEST.hardest_bits, step=120)
    links.append(link(links[-1], links[-1].time + 60, EASY, old=False, version=11))
    judge = judge_of(TEST, links, 69)
    judge.follow(links[-1], LATER)
    for _ in range(80):
        bits = max(
            TEST.scheduled(links[-1].time - links[69].time, len(links) - 70), TEST.hardest_bits
        )
        links.append(link(links[-1], links[-1].time + 60, bits, old=False, version=11))
        judge.follow(links[-1], LATER)
    assert links[-1].bits == TEST.hardest_bits
