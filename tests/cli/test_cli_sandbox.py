"""``wxpay sandbox``: files, the ready line, signals, and why it cannot begin."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from wechatpay_chain import WeChatPay
from wechatpay_chain.sandbox import Gateway

COMMAND = (sys.executable, "-W", "error", "-m", "wechatpay_chain", "sandbox")


@contextmanager
def running(*options: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the line that it printed when it was ready."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def failing(*options: object) -> tuple[int, str]:
    """Status and stderr of a process that cannot begin."""
    done = subprocess.run(
        [*COMMAND, *map(str, options)], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def client(facts: dict[str, Any]) -> WeChatPay:
    return WeChatPay.from_file(Path(facts["dir"]) / "wechatpay.toml")


@pytest.mark.parametrize("mode", ["public_key", "certificate", "migrating"])
def test_a_client_made_from_its_files_works(
    tmp_path: Path, mode: str, call: Any
) -> None:
    with running("--dir", tmp_path, "--mode", mode, "--json") as (_, line):
        facts = json.loads(line)
        made = client(facts)
        reply = call(made.v3.security.echo.post, {"echo_message": "hi"})
        assert reply.verified
        [certificate] = facts["certificate_serials"]
        # Who has the public key asks for it.
        expected = certificate if mode == "certificate" else facts["public_key_id"]
        assert reply.serial == expected
        call.close(made)


def test_the_ready_line_tells_what_a_program_needs(tmp_path: Path) -> None:
    with running("--dir", tmp_path, "--json", "--seed", 7) as (_, line):
        facts = json.loads(line)
    assert list(facts) == [
        *("base_url", "dir", "mchid", "serial", "public_key_id", "apiv3_key"),
        *("secret", "appid", "service_id", "sub_mchid", "certificate_serials"),
    ]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", facts["base_url"])
    assert facts["dir"] == str(tmp_path)
    assert facts["public_key_id"].endswith("7")


def test_for_people_it_is_one_line(tmp_path: Path) -> None:
    with running("--dir", tmp_path) as (_, line):
        assert line.startswith("wxpay sandbox: ready at http://127.0.0.1:")
        assert str(tmp_path) in line


def test_it_says_everywhere_what_exists(tmp_path: Path) -> None:
    gateway = Gateway(seed=1)
    exists = {
        "appid": gateway.appid,
        "service_id": gateway.service_id,
        "sub_mchid": gateway.sub_mchid,
    }
    with running("--dir", tmp_path) as (_, line):
        url = re.search(r"http://[\d.:]+\d", line)[0]
        index = requests.get(f"{url}/_sandbox/", timeout=10).json()
    told = (tmp_path / "wechatpay.toml").read_text("utf-8")
    for name, value in exists.items():
        assert f"{name} {value}" in line
        assert index[name] == value
        assert f'# {name} = "{value}"\n' in told


def test_the_files_are_those_of_a_merchant(tmp_path: Path) -> None:
    with running("--dir", tmp_path / "new", "--json") as (_, line):
        facts = json.loads(line)
        folder = Path(facts["dir"])
        [serial] = facts["certificate_serials"]
        assert sorted(os.listdir(folder)) == sorted(
            [
                *("apiclient_cert.p12", "apiclient_cert.pem", "apiclient_key.pem"),
                *("pub_key.pem", "wechatpay.toml", f"wechatpay_{serial}.pem"),
            ]
        )
        for name in ("apiclient_key.pem", "apiclient_cert.p12", "wechatpay.toml"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        key = load_pem_private_key((folder / "apiclient_key.pem").read_bytes(), None)
        pem = (folder / "apiclient_cert.pem").read_bytes()
        own = x509.load_pem_x509_certificate(pem)
        assert own.public_key() == key.public_key()
        assert f"{own.serial_number:X}" == facts["serial"]
        packed = (folder / "apiclient_cert.p12").read_bytes()
        password = facts["mchid"].encode()
        _, held, _ = pkcs12.load_key_and_certificates(packed, password)
        assert held == own
        pem = (folder / f"wechatpay_{serial}.pem").read_bytes()
        assert f"{x509.load_pem_x509_certificate(pem).serial_number:X}" == serial


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_without_a_folder_the_files_are_there_until_the_end(
    number: signal.Signals,
) -> None:
    with running("--json") as (process, line):
        folder = Path(json.loads(line)["dir"])
        assert (folder / "wechatpay.toml").exists()
        process.send_signal(number)
        assert process.wait() == 0
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_0_and_without_a_word(
    tmp_path: Path, number: signal.Signals
) -> None:
    with running("--dir", tmp_path, "--json") as (process, line):
        with client(json.loads(line)) as made:  # and its connection stays open
            assert made.v3.security.echo.post({"echo_message": "hi"}).verified
            process.send_signal(number)
            _, stderr = process.communicate()
        assert (process.returncode, stderr) == (0, "")


def test_a_signal_ends_unfinished_requests_without_a_word(tmp_path: Path) -> None:
    with running("--dir", tmp_path, "--json") as (process, line):
        _, _, port = json.loads(line)["base_url"].rpartition(":")
        with socket.create_connection(("127.0.0.1", int(port))) as asking:
            asking.sendall(
                b"POST /v3/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
                b"Expect: 100-continue\r\n\r\n"
            )
            assert asking.recv(64).startswith(b"HTTP/1.1 100")  # it waits for the body
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate()
            assert asking.recv(64) == b""
        assert (process.returncode, stderr) == (0, "")


def test_orders_and_keys_outlive_the_process(tmp_path: Path) -> None:
    options = ("--dir", tmp_path / "files", "--state", tmp_path / "world.db", "--json")
    seen: list[dict[str, Any]] = []
    for _ in range(2):
        with running(*options) as (process, line):
            facts = json.loads(line)
            seen.append(facts)
            key = (tmp_path / "files/apiclient_key.pem").read_bytes()
            with client(facts) as made:
                orders = made.v3.payscore.serviceorder
                who = {"appid": facts["appid"], "service_id": facts["service_id"]}
                if len(seen) == 1:
                    first = key
                    orders.post(
                        {
                            **who,
                            "out_order_no": "ORDER-1",
                            "service_introduction": "共享充电宝",
                            "time_range": {"start_time": "OnAccept"},
                            "risk_fund": {"name": "DEPOSIT", "amount": 10000},
                            "notify_url": "https://merchant.example/notify",
                        }
                    )
                query = orders.get(params={**who, "out_order_no": "ORDER-1"})
                assert query["state"] == "CREATED"
            process.send_signal(signal.SIGTERM)
            assert process.wait() == 0
    assert key == first
    different = {name for name in facts if facts[name] != seen[0][name]}
    assert different <= {"base_url"}


def test_a_folder_of_its_own_is_written_again(tmp_path: Path) -> None:
    for _ in range(2):
        with running("--dir", tmp_path, "--json") as (_, line):
            assert json.loads(line)["dir"] == str(tmp_path)


@pytest.mark.parametrize("name", ["apiclient_key.pem", "wechatpay.toml"])
def test_keys_that_may_be_real_are_not_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("real")
    status, told = failing("--dir", tmp_path)
    assert status == 1
    assert told.count("\n") == 1
    assert f"{tmp_path / name} was not written by the sandbox" in told
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "real"


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, told = failing("--port", port, "--dir", tmp_path / "x")
    assert (status, told) == (
        1,
        f"Error: sandbox: 127.0.0.1:{port}: Address already in use\n",
    )
    assert not (tmp_path / "x").exists()


def test_what_cannot_be_done_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for options, status, told in (
        (
            ("--host", "0.0.0.0"),
            1,
            "--host: 0.0.0.0 can be reached from other machines",
        ),
        (("--host", "sandbox.invalid"), 1, "take 127.0.0.1, ::1 or localhost"),
        (("--dir", file / "below"), 1, "Not a directory"),
        (("--state", tmp_path / "no" / "x.db"), 1, "No such file or directory"),
        (("--state", file), 1, "is no state file"),
        (("--mode", "none"), 2, "Invalid value for '--mode'"),
        (("--port", 70000), 2, "Invalid value for '--port'"),
    ):
        found, said = failing(*options)
        assert found == status, said
        assert told in said
        assert "Traceback" not in said
        assert "remote=True" not in said  # which is Python's
        assert said.count("\n") == 1 or status == 2


def test_a_state_file_in_use_or_of_another_world_is_named(tmp_path: Path) -> None:
    state = tmp_path / "world.db"
    with running("--state", state, "--json"):
        status, told = failing("--state", state)
        assert status == 1
        assert "is in use by another gateway" in told
    status, told = failing("--state", state, "--seed", 2)
    assert (status, told) == (
        1,
        "Error: sandbox: seed: the state file holds a world of seed 1, not 2\n",
    )
