"""Processes share certificates: over a directory, and after a fork."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from certificate_gateway import entry
from certificate_worker import work
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_private_key
from wire_server import Received, http


class Platform:
    """Answers over a socket, signed by the newer certificate."""

    def __init__(self, keys: Any) -> None:
        self.keys = keys.vectors["keys"]
        self._serial = self.keys["platform_cert_new_serial_no"]
        material = self.keys["platform_cert_new_private_pkcs8_der_base64"]
        self._key: Any = load_der_private_key(b64decode(material), None)

    def __call__(self, received: Received) -> bytes:
        listed = {"data": [entry(self, "new")]}
        asked = received.target == "/v3/certificates"
        body = json.dumps(listed if asked else {"target": received.target}).encode()
        stamp, nonce = str(int(time.time())), "5f7a1c0e9b3d4826"
        message = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        signature = self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        headers = {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": self._serial,
            "Wechatpay-Signature": b64encode(signature).decode(),
            "Content-Type": "application/json",
        }
        return http(200, body, headers)


def test_a_fleet_on_one_directory_downloads_once(
    serve: Any, settings: Any, keys: Any, tmp_path: Path
) -> None:
    server = serve(Platform(keys))
    folder = tmp_path / "certificates"
    options = settings(
        server,
        certs=None,
        private_key=keys.text("merchant_private_key_pkcs8_der_base64"),
        apiv3_key=keys.text("apiv3_key"),
        certificate_store=str(folder),
    )
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(4)
    modes = ["sync", "async", "sync", "async"]
    fleet = [spawn.Process(target=work, args=(options, start, mode)) for mode in modes]
    for process in fleet:
        process.start()
    for process in fleet:
        process.join(50)
    assert [process.exitcode for process in fleet] == [0, 0, 0, 0]
    assert sorted(received.target for received in server.requests) == [
        "/v3/certificates",
        *["/v3/x"] * 4,
    ]
    assert [file.suffix for file in folder.iterdir()] == [".certificates"]


def test_a_child_that_was_forked_during_a_download_makes_its_own() -> None:
    program = Path(__file__).with_name("certificate_worker.py")
    done = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
