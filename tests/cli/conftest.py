"""A sandbox that is served, the files of its merchant, and the program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from running_sandbox import control, ready, wxpay  # noqa: F401 - fixtures

from wechatpay_chain.cli import outfit
from wechatpay_chain.cli.program import program
from wechatpay_chain.sandbox import Gateway


class Desk:
    """A merchant's folder, and ``wxpay`` run in it."""

    def __init__(self, gateway: Gateway, base_url: str, folder: Path) -> None:
        self.gateway = gateway
        self.base_url = base_url
        self.folder = folder
        outfit.write(gateway, base_url, folder)

    @property
    def options(self) -> dict[str, Any]:
        """What wechatpay.toml has, with paths from the root."""
        given = self.gateway.credentials
        certs = {
            name: str(self.folder / f"wechatpay_{name}.pem")
            for name in given.get("certs", ())
        }
        if self.gateway.public_key_id in certs:
            certs[self.gateway.public_key_id] = str(self.folder / "pub_key.pem")
        found = {
            "base_url": self.base_url,
            "mchid": given["mchid"],
            "serial": given["serial"],
            "private_key": str(self.folder / "apiclient_key.pem"),
            "apiv3_key": given["apiv3_key"],
            "secret": given["secret"],
        }
        return {**found, "certs": certs} if certs else found

    def configure(self, **changes: Any) -> Path:
        """A configuration file with some options changed; ``None`` takes one away."""
        given = {**self.options, **changes}
        path = self.folder / "changed.json"
        kept = {name: value for name, value in given.items() if value is not None}
        path.write_text(json.dumps(kept), "utf-8")
        return path

    def run(self, *arguments: str, config: Any = None, **options: Any) -> Result:
        """Run the program with the configuration, by default the merchant's own."""
        chosen = config or self.folder / "wechatpay.toml"
        return CliRunner().invoke(
            program, [*arguments, "--config", str(chosen)], prog_name="wxpay", **options
        )


@pytest.fixture
def desk_of(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Makes desks; each has a gateway that is served until the test ends."""
    with ExitStack() as stack:

        def make(mode: str = "public_key") -> Desk:
            gateway = Gateway(seed=1, mode=mode)
            server = stack.enter_context(gateway.serve())
            return Desk(gateway, server.base_url, tmp_path / "merchant")

        yield make


@pytest.fixture
def desk(desk_of: Callable[..., Desk]) -> Desk:
    return desk_of()
