"""The list of ids in the documentation is that of the tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wechatpay_chain.cli import signature_ids
from wechatpay_chain.crypto.candidates import TABLE

PAGE = Path(__file__).parents[2] / "docs" / "signatures.md"


def test_list_of_ids_is_current() -> None:
    text = PAGE.read_text("utf-8")
    assert signature_ids.put(text) == text


def test_every_id_of_the_table_is_listed() -> None:
    text = PAGE.read_text("utf-8")
    assert [one.id for one in TABLE if f"| `{one.id}` |" not in text] == []


def test_stale_list_is_replaced_and_the_rest_kept(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = signature_ids.BEGIN, signature_ids.END
    page.write_text(f"before\n{marks[0]}\nold\n{marks[1]}\nafter\n", "utf-8")
    signature_ids.main(["--write", str(page)])
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old\n" not in text
    assert "`query_left_out`" in text


def test_it_prints_without_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    signature_ids.main([])
    assert capsys.readouterr().out == signature_ids.lists()


def test_it_runs_as_a_module() -> None:
    name = "wechatpay_chain.cli.signature_ids"
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", name], capture_output=True, check=True
    )
    assert "`answer_probe`" in done.stdout.decode("utf-8")
