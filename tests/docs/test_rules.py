"""Every rule that the code cites by its number is on the page that says what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules.md"

#: "protocol section 5", "payscore sections 2.1 and 3.1", "payscore 10.2 to 10.4".
_NUMBER = r"\d+(?:\.\d+)?"
_LIST = rf"{_NUMBER}(?:(?:,|\s+and|\s+to)\s+{_NUMBER})*"
_CITED = re.compile(
    rf"(protocol|payscore)\s+(sections?\s+{_LIST}|\d+\.{_LIST})", re.IGNORECASE
)


def listed() -> dict[str, set[str]]:
    """The numbers in the first column of each table, by document."""
    _, protocol, payscore = PAGE.read_text("utf-8").split("\n## ")
    return {
        name: {
            number
            for cell in re.findall(r"^\| ([\d., ]+) \|", text, re.MULTILINE)
            for number in cell.split(", ")
        }
        for name, text in (("protocol", protocol), ("payscore", payscore))
    }


def cited() -> Iterator[tuple[str, str, str]]:
    """Document, number and place of each rule that a module names."""
    for folder in ("wechatpay_chain", "tests"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            # A citation may go on in the next line of a comment.
            text = re.sub(r"\n\s*(?:#:? ?)?", " ", file.read_text("utf-8"))
            for found in _CITED.finditer(text):
                for number in re.findall(_NUMBER, found[2]):
                    yield found[1].lower(), number, str(file.relative_to(ROOT))


def test_every_rule_that_is_cited_is_on_the_page() -> None:
    rules = listed()
    missing = [one for one in cited() if one[1] not in rules[one[0]]]
    assert missing == []


def test_rules_are_cited() -> None:
    assert len({one[:2] for one in cited()}) > 20
