"""``wxpay replay``, against a sandbox in another process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.recording import recorder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What another gateway has seen."""
    gateway = Gateway(seed=7)
    gateway.trigger("payscore.cancelled", out_order_no="REPLAYED-1")
    gateway.trigger("refund.success")
    found = tmp_path / "calls.jsonl"
    recorder.save(gateway, found)
    return found


def test_a_recording_of_another_gateway_is_answered_the_same(
    wxpay: Any, control: Any, file: Path
) -> None:
    report = json.loads(wxpay("replay", str(file), "--json"))
    assert report == {"same": True, "compared": 4, "skipped": 0, "differences": []}
    order = control.get("orders/REPLAYED-1")["order"]
    assert order["history"] == ["CREATED", "CONFIRMED", "REVOKED"]


def test_what_differs_is_said_and_is_exit_1(
    wxpay: Any, control: Any, file: Path
) -> None:
    control.post("given/order", state="PAID", out_order_no="REPLAYED-1")
    text = wxpay("replay", str(file), status=1)
    assert "POST /v3/payscore/serviceorder: " in text
    assert text.splitlines()[-1].startswith("4 calls compared, ")


@pytest.mark.parametrize(("options", "moved"), [([], False), (["--with-time"], True)])
def test_time_passes_only_where_it_is_asked_for(
    wxpay: Any, control: Any, tmp_path: Path, options: list[str], moved: bool
) -> None:
    gateway = Gateway(seed=7)
    gateway.trigger("payscore.created")
    gateway.advance(days=2)
    gateway.trigger("payscore.created")
    file = tmp_path / "days.jsonl"
    recorder.save(gateway, file)
    before = control.get("clock")["now"]
    wxpay("replay", str(file), *options)
    assert (control.get("clock")["now"] - before > 24 * 3600) is moved


def test_what_may_differ_can_be_named(wxpay: Any, control: Any) -> None:
    control.post("trigger", event="payscore.created", values={"out_order_no": "ONE"})
    number = str(control.get("journal")["exchanges"][-1]["number"])
    assert "1 calls compared, 0 differences" in wxpay("replay", number)
    control.post("user/confirm", out_order_no="ONE")
    wxpay("replay", number, status=1)
    wxpay("replay", number, "--ignore", "/state*", "--ignore", "/openid")


def test_a_call_that_was_not_signed_is_sent_as_it_was(wxpay: Any, control: Any) -> None:
    control.post("send", target="/v3/nothing", signed=False)
    (first,) = control.get("journal")["exchanges"]
    assert "1 calls compared, 0 differences" in wxpay("replay", str(first["number"]))
    statuses = [one["status"] for one in control.get("journal")["exchanges"]]
    assert statuses == [401, 401]


@pytest.mark.parametrize(
    ("what", "status", "says"),
    [
        ("999999", 2, "not, or no longer, in the journal"),
        ("nowhere.jsonl", 2, "neither a number nor a file"),
    ],
)
def test_what_is_not_there_is_said(
    wxpay: Any, what: str, status: int, says: str
) -> None:
    assert says in wxpay("replay", what, status=status)


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"kind": "call"}'])
def test_what_is_no_recording_is_refused(wxpay: Any, tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(text)
    assert "recording" in wxpay("replay", str(file), status=2)
