"""``wxpay demo``: what it shows, and that it notices whatever does not hold."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import pytest
from click.testing import CliRunner, Result

from wechatpay_chain import Headers, Response
from wechatpay_chain.cli import main
from wechatpay_chain.cli.demo import visible
from wechatpay_chain.cli.program import program
from wechatpay_chain.cli.story import Step, Teller
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.products.orders import Order
from wechatpay_chain.sandbox.products.payscore import PayScore
from wechatpay_chain.sandbox.products.payscore_access import Access
from wechatpay_chain.sandbox.routing import Answer
from wechatpay_chain.sandbox.signatures.signing import Sealer


def demo(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["demo", *arguments], prog_name="wxpay")


def test_demo_exits_0_and_says_that_all_held() -> None:
    result = demo()
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.rstrip().endswith(
        "12 calls signed, 12 answers verified, 4 orders cancelled"
    )


CANCELS = [
    "client.v3.payscore.serviceorder._out_order_no_.cancel.post",
    "client.v3.payscore.serviceorder._out_order_no_.cancel.post_async",
    "client.v3.payscore.partner.serviceorder._out_order_no_.cancel.post",
    "client.v3.payscore.partner.serviceorder._out_order_no_.cancel.post_async",
]


def test_demo_shows_each_way_with_message_verdict_and_state() -> None:
    lines = [line.strip() for line in demo().stdout.splitlines()]
    for call in CANCELS:
        at = lines.index(f"cancel         {call}")
        partner = ".partner." in call
        role, mode = (
            "PARTNER" if partner else "DIRECT",
            "ASYNC" if call.endswith("_async") else "SYNC",
        )
        path = call.split(".")[2:-3]
        assert lines[at + 1] == "│ POST⏎"
        assert lines[at + 2] == f"│ /v3/{'/'.join(path[0:])}/DEMO-{role}-{mode}/cancel⏎"
        assert lines[at + 3] == "│ 1717225200⏎"
        assert lines[at + 5].endswith('"reason":"用户投诉"}⏎')
        status = "204, no body" if partner else "200, 5 fields"
        assert lines[at + 6].startswith(f"{status}, verified by PUB_KEY_ID_")
        assert lines[at + 7] == "the order is REVOKED"


def test_demo_fits_into_100_columns() -> None:
    for line in demo().stdout.splitlines():
        assert sum(2 if east_asian_width(char) in "WF" else 1 for char in line) <= 100


@pytest.mark.parametrize("term", ["支付分订单", "普通商户", "服务商"])
def test_each_chinese_term_stands_once(term: str) -> None:
    assert demo().stdout.count(term) == 1


def test_json_holds_every_step() -> None:
    result = demo("--json")
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert data["ok"] is True
    assert [(run["role"], run["mode"]) for run in data["runs"]] == [
        ("direct", "sync"),
        ("direct", "async"),
        ("partner", "sync"),
        ("partner", "async"),
    ]
    for run in data["runs"]:
        steps = run["steps"]
        assert [step["name"] for step in steps] == [
            "create",
            "user confirms",
            "cancel",
            "query",
        ]
        assert [step["state"] for step in steps] == [
            "CREATED",
            "CONFIRMED",
            "REVOKED",
            "REVOKED",
        ]
        signed = [step for step in steps if "signed" in step]
        assert len(signed) == 3
        assert all(step["verified"] for step in signed)
        assert {step["serial"] for step in signed} == {data["public_key_id"]}
        cancel = 204 if run["role"] == "partner" else 200
        assert [step["status"] for step in signed] == [200, cancel, 200]
        assert steps[3]["signed"].endswith("\n\n")


def answering(change: Callable[[Answer], Answer]) -> Callable[..., Answer]:
    genuine = PayScore.cancel
    return lambda self, call: change(genuine(self, call))


def sealing(change: Callable[[Response], Response]) -> Callable[..., Response]:
    genuine = Sealer.seal
    return lambda *args, **kwargs: change(genuine(*args, **kwargs))


def with_header(name: str, value: str) -> Callable[[Response], Response]:
    return lambda response: response.replace(
        headers=Headers({**response.headers, name: value})
    )


SABOTAGE: dict[str, tuple[Any, str, Any, str]] = {
    "partner gets a body": (
        PayScore,
        "cancel",
        answering(lambda answer: Answer(200, answer.data or {})),
        "partner, sync, cancel: status: expected 204, got 200",
    ),
    "direct gets none": (
        PayScore,
        "cancel",
        answering(lambda answer: Answer(204)),
        "direct, sync, cancel: status: expected 200, got 204",
    ),
    "sixth field": (
        PayScore,
        "cancel",
        answering(lambda answer: Answer(answer.status, {**answer.data, "x": 1})),
        "direct, sync, cancel: fields: expected",
    ),
    "another order_id": (
        PayScore,
        "cancel",
        answering(lambda answer: Answer(200, {**answer.data, "order_id": "1"})),
        "direct, sync, cancel: order_id: expected",
    ),
    "nothing happens": (
        Order,
        "cancel",
        lambda self, body, at: None,
        "direct, sync, cancel: state of the order: expected 'REVOKED', got 'CONFIRMED'",
    ),
    "bad signature": (
        Sealer,
        "seal",
        sealing(with_header("Wechatpay-Nonce", "changed")),
        "direct, sync, create: the signature by PUB_KEY_ID_",
    ),
    "no signature": (
        Sealer,
        "seal",
        sealing(
            lambda response: response.replace(
                headers=response.headers.without("Wechatpay-Signature")
            )
        ),
        "direct, sync, create: the answer is not signed",
    ),
    "every call is refused": (
        Access,
        "permit",
        lambda self, merchant, given: 1 / 0,
        "direct, sync, create: ZeroDivisionError: division by zero",
    ),
}


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize("name", list(SABOTAGE))
def test_demo_notices(
    monkeypatch: pytest.MonkeyPatch, name: str, as_json: bool
) -> None:
    owner, attribute, replacement, expected = SABOTAGE[name]
    monkeypatch.setattr(owner, attribute, replacement)
    result = demo(*["--json"] * as_json)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert expected in result.stderr
    assert "held" not in result.stdout
    assert '"ok"' not in result.stdout


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(program, ["--help"], prog_name="wxpay")
    assert result.exit_code == 0
    assert re.search(r"\bdemo +Create, confirm, cancel", result.stdout)


def test_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(program, ["dmeo"], prog_name="wxpay")
    assert result.exit_code == 2
    assert "No such command 'dmeo'" in result.stderr


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        check=False,
    )


def test_module_is_the_same_program() -> None:
    done = run("-m", "wechatpay_chain", "demo", "--json", PYTHONUTF8="1")
    assert done.returncode == 0
    assert json.loads(done.stdout)["ok"] is True


def test_terminal_without_chinese_gets_marks_instead_of_an_error() -> None:
    done = run(
        "-m", "wechatpay_chain", "demo", PYTHONIOENCODING="latin-1", PYTHONUTF8="0"
    )
    assert done.returncode == 0
    assert "one PayScore order (?????) each way" in done.stdout


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "No space left")])
def test_output_that_fails_is_no_failure_of_the_story(
    mode: str, error: Exception
) -> None:
    def tell(step: Step) -> None:
        raise error

    with pytest.raises(OSError) as caught:  # noqa: PT011 - the very object
        Teller(Gateway(seed=1), tell).play("direct", mode, "DEMO-1")
    assert caught.value is error


@pytest.mark.parametrize(
    "arguments",
    [
        *(["demo"], ["demo", "--json"], ["--help"], ["demo", "--help"], ["api"]),
        ["doctor", "--offline", "--config", os.devnull],
    ],
)
def test_a_broken_pipe_ends_quietly(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "wechatpay_chain", *arguments],
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("arguments", [["demo"], ["demo", "--json"], ["--help"]])
def test_output_that_cannot_be_written_is_one_line(
    tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "out").touch()
    with open(tmp_path / "out", "rb") as unwritable:
        done = subprocess.run(
            [sys.executable, "-m", "wechatpay_chain", *arguments],
            stdout=unwritable,
            stderr=subprocess.PIPE,
            check=False,
        )
    expected = f"wxpay: output: Bad file descriptor{os.linesep}"
    assert (done.returncode, done.stderr.decode()) == (1, expected)


def test_missing_click_is_named_with_the_extra() -> None:
    code = (
        "import sys; sys.modules['click'] = None\n"
        "from wechatpay_chain.cli import main; main()"
    )
    done = run("-c", code)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "wxpay: click is missing; run: pip install 'wechatpay-chain[cli]'\n"
    )


def test_any_other_missing_module_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "wechatpay_chain.cli.program", None)
    with pytest.raises(ModuleNotFoundError, match="program"):
        main()


def test_commands_are_loaded_when_they_run() -> None:
    code = (
        "import sys; import wechatpay_chain.cli.program;"
        "print([m for m in sys.modules if m.startswith('wechatpay_chain.sandbox')])"
    )
    assert run("-c", code).stdout.strip() == "[]"


LINES = [
    ("GET\n/v3\n\n", 80, ["GET⏎", "/v3⏎", "⏎"]),
    ('{"a":1,"b":2}\n', 8, ['{"a":1,', '"b":2}⏎']),
    ("/v3?a=1&b=2\n", 8, ["/v3?a=1", "&b=2⏎"]),
    ("用户,投诉\n", 7, ["用户,", "投诉⏎"]),
]


@pytest.mark.parametrize(("text", "width", "rows"), LINES)
def test_signed_text_is_cut_between_its_members(
    text: str, width: int, rows: list[str]
) -> None:
    assert list(visible(text, width)) == rows
