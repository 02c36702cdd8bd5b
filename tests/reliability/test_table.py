"""`docs/reliability.md` has a row for every rule, and names tests that exist."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "reliability.md").read_text().splitlines()
    if line.startswith("| R-")
]
REQUIRED = {"A": 14, "B": 12, "C": 9, "D": 6, "J": 9}
LATER = {"E": 5, "F": 7, "G": 1, "H": 4, "I": 4}
"""Of G the first stands for all."""
WITHOUT_A_TEST = {"R-A13"}
"""Rules of the required sections about parts that do not exist."""


def test_every_rule_has_a_row() -> None:
    sections = {**REQUIRED, **LATER}
    rules = [f"R-{letter}{number + 1}" for letter in sections for number in range(sections[letter])]
    assert sorted(row[0] for row in ROWS) == sorted(rules)


@pytest.mark.parametrize(("rule", "test", "bug", "what"), ROWS, ids=[row[0] for row in ROWS])
def test_every_row_names_a_test_of_that_rule_or_says_why_there_is_none(
    rule: str, test: str, bug: str, what: str
) -> None:
    assert bug
    assert what
    if test == "none":
        assert rule in WITHOUT_A_TEST or rule[2] in LATER
        return
    path, _, name = test.strip("`").partition("::")
    assert name.startswith(f"test_{rule.lower().replace('-', '_')}_")
    assert f"def {name}(" in (ROOT / path).read_text()
