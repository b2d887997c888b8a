"""``wxpay trigger``, against a sandbox in another process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain.sandbox.recipes.table import RECIPES, known


def test_a_recipe_is_carried_out_in_the_running_sandbox(
    wxpay: Any, control: Any
) -> None:
    found = json.loads(
        wxpay("trigger", "payscore.paid", "--set", "amount=321", "--json")
    )
    order = control.get(f"orders/{found['made']['out_order_no']}")["order"]
    assert order["history"] == ["CREATED", "CONFIRMED", "PAYING", "PAID"]
    assert order["total_amount"] == 321
    assert [one["event_type"] for one in found["notifications"]] == [
        "PAYSCORE.USER_CONFIRM",
        "PAYSCORE.USER_PAID",
    ]


def test_people_read_numbers_and_events(wxpay: Any) -> None:
    first, *rest = wxpay("trigger", "TRANSACTION.SUCCESS").splitlines()
    assert first.startswith("transaction.success: out_trade_no SANDBOX")
    assert [line.split()[0] for line in rest] == ["TRANSACTION.SUCCESS"]


def test_an_example_says_that_it_is_one(wxpay: Any, control: Any) -> None:
    assert "an example, nothing happened" in wxpay("trigger", "coupon.use")
    (notice,) = control.get("notifications")["notifications"]
    assert notice["example"] is True


def test_a_value_reaches_the_example(wxpay: Any, control: Any) -> None:
    wxpay("trigger", "COUPON.USE", "--set", "coupon_id=4711")
    (notice,) = control.get("notifications")["notifications"]
    assert notice["resource"]["coupon_id"] == "4711"


def test_the_list_has_every_recipe_and_example(wxpay: Any) -> None:
    found = json.loads(wxpay("trigger", "--list", "--json"))
    assert [one["name"] for one in found["recipes"]] == list(RECIPES)
    events = {event for one in RECIPES.values() for event in one.events}
    assert {*RECIPES, *events, *found["examples"]} == set(known())
    text = wxpay("trigger", "--list")
    assert all(name in text for name in (*RECIPES, "COUPON.USE"))


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["payscore.payed"], 2, "did you mean payscore.paid"),
        (["payscore.paid", "--set", "amuont=1"], 2, "did you mean amount?"),
        (["payscore.paid", "--set", "amount=1.5"], 2, "a whole number expected"),
        (["payscore.paid", "--set", "amount=-5"], 2, "expected, from 0 up, got '-5'"),
        (["payscore.paid", "--set", "amount=99999999"], 1, "INVALID_REQUEST"),
        (["transaction.success", "--set", "form=cash"], 2, "native"),
        (["payscore.paid", "--set", "amount"], 2, "NAME=VALUE expected"),
        ([], 2, "an EVENT expected, or --list"),
        (["payscore.paid", "--list"], 2, "an EVENT expected, or --list"),
    ],
)
def test_what_cannot_be_is_one_line_and_no_zero(
    wxpay: Any, arguments: list[str], status: int, says: str
) -> None:
    (line,) = wxpay("trigger", *arguments, status=status).splitlines()
    assert says in line


@pytest.mark.parametrize(
    ("where", "status", "says"),
    [
        ("http://127.0.0.1:9", 1, "no sandbox answers at http://127.0.0.1:9"),
        ("https://api.mch.weixin.qq.com", 2, "is no sandbox of this machine"),
        ("localhost:8080", 2, "is no sandbox of this machine"),
        ("http://[::1", 2, "is no sandbox of this machine"),
        ("http://127.0.0.1:99999", 2, "is no sandbox of this machine"),
    ],
)
def test_where_no_sandbox_is_it_says_so(
    wxpay: Any, where: str, status: int, says: str
) -> None:
    assert says in wxpay("trigger", "payscore.paid", status=status, where=where)


def test_the_sandbox_is_found_by_its_configuration(
    ready: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from wechatpay_chain.cli.program import program

    monkeypatch.chdir(tmp_path)
    run = ["trigger", "payscore.created", "--json"]
    assert "where is the sandbox?" in CliRunner().invoke(program, run).stderr
    monkeypatch.setenv("WECHATPAY_BASE_URL", ready["base_url"])
    assert CliRunner().invoke(program, run).exit_code == 0
    monkeypatch.delenv("WECHATPAY_BASE_URL")
    file = str(Path(ready["dir"]) / "wechatpay.toml")
    monkeypatch.setenv("WECHATPAY_CONFIG", file)
    assert CliRunner().invoke(program, run).exit_code == 0
    monkeypatch.delenv("WECHATPAY_CONFIG")
    monkeypatch.chdir(ready["dir"])
    assert CliRunner().invoke(program, run).exit_code == 0
