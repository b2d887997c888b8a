"""``wxpay crt``: the platform certificates (平台证书), as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import crypto
from .._saving import AtomicFile
from .._secret import Secret
from ..client import WeChatPay
from ..errors import ConfigurationError, NotFound
from ..middleware.certificate_download import open_certificates
from . import account
from .tables import table

_NONE = (
    "this merchant uses the WeChat Pay public key (微信支付公钥): take pub_key.pem "
    "from the merchant console"
)


class Saved(NamedTuple):
    """One certificate, and the file that it is in."""

    serial: str
    effective: str
    expires: str
    file: str


@click.command("crt")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder for wechatpay_SERIAL.pem; made where it is missing.",
)
@account.config_option
@account.json_option
def command(out: Path, config: str | None, as_json: bool) -> None:
    """Download, decrypt, verify and save the platform certificates.

    It takes apiv3_key. A merchant that has a WeChat Pay public key (微信支付公钥) alone
    has no certificates.
    """
    with account.endings("crt", as_json=as_json), account.client(config) as client:
        saved = list(_save(client, out))
    if as_json:
        facts = [one._asdict() for one in saved]
        click.echo(json.dumps({"certificates": facts}, ensure_ascii=False, indent=2))
    else:
        click.echo(table(saved, ("serial", "from", "until", "file")))


def _save(client: WeChatPay, out: Path) -> Iterator[Saved]:
    key = client._settings.apiv3_key
    if key is None:
        raise ConfigurationError(
            "apiv3_key: the certificates are encrypted with the APIv3 key (APIv3密钥); "
            "give it in the configuration"
        )
    found = _certificates(client, key)
    out.mkdir(parents=True, exist_ok=True)
    for certificate in found:
        serial = crypto.serial_text(certificate.serial_number)
        path = out / f"wechatpay_{serial}.pem"
        with AtomicFile(path) as file:
            file.write(certificate.public_bytes(Encoding.PEM))
            file.keep()
        yield Saved(
            serial,
            certificate.not_valid_before_utc.date().isoformat(),
            certificate.not_valid_after_utc.date().isoformat(),
            str(path),
        )


def _certificates(client: WeChatPay, key: Secret[bytes]) -> list[x509.Certificate]:
    # The answer is verified as any other: with the keys at hand, or with those that the
    # client downloads for it, which are the same.
    try:
        content: Any = client.v3.certificates.get().content
    except NotFound as error:
        raise ConfigurationError(f"{error}; {_NONE}") from None
    found = open_certificates(content, key)
    if not found:
        raise ConfigurationError(f"/v3/certificates lists no certificate; {_NONE}")
    return found
