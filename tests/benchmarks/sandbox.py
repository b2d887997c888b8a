"""Load on the sandbox over HTTP: signed calls per second, and per second of its CPU.

``python tests/benchmarks/sandbox.py [--calls 4000] [--state FILE]``. The server is a
process of its own. Requests are signed beforehand and go over kept-alive sockets: what
is measured is the server.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from wechatpay_chain import crypto

CONNECTIONS = 4


def requests(facts: dict[str, str], key: Any, calls: int) -> list[bytes]:
    """Signed requests that create orders, as they go on the wire."""
    target, made = "/v3/payscore/serviceorder", []
    for number in range(calls):
        order = {
            "out_order_no": f"LOAD{number}",
            "appid": facts["appid"],
            "service_id": facts["service_id"],
            "service_introduction": "load",
            "time_range": {"start_time": "OnAccept"},
            "risk_fund": {"name": "DEPOSIT", "amount": 10000},
            "notify_url": "https://merchant.example/notify",
        }
        body = json.dumps(order).encode()
        now, nonce = str(int(time.time())), f"{number:032d}"
        text = crypto.request_message("POST", target, now, nonce, body)
        header = crypto.authorization(
            mchid=facts["mchid"],
            serial=facts["serial"],
            timestamp=now,
            nonce=nonce,
            signature=crypto.sign(text, key),
        )
        head = (
            f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"Authorization: {header}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def drive(port: int, share: list[bytes]) -> None:
    """Send one after another, and read each answer."""
    with socket.create_connection(("127.0.0.1", port)) as wire:
        stream = wire.makefile("rb")
        for request in share:
            wire.sendall(request)
            status, length = stream.readline(), 0
            assert b" 200 " in status, status
            while (line := stream.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            stream.read(length)


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--state")
    given = parser.parse_args()
    extra = ["--state", given.state] if given.state else []
    command = [sys.executable, "-m", "wechatpay_chain", "sandbox", "--json", *extra]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        try:
            measure(facts, process.pid, given.calls)
        finally:
            process.terminate()


def measure(facts: dict[str, str], pid: int, calls: int) -> None:
    """Drive the server, and print what it did."""
    pem = (Path(facts["dir"]) / "apiclient_key.pem").read_bytes()
    key = load_pem_private_key(pem, None)
    port = int(facts["base_url"].rpartition(":")[2])
    made = requests(facts, key, calls)
    shares = [made[at::CONNECTIONS] for at in range(CONNECTIONS)]
    threads = [threading.Thread(target=drive, args=(port, one)) for one in shares]
    before, used = time.perf_counter(), cpu(pid)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, used = time.perf_counter() - before, cpu(pid) - used
    print(
        f"{calls} creates over {CONNECTIONS} connections: "
        f"{calls / wall:.0f}/s of wall time, "
        f"{calls / used:.0f}/s of its CPU"
    )


if __name__ == "__main__":
    main()
