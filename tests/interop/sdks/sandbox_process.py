"""``wxpay sandbox`` in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

PATIENCE = 20.0


class Sandbox:
    """A running ``wxpay sandbox``, commanded by its control API."""

    def __init__(self, mode: str, folder: Path) -> None:
        self.mode = mode
        self.folder = folder
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-W", "error", "-m", "wechatpay_chain", "sandbox"),
                *("--dir", str(folder), "--mode", mode, "--json"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(self._process.communicate(timeout=PATIENCE)[1])
        #: The ready line.
        self.facts: dict[str, Any] = json.loads(line)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def private_key(self) -> Path:
        """The merchant's private key, in its file."""
        return self.folder / "apiclient_key.pem"

    @property
    def certs(self) -> dict[str, Path]:
        """What the merchant verifies answers with, by id."""
        if self.mode == "public_key":
            return {self.public_key_id: self.folder / "pub_key.pem"}
        serials = self.certificate_serials
        return {one: self.folder / f"wechatpay_{one}.pem" for one in serials}

    @property
    def now(self) -> str:
        """What time it is in the gateway, as PayScore writes it."""
        return self._beijing("%Y%m%d%H%M%S", 0)

    @property
    def billed_day(self) -> str:
        """The day of the latest bill, made by 10:00 of the next, as bills write it."""
        return self._beijing("%Y-%m-%d", -(24 + 10) * 3600)

    def _beijing(self, form: str, later: int) -> str:
        moment = self.see("clock")["now"] + 8 * 3600 + later
        return time.strftime(form, time.gmtime(moment))

    def act(self, command: str, **given: Any) -> Any:
        """What a user or the bank does: ``act("user/confirm", out_order_no=...)``."""
        return self._ask(command, json.dumps(given).encode())

    def see(self, what: str) -> Any:
        """What is in the gateway: ``see("orders/ORDER-1")``."""
        return self._ask(what, None)

    def state(self, number: str) -> str:
        """The state of the PayScore order *number*."""
        return str(self.see(f"orders/{number}")["order"]["state"])

    def _ask(self, path: str, body: bytes | None) -> Any:
        request = Request(f"{self.base_url}/_sandbox/{path}", body)
        request.add_header("Content-Type", "application/json")
        try:
            with urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                raise AssertionError(error.read().decode()) from None

    def close(self) -> None:
        """End it, which it does at once and without a word."""
        self._process.terminate()
        _, errors = self._process.communicate(timeout=PATIENCE)
        assert (self._process.returncode, errors) == (0, "")
