"""A client of the npm package wechatpay-axios-plugin, in a process of Node.js."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any


class Axios:
    """A client of theirs in a process of Node.js."""

    def __init__(self, npm: Any) -> None:
        self._process = subprocess.Popen(
            [npm.program, npm.packages.parent / "drive.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def connect(self, sandbox: Any, certs: dict[str, Path]) -> None:
        """Make the client, with keys from files."""
        self.tell(
            "connect",
            baseURL=sandbox.base_url,
            mchid=sandbox.mchid,
            serial=sandbox.serial,
            privateKey=str(sandbox.private_key),
            certs={name: str(path) for name, path in certs.items()},
            secret=sandbox.secret,
        )

    def post(self, chain: str, data: Any, **options: Any) -> Any:
        """Status and data of an answer that they verified, or of a refusal."""
        return self.tell("call", chain=chain, verb="post", given=[data, options])

    def get(self, chain: str, params: Any, **options: Any) -> Any:
        given = [{"params": params, **options}]
        return self.tell("call", chain=chain, verb="get", given=given)

    def tell(self, act: str, **given: Any) -> Any:
        """What ``drive.mjs`` answers to one of its acts."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"act": act, **given}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "their client gave up; its error is above"
        return json.loads(answer)

    def close(self) -> None:
        self._process.communicate(timeout=20)
        assert self._process.returncode == 0
