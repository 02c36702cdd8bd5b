"""Every benchmark runs, and finds what it should; how fast is nobody's business here."""

import pytest

from benchmarks.__main__ import GROUPS, main
from benchmarks.data import BLOCKS, SMALL, block, payloads, stream
from benchmarks.findings import Finding
from benchmarks.measuring import TINY, Effort, race, repeated
from benchmarks.report import NATURE, line, page
from bitpeer.bitcoin.block import Block
from bitpeer.bitcoin.networks import REGTEST
from bitpeer.bitcoin.transaction import Tx
from bitpeer.wire.framing import Envelope, Framing

ROWS = {
    "answering": {1},
    "receiving": {2, 3, 4},
    "blocks": {5, 6, 8},
    "inventory": {7, 10},
    "crowd": {9},
    "sending": {11, 13},
    "decred": {14},
    "headers": {15},
    "program": {16},
}
"""The targets that each group is about."""


def test_every_target_belongs_to_a_group():
    assert set(ROWS) == set(GROUPS)
    assert set().union(*ROWS.values()) == {*range(1, 12), 13, 14, 15, 16}


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_measures_its_targets(group):
    findings = list(GROUPS[group](TINY, with_bcoin=False))
    assert {each.row for each in findings} == ROWS[group]
    assert len({(each.what, each.beside) for each in findings}) == len(findings)
    for each in findings:
        assert each.what
        assert each.beside
        assert line(each)
        if "bcoin" not in each.beside and "bare" not in each.beside:
            assert each.value is not None, each


# The traffic


@pytest.mark.parametrize("shape", BLOCKS)
def test_a_synthetic_block_is_a_block(shape):
    payload = block(shape, 0.02)
    assert Block.decode(payload).transaction_count == max(2, round(BLOCKS[shape][0] * 0.02))
    transactions = Block.decode(payload).unpacked()
    assert transactions[0].is_coinbase
    assert any(each.has_witness for each in transactions) == (shape != "C")


@pytest.mark.parametrize("kind", SMALL)
def test_a_synthetic_stream_is_a_stream(kind):
    frames = stream(kind, 50)
    assert len(set(frames)) == 50
    dialect = REGTEST.dialect
    envelope = Envelope(REGTEST.magic, dialect.checksum, dialect.registry, dialect.max_payload)
    read = list(Framing(envelope, dialect.max_payload).feed(b"".join(frames)))
    assert [payload for _, payload, _ in read] == payloads(frames)
    decoded = [entry.decode(payload) for entry, payload, _ in read]
    assert {each.command for each in decoded} <= {"ping", "inv", "tx"}
    assert all(isinstance(each, Tx) == (each.command == "tx") for each in decoded)


# The clock


def test_the_best_turn_of_each_contender_counts():
    told = {"a": iter([3.0, 1.0, 2.0]), "b": iter([5.0, 6.0, 4.0])}
    contenders = {name: turns.__next__ for name, turns in told.items()}
    assert race(contenders, Effort(rounds=3), units=2) == {"a": 0.5, "b": 2.0}


def test_who_has_used_up_its_time_drops_out():
    turns = []
    race({"slow": lambda: turns.append(1) or 9.0}, Effort(rounds=50, seconds=1.0))
    assert len(turns) == 3


def test_work_is_done_as_often_as_it_was_ordered():
    done = []
    assert repeated(lambda: done.append(1), 7)() is None
    assert len(done) == 7
    assert race({"it": repeated(lambda: None, 7)}, TINY)["it"] >= 0


# What is told


FINDINGS = [
    Finding(row=1, what="running", beside="a hare", value=2.5, at_least=2.0, detail="5 : 2"),
    Finding(row=1, what="running", beside="a cheetah", value=0.25, at_least=2.0),
    Finding(row=9, what="weighing", beside="a feather", value=1234.0, at_most=1.5),
    Finding(row=9, what="weighing", beside="a stone", value=1.25, at_most=1.5),
    Finding(row=9, what="weighing", beside="a ghost", value=None, at_most=1.5),
    Finding(row=9, what="weighing", beside="a friend", value=3.0),
]


def test_verdicts_are_honest():
    verdicts = [each.verdict for each in FINDINGS]
    assert verdicts == ["met", "**missed**", "**missed**", "met", "not measured", ""]


def test_a_page_has_every_finding_and_names_what_was_missed():
    text = page(FINDINGS)
    for each in FINDINGS:
        assert f"| {each.what} | {each.beside} | {each.target} | {each.measured} |" in text
    assert "2 of 5 targets are met" in text
    assert "* 1. running, beside a cheetah: 0.25 x, not ≥ 2 x" in text
    assert "/" not in text.partition("Machine:")[2].partition("\n")[0]  # no paths


def test_numbers_have_three_digits_that_mean_something():
    assert [each.measured for each in FINDINGS][:3] == ["2.5 x", "0.25 x", "1,234 x"]
    assert FINDINGS[0].target == "≥ 2 x"


def test_a_line_says_what_was_aimed_for():
    assert line(FINDINGS[1]) == " 1  running, beside a cheetah: 0.25 x (target ≥ 2 x: missed)"


def test_nothing_is_published_of_a_hash_that_is_not_compiled(capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.__main__.BLAKE256_BACKEND", "python")
    with pytest.raises(SystemExit):
        main([])
    assert "BLAKE-256 is not compiled here" in capsys.readouterr().err
    assert main(["decred", "--tiny"]) == 0


def test_a_page_says_what_runs_blake_256():
    assert any(f"BLAKE-256 {nature};" in page(FINDINGS) for nature in NATURE.values())


def test_the_command_takes_groups(capsys):
    assert main(["inventory", "--tiny", "--no-bcoin", "--no-page"]) == 0
    assert "who" not in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "there is no group nonsense" in capsys.readouterr().err
