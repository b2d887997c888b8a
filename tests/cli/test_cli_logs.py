"""``wxpay logs``, against a sandbox in another process."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain.cli.logs import _Following
from wechatpay_chain.sandbox.recording import recorder


@pytest.fixture
def past(control: Any) -> Any:
    """Three calls, of which one was refused."""
    control.post("trigger", event="payscore.cancelled")
    control.post("send", target="/v3/payscore/nothing?openid=me", method="GET")
    return control


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_for_each_call(wxpay: Any, past: Any) -> None:
    lines = wxpay("logs", "tail", "--once").splitlines()
    assert len(lines) == 3
    assert "200  POST    /v3/payscore/serviceorder  1900000001  ok" in lines[0]
    assert "404  GET     /v3/payscore/nothing" in lines[2]


@pytest.mark.parametrize(
    ("filters", "statuses"),
    [
        (["--status", "404"], [404]),
        (["--status", "2xx"], [200, 200]),
        (["--path", "cancel"], [200]),
        (["--merchant", "1900000001"], [200, 200, 404]),
        (["--merchant", "1900000002"], []),
        (["--verdict", "refused"], [404]),
        (["--verdict", "ok"], [200, 200]),
        (["-n", "1"], [404]),
        (["-n", "0"], []),
        (["-n", "1", "--status", "2xx"], [200]),
    ],
)
def test_filters(
    wxpay: Any, past: Any, filters: list[str], statuses: list[int]
) -> None:
    found = rows(wxpay("logs", "tail", "--once", "--json", *filters))
    assert [one["status"] for one in found] == statuses


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--verdict", "nonsense"], "'nonsense'; there are ok, route_unknown"),
        (["-n", "-3"], "-3 is not in the range x>=0"),
    ],
)
def test_a_filter_that_fits_nothing_is_refused(
    wxpay: Any, past: Any, given: list[str], says: str
) -> None:
    assert says in wxpay("logs", "tail", "--once", *given, status=2)


def test_a_verdict_may_still_come(wxpay: Any, past: Any) -> None:
    tail = wxpay.start("logs", "tail", "--verdict", "authorization_missing")
    assert "no call has 'authorization_missing'" in tail.err.take()[0]
    past.post("send", target="/v3/certificates", signed=False)
    assert "authorization_missing" in tail.out.take()[0]
    assert tail.end(signal.SIGINT) == 0


def test_a_status_that_is_none_is_refused(wxpay: Any) -> None:
    text = wxpay("logs", "tail", "--once", "--status", "4x", status=2)
    assert "404 or 4xx expected" in text


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_follows_until_it_is_ended(wxpay: Any, past: Any, end: int) -> None:
    tail = wxpay.start("logs", "tail", "-n", "1", "--json")
    assert [one["status"] for one in rows(tail.out.take()[0])] == [404]
    past.post("trigger", event="payscore.created")
    past.post("send", target="/v3/nothing", method="GET")
    found = rows("\n".join(tail.out.take(2)))
    assert [one["status"] for one in found] == [200, 404]
    assert tail.end(end) == 0


def test_what_is_saved_is_a_recording(wxpay: Any, past: Any, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    assert "entries in" in wxpay("logs", "save", str(file))
    kinds = [one["kind"] for one in recorder.load(file)]
    assert kinds.count("call") == 3
    assert kinds[0] == "recording"
    assert "signature=" not in file.read_text("utf-8")


class Endless:
    """A sandbox that gets two calls between looks, of which the latter takes long."""

    def __init__(self) -> None:
        self.latest = 0

    def get(self, name: str, *, after: int, limit: int) -> dict[str, Any]:
        self.latest += 2
        numbers = range(after + 1, self.latest + 1)
        return {
            "exchanges": [
                {"number": number, "over": number < self.latest} for number in numbers
            ]
        }


def test_a_long_watch_keeps_few_numbers() -> None:
    sandbox: Any = Endless()
    following = _Following(sandbox)
    printed = [one["number"] for _ in range(500) for one in following.new()]
    assert printed == list(range(1, 1000))
    assert len(following._seen) < 5
