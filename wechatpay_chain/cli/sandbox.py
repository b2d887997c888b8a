"""``wxpay sandbox``: the gateway over HTTP, with the files that a merchant has."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from ..errors import ConfigurationError
from ..sandbox import Gateway
from ..sandbox.doors.loopback import is_loopback
from ..sandbox.signatures.signing import MODES
from .outfit import write
from .waiting import until_ended

#: Seconds between looks at whether a signal came, where waiting cannot be interrupted.
_LOOK = 0.5
_OPEN = (
    "can be reached from other machines, and whoever reaches a sandbox commands it; "
    "take 127.0.0.1, ::1 or localhost, and from elsewhere a tunnel, as ssh -L makes one"
)


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback only.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="By default one that is free.",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write configuration and keys; by default a temporary folder.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file in which orders and keys outlive the process.",
)
@click.option("--seed", type=int, help="Same seed, same numbers; 1 by default.")
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="How the merchant verifies WeChat Pay; public_key by default.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object when ready.")
def command(
    host: str,
    port: int,
    folder: Path | None,
    state: Path | None,
    seed: int | None,
    mode: str | None,
    as_json: bool,
) -> None:
    """Serve the sandbox over HTTP until Ctrl-C.

    Writes wechatpay.toml and the keys that it names into DIR, and prints one line when
    it listens. There, in the file and in GET /_sandbox/ is which appid, service_id and
    sub_mchid exist. Orders are moved by /_sandbox/, which GET lists.
    """
    if not is_loopback(host):
        raise click.ClickException(f"sandbox: --host: {host[:64]} {_OPEN}")
    with until_ended() as over, ExitStack() as stack:
        try:
            if folder is None:
                made = tempfile.TemporaryDirectory(prefix="wxpay-sandbox-")
                folder = Path(stack.enter_context(made))
            gateway = stack.enter_context(Gateway(seed, mode, state=state))
            server = stack.enter_context(gateway.serve(host, port))
            write(gateway, server.base_url, folder)
        except ConfigurationError as error:
            raise click.ClickException(f"sandbox: {error}") from None
        except OSError as error:
            where = error.filename or f"{host}:{port}"
            raise click.ClickException(f"sandbox: {where}: {_why(error)}") from None
        facts = _facts(gateway, server.base_url, folder)
        click.echo(json.dumps(facts) if as_json else _line(facts))
        while not over.wait(_LOOK):
            pass


def _facts(gateway: Gateway, base_url: str, folder: Path) -> dict[str, Any]:
    credentials = gateway.credentials
    return {
        "base_url": base_url,
        "dir": str(folder.absolute()),
        "mchid": gateway.mchid,
        "serial": credentials["serial"],
        "public_key_id": gateway.public_key_id,
        "apiv3_key": credentials["apiv3_key"],
        "secret": credentials["secret"],
        "appid": gateway.appid,
        "service_id": gateway.service_id,
        "sub_mchid": gateway.sub_mchid,
        "certificate_serials": list(gateway.certificates),
    }


def _line(facts: dict[str, Any]) -> str:
    return (
        f"wxpay sandbox: ready at {facts['base_url']}, "
        f"configuration {facts['dir']}/wechatpay.toml, appid {facts['appid']}, "
        f"service_id {facts['service_id']}, sub_mchid {facts['sub_mchid']}, "
        "Ctrl-C ends it"
    )


def _why(error: OSError) -> str:
    # asyncio and socket put more into the text, the address once more.
    return os.strerror(error.errno) if error.errno else str(error)
