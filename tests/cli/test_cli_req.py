"""``wxpay req``: one signed call, by path or chain, and what comes of it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wechatpay_chain.cli import req
from wechatpay_chain.cli.program import program
from wechatpay_chain.sandbox import ReplyLost

ECHO = "v3/security/echo"


def last(desk: Any) -> Any:
    """The request that the gateway got last."""
    return [*desk.gateway.journal][-1].request


@pytest.mark.parametrize(
    "path", [ECHO, f"/{ECHO}", "v3.security.echo", "client.v3.security.echo.post"]
)
def test_a_path_or_a_chain_is_called(desk, path: str) -> None:
    result = desk.run("req", path, "-X", "post", "-d", '{"echo_message": "hi"}')
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"echo_message": "hi"}
    assert last(desk).target == f"/{ECHO}"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (
            "https://api.mch.weixin.qq.com/v3/bill/tradebill?a=b",
            "/v3/bill/tradebill?a=b",
        ),
        ("HTTPS://API2.mch.weixin.qq.com/v3/certificates", "/v3/certificates"),
        ("{base_url}/v3/certificates", "/v3/certificates"),
        ("https://api.mch.weixin.qq.com/pay/orderquery", "/pay/orderquery"),
    ],
)
def test_a_url_is_called_where_the_configuration_says(
    desk, url: str, target: str
) -> None:
    body = ("-d", "{}") if target == "/pay/orderquery" else ()
    desk.run("req", url.format(base_url=desk.base_url), *body)
    assert last(desk).target == target


@pytest.mark.parametrize(
    "origin",
    ["https://mch.weixin.qq.com.example.com", "http://api.mch.weixin.qq.com",
     "https://api.mch.weixin.qq.com@example.com", "http://127.0.0.1:1",
     "https://example.com?.mch.weixin.qq.com"],
)  # fmt: skip
def test_for_another_host_nothing_is_signed(desk, origin: str) -> None:
    result = desk.run("req", f"{origin}/v3/certificates")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert f"{origin} is neither WeChat Pay's nor the base_url" in line
    assert len(desk.gateway.journal) == 0


def test_a_body_makes_it_a_post(desk) -> None:
    desk.run("req", ECHO, "-d", '{"echo_message": "hi"}')
    assert last(desk).method == "POST"


def test_without_a_body_it_is_a_get(desk) -> None:
    result = desk.run(
        "req",
        "v3/payscore/serviceorder",
        *("-q", "service_id=500001", "-q", "out_order_no=a=b", "-q", "appid=wx1"),
    )
    assert last(desk).method == "GET"
    assert "out_order_no=a%3Db" in last(desk).target
    assert result.exit_code == 1


def test_placeholders_and_headers_are_filled(desk) -> None:
    desk.run(
        "req",
        "v3/payscore/serviceorder/{out_order_no}/cancel",
        *("-p", "out_order_no=ORDER-1", "-H", "X-Shop: 7"),
        *("-d", '{"appid": "wx1", "service_id": "500001", "reason": "r"}'),
    )
    assert last(desk).target == "/v3/payscore/serviceorder/ORDER-1/cancel"
    assert last(desk).headers["X-Shop"] == "7"


@pytest.mark.parametrize("how", ["file", "stdin"])
def test_the_body_may_come_from_a_file_or_stdin(desk, how: str) -> None:
    text = (
        '\ufeff{"echo_message": "文件"}'
        if how == "file"
        else '{"echo_message": "文件"}'
    )
    path = desk.folder / "body.json"
    path.write_text(text, "utf-8")
    given = f"@{path}" if how == "file" else "@-"
    result = desk.run("req", ECHO, "-d", given, input=text)
    assert json.loads(result.stdout) == {"echo_message": "文件"}


def test_a_pipe_gets_the_bytes_of_the_answer(desk) -> None:
    result = desk.run("req", ECHO, "-d", '{"echo_message": "hi"}')
    assert result.stdout_bytes == [*desk.gateway.journal][-1].response.content


def test_json_tells_of_the_answer_too(desk) -> None:
    result = desk.run("req", ECHO, "-d", '{"echo_message": "hi"}', "--json")
    told = json.loads(result.stdout)
    assert told["status_code"] == 200
    assert told["verified"] is True
    assert told["serial"] == desk.gateway.public_key_id
    assert told["data"] == {"echo_message": "hi"}


def test_an_upload_is_built_and_signed(desk, tmp_path: Path) -> None:
    path = tmp_path / "shop.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    path_of = "v3/merchant/media/upload"
    result = desk.run("req", path_of, "-F", f"file={path}", "--json")
    assert b'filename="shop.png"' in last(desk).body
    assert json.loads(result.stdout)["data"]["media_id"]


def test_a_file_is_written_with_out(desk, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    result = desk.run("req", ECHO, "-d", '{"echo_message": "hi"}', "--out", str(path))
    assert result.stdout == f"{path}\n"
    assert json.loads(path.read_text()) == {"echo_message": "hi"}


def test_a_dash_is_stdout_and_a_file_of_that_name_is_not(
    desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call = ("req", ECHO, "-d", '{"echo_message": "hi"}')
    assert desk.run(*call, "-o", "-").stdout == desk.run(*call).stdout
    assert not Path("-").exists()
    assert desk.run(*call, "-o", "./-").stdout == "-\n"
    assert json.loads(Path("./-").read_text()) == {"echo_message": "hi"}


# How it fails.


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "wxpay req: Missing argument 'PATH'. (wxpay req --help)"),
        (("v3/x", "--nonsense"), "wxpay req: No such option"),
        (("v3/x", "-X", "trace"), "wxpay req: Invalid value for '-X' / '--method':"),
        (("v3/x", "-q", "a"), "wxpay req: Invalid value for -q: NAME=VALUE expected"),
    ],
)
def test_what_is_used_wrongly_is_one_line_too(desk, arguments, line: str) -> None:
    result = desk.run("req", *arguments)
    assert result.exit_code == 2
    (told,) = result.stderr.splitlines()
    assert told.startswith(line)


def test_a_link_to_a_descriptor_is_refused_before_anything_is_sent(
    desk, tmp_path: Path
) -> None:
    link = tmp_path / "so"
    with open(tmp_path / "stdout", "wb") as file:
        link.symlink_to(f"/dev/fd/{file.fileno()}")
        call = ("req", ECHO, "-d", '{"echo_message": "x"}', "-o", str(link))
        result = desk.run(*call)
    assert result.exit_code == 2
    assert result.stderr == f"wxpay req: {link}: not a regular file\n"
    assert link.is_symlink()
    assert len(desk.gateway.journal) == 0


def test_a_refusal_is_one_line_and_status_1(desk) -> None:
    result = desk.run("req", "v3/pay/transactions/id/42?mchid=1900000001")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("wxpay req: HTTP 4")
    assert "Request-ID" in line
    assert result.stdout == ""


def test_a_refusal_is_json_for_machines(desk) -> None:
    result = desk.run("req", ECHO, "-d", "{}", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)["error"]
    assert told["type"] == "BadRequest"
    assert told["code"] == "PARAM_ERROR"
    assert told["outcome"] == "refused"
    assert told["status_code"] == 400


def test_no_connection_says_what_to_check(desk) -> None:
    config = desk.configure(base_url="http://127.0.0.1:9", retry=1)
    result = desk.run("req", ECHO, "-d", "{}", config=config)
    assert result.exit_code == 1
    assert "check the network, proxies and base_url" in result.stderr


def test_a_lost_answer_is_status_3_and_says_to_query(desk) -> None:
    desk.gateway.faults.add(fault=ReplyLost())
    config = desk.configure(retry=1)
    result = desk.run("req", ECHO, "-d", '{"echo_message": "x"}', config=config)
    assert result.exit_code == 3, result.output
    assert "it may have been carried out: query it" in result.stderr


def test_an_answer_that_is_not_proven_is_status_4(desk) -> None:
    (serial,) = desk.gateway.certificates
    certs = {serial: str(desk.folder / f"wechatpay_{serial}.pem")}
    config = desk.configure(certs=certs, apiv3_key=None)
    result = desk.run("req", ECHO, "-d", '{"echo_message": "x"}', config=config)
    assert result.exit_code == 4, result.output
    assert "wxpay doctor" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("v3/x", "-d", "{broken"), "this is no JSON"),
        (("v3/x", "-d", "@/nowhere.json"), "/nowhere.json: No such file"),
        (("v3/x", "-q", "nothing"), "NAME=VALUE expected, got 'nothing'"),
        (("v3/x", "-H", "nothing"), "NAME:VALUE expected"),
        (("v3/x", "-X", "BREW"), "is not one of"),
        (("v3/x/{y}",), "y"),
        (("nonsense{",), "nonsense{"),
        (
            ("v3/merchant/media/upload", "-F", "file=/nowhere.png"),
            "cannot read nowhere",
        ),
    ],
)
def test_what_is_used_wrongly_is_status_2(desk, arguments, reason: str) -> None:
    result = desk.run("req", *arguments)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert len(desk.gateway.journal) == 0


def test_a_place_that_cannot_be_written_is_found_before_the_call(
    desk, tmp_path: Path
) -> None:
    out = tmp_path / "no" / "x"
    result = desk.run("req", ECHO, "-d", '{"echo_message": "x"}', "-o", str(out))
    assert result.exit_code == 2
    assert result.stderr == f"wxpay req: {out}: No such file or directory\n"
    assert len(desk.gateway.journal) == 0


def test_an_answer_that_cannot_be_written_leaves_it_open(
    desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(req, "_print", write)
    result = desk.run("req", ECHO, "-d", '{"echo_message": "x"}')
    assert len(desk.gateway.journal) == 1
    assert result.exit_code == 3
    assert "No space left on device; the answer, 200, is lost" in result.stderr


def test_who_has_seen_enough_of_an_answer_ends_it_as_elsewhere(desk) -> None:
    read, write = os.pipe()
    os.close(read)
    config = str(desk.folder / "wechatpay.toml")
    call = [ECHO, "-d", '{"echo_message": "x"}', "--config", config]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "wechatpay_chain", "req", *call],
            stdout=write,
            stderr=subprocess.PIPE,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")
    assert len(desk.gateway.journal) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-d", "{}"), "interrupted; it may have been carried out: query it"),
        (("-X", "GET"), "interrupted\n"),
    ],
)
def test_ctrl_c_tells_what_may_have_been_done(
    desk, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(req, "_verb", interrupt)
    result = desk.run("req", ECHO, *arguments)
    assert result.exit_code == 130
    assert says in result.stderr


def test_a_warning_is_one_line(desk) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = desk.run("req", ECHO, "-X", "GET")
    first, _ = result.stderr.splitlines()
    assert first == f"wxpay req: GET {ECHO}: method: POST expected, got GET (method)"


def test_stdin_holds_one_thing(desk) -> None:
    result = desk.run("req", ECHO, "-d", "@-", config="-", input="{}")
    assert result.exit_code == 2
    assert "stdin is either" in result.stderr


# Where the keys come from.


def run(*arguments: str, **options: Any) -> Any:
    return CliRunner().invoke(program, ["req", ECHO, *arguments], **options)


BODY = ("-d", '{"echo_message": "hi"}')


@pytest.mark.parametrize("how", ["variable", "folder", "environment", "stdin", "toml"])
def test_keys_come_from_a_file_the_environment_or_stdin(
    desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    monkeypatch.chdir(desk.folder if how in ("folder", "toml") else tmp_path)
    arguments, given = list(BODY), None
    if how == "variable":
        monkeypatch.setenv("WECHATPAY_CONFIG", str(desk.folder / "wechatpay.toml"))
    elif how == "environment":
        for name, value in desk.options.items():
            text = value if isinstance(value, str) else json.dumps(value)
            monkeypatch.setenv(f"WECHATPAY_{name.upper()}", text)
    elif how == "stdin":
        arguments += ["--config", "-"]
        given = json.dumps(desk.options)
    elif how == "toml":
        arguments += ["--config", "-"]
        given = (desk.folder / "wechatpay.toml").read_text("utf-8")
    result = run(*arguments, input=given)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"echo_message": "hi"}


def test_without_keys_it_says_where_they_are_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*BODY)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "the environment lacks WECHATPAY_MCHID" in line
    assert "give --config FILE" in line


def test_a_shell_completes_paths() -> None:
    variables = {
        "_WXPAY_COMPLETE": "bash_complete",
        "COMP_WORDS": "wxpay req v3/security/",
        "COMP_CWORD": "2",
    }
    result = CliRunner().invoke(program, prog_name="wxpay", env=variables)
    assert "plain,v3/security/echo" in result.stdout.splitlines()
