"""The state diagrams of the page are those of the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from wechatpay_chain.sandbox import diagram

PAGE = Path(__file__).parents[2] / "docs" / "payscore.md"
BLOCK = "<!-- diagram: {} -->\nold\n<!-- end of diagram -->\n"


def test_page_shows_the_tables_as_they_are() -> None:
    text = PAGE.read_text("utf-8")
    assert text.count("<!-- diagram: ") == 2
    assert diagram.drawn(text) == text


ARROWS = [
    "[*] --> CREATED: create",
    "[*] --> ZERO: direct-complete, total 0",
    "CREATED --> EXPIRED: 30 days pass",
    "CREATED --> CREATED: user refuses",
    "CONFIRMED --> ZERO: complete, total 0",
    "PAYING --> REVOKED: cancel",
    "PAYING --> PAID: sync, user pays, deduction succeeds",
    "REVOKED --> [*]",
]


@pytest.mark.parametrize("arrow", ARROWS)
def test_diagram_of_orders_has_each_way(arrow: str) -> None:
    assert f"    {arrow}" in diagram.orders().splitlines()


def test_diagram_has_no_queries_and_no_refusals() -> None:
    assert "query" not in diagram.orders() + diagram.permissions()
    assert "PAID -->" not in diagram.orders().replace("PAID --> [*]", "")


def test_stale_page_fails_the_check_and_is_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BLOCK.format('permissions')}after\n", "utf-8")
    assert diagram.main([str(page)]) == 1
    assert "stale; --write brings it up to date" in capsys.readouterr().out
    assert diagram.main([str(page), "--write"]) == 0
    assert diagram.main([str(page), "--check"]) == 0
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "UNBINDUSER --> AVAILABLE: user authorises" in text
    assert "old" not in text.splitlines()


def test_unknown_diagram_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(BLOCK.format("money"), "utf-8")
    with pytest.raises(SystemExit):
        diagram.main([str(page)])
    assert (
        "no diagram 'money'; there are orders, permissions" in capsys.readouterr().err
    )
