"""What has been found once is not found again, and every target still does what it should."""

from random import Random

import pytest

from bitpeer.wire.message import Message
from fuzz import targets
from fuzz.loop import run_loop
from fuzz.specimens import NETWORKS, payloads
from fuzz.target import CORPUS

TARGETS = [targets.load(name) for name in targets.PLACES]
KEPT = [pytest.param(target, path, id=path.name) for target in TARGETS for path in target.kept()]
INPUTS = 150
"""How many are tried of each target: enough to see that it works."""

each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@pytest.mark.parametrize(("target", "path"), KEPT)
def test_what_was_found_is_cured(target, path):
    target.try_one(path.read_bytes())


def test_every_folder_of_the_corpus_belongs_to_a_target():
    assert {path.name for path in CORPUS.iterdir()} <= {target.name for target in TARGETS}


@each_target
def test_targets_are_called_as_they_say(target):
    assert targets.load(target.name) is target
    assert target.says


@each_target
def test_some_inputs_find_nothing_and_lead_to_different_ends(target):
    first = target.first_inputs()
    chosen = Random(1).sample(first, min(INPUTS // 2, len(first)))
    run = run_loop(
        target.try_one, chosen, seed=1, max_size=target.max_size, goes_on=lambda n: n < INPUTS
    )
    assert run.inputs == INPUTS
    assert run.kept > 2


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.dialect.name)
def test_there_are_specimens_of_every_message(network):
    dialect = network.dialect
    assert payloads(dialect.name).keys() == {kind.command for kind in dialect.registry}
    for command, known in payloads(dialect.name).items():
        for payload in known:
            assert isinstance(dialect.registry.decode(command, payload), Message)
