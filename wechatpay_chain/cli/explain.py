"""``wxpay explain``: why the signature of a saved request or answer does not hold."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO

import click
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .. import _options, crypto
from .._messages import Headers
from .._secret import Secret
from ..crypto.forms import Loaded
from ..crypto.load import certified_key, load, split
from ..errors import ConfigurationError
from . import saved, verdict
from .account import FILE, PREFIX, options
from .curl import Unreadable
from .saved import Saved
from .verdict import Signer, Verdict

_FILE = click.File("rb")
_PATH = click.Path(exists=True, dir_okay=False)


@click.command("explain")
@click.option("--request", "asked", type=_FILE, help="A saved request; - is stdin.")
@click.option(
    "--response", "answered", type=_FILE, help="A saved answer or notification."
)
@click.option(
    "--answer", "refusal", type=_FILE, help="With --request: the 401 that came back."
)
@click.option("--config", type=_PATH, help="Options of the client, TOML or JSON.")
@click.option(
    "--cert",
    type=_PATH,
    help="The signer's certificate or public key; of a request the private key too.",
)
@click.option("--now", type=float, help="With --response: the local time, Unix s.")
@click.option("--show-body", is_flag=True, help="Show bodies and openids as well.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    asked: IO[bytes] | None,
    answered: IO[bytes] | None,
    refusal: IO[bytes] | None,
    config: str | None,
    cert: str | None,
    now: float | None,
    show_body: bool,
    as_json: bool,
) -> None:
    """Say why WeChat Pay refused a request, or why an answer does not verify.

    A request is raw HTTP, a JSON object {method, url, headers, body} or a curl command;
    an answer or notification is raw HTTP or a JSON object {headers, body}. Without
    either option a request is read from stdin.

    Keys are those of --cert, or of the options of a client: of --config, else of
    $WECHATPAY_CONFIG, ./wechatpay.toml or the variables WECHATPAY_*. No key and no
    signature is ever shown, and bodies only with --show-body.

    Exits 0 if the signature holds, 1 if it does not and why was said, 2 if this command
    was not used rightly.
    """
    if answered is not None and (asked is not None or refusal is not None):
        raise click.UsageError("--response goes without --request and --answer")
    try:
        if answered is not None:
            found = _of_answer(_read(answered), config, cert, now)
        else:
            given = _read(asked or sys.stdin.buffer)
            if refusal is not None:
                given = given._replace(answer=_refusal(refusal))
            found = _of_request(given, config, cert, show_body)
    except (Unreadable, ConfigurationError) as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        click.echo(_as_json(found))
    else:
        _print(found, show_body)
    raise SystemExit(0 if found.holds else 1)


def _read(file: IO[bytes]) -> Saved:
    return saved.read(file.read())


def _refusal(file: IO[bytes]) -> Saved:
    """An answer as raw HTTP, or the JSON of its body alone."""
    data = file.read()
    if data.lstrip().startswith(b"{"):
        return Saved(Headers(), data, status=401)
    return saved.read(data)


def _of_request(
    given: Saved, config: str | None, cert: str | None, show_body: bool
) -> Verdict:
    if not given.method or not given.url:
        raise Unreadable(
            "this is no request, it has no method or URL; --response explains answers "
            "and notifications"
        )
    return verdict.of_request(given, _signer(config, cert), show_body=show_body)


def _of_answer(
    given: Saved, config: str | None, cert: str | None, now: float | None
) -> Verdict:
    serial = given.headers.get("Wechatpay-Serial", "")
    return verdict.of_answer(given, _keys(config, cert, serial), now=now)


def _signer(config: str | None, cert: str | None) -> Signer:
    settings = None if cert and not config else _settings(config)
    others: dict[str, RSAPublicKey] = {}
    mchid, serial, key = "", "", None
    if settings is not None:
        mchid, serial = settings.mchid, settings.serial
        key = settings.private_key.public_key()
        for one in map(settings.keys.find, settings.keys):
            if one is not None:
                others[f"WeChat Pay ({one.serial})"] = one.public_key
    if cert:
        loaded = _load(cert)
        key, serial = _public(loaded), _serial(loaded)
    assert key is not None  # there is a --cert, or there are settings
    return Signer(key, mchid, serial, others)


def _keys(config: str | None, cert: str | None, serial: str) -> crypto.KeyRing:
    if cert is None:
        keys = _settings(config).keys
        if not len(keys):
            raise ConfigurationError(
                "certs: these options hold no key of WeChat Pay's, a client of them "
                "downloads the certificates; give the one that signed with --cert"
            )
        return keys
    loaded = _load(cert)
    # A bare key has no id; it is given as the one that the answer names.
    name = _serial(loaded) or serial
    return crypto.KeyRing({name: crypto.WeChatKey(name, _public(loaded))})


def _settings(config: str | None) -> _options.Settings:
    named = config or os.environ.get(f"{PREFIX}CONFIG") or Path(FILE).exists()
    if not named and not os.environ.get(f"{PREFIX}MCHID"):
        raise ConfigurationError(
            "whose key is it? give --config, --cert, or the options in the environment"
        )
    return _options.check(options(config))


def _load(cert: str) -> Loaded:
    material, password = split(Secret(cert))
    return load(material, password, name="--cert")


def _public(loaded: Loaded) -> RSAPublicKey:
    if loaded.certificate is not None:
        return certified_key(loaded.certificate, "--cert")
    if loaded.private_key is not None:
        return loaded.private_key.public_key()
    assert loaded.public_key is not None
    return loaded.public_key


def _serial(loaded: Loaded) -> str:
    if loaded.certificate is None:
        return ""
    return crypto.serial_text(loaded.certificate.serial_number)


def _as_json(found: Verdict) -> str:
    data = {
        "subject": found.subject,
        "holds": found.holds,
        "findings": [finding._asdict() for finding in found.findings],
        "notes": found.notes,
        **found.more,
    }
    return json.dumps(data, ensure_ascii=False, indent=2)


def _print(found: Verdict, show_body: bool) -> None:
    word, colour = ("holds", "green") if found.holds else ("does not hold", "red")
    click.echo(found.subject)
    click.echo(f"signature   {click.style(word, fg=colour, bold=True)}")
    for finding in found.findings:
        click.echo(f"\n{click.style(finding.id, bold=True)}")
        for clause in finding.message.split("; "):
            click.echo(f"  {clause}")
    texts = (("expected", "expected"), ("you signed", "signed"))
    if found.more.get("expected"):
        click.echo()
    for label, name in texts:
        if name in found.more:
            click.echo(f"{label:<12}{found.more[name]}")
    if found.more.get("mistakes") and "signed" not in found.more and not show_body:
        click.echo(f"{'you signed':<12}is shown with --show-body")
    for note in found.notes:
        click.echo(f"\n{note}")
