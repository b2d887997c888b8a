"""What a merchant has on disk: ``wechatpay.toml`` and the keys that it names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

from ..errors import ConfigurationError
from ..sandbox import Gateway

#: How a folder of ours is told from one with real keys in it.
_MARK = "# Written by wxpay sandbox. Nothing in this folder is real.\n"
_CONFIGURATION = "wechatpay.toml"
_PRIVATE = {"apiclient_key.pem", "apiclient_cert.p12", _CONFIGURATION}


def write(gateway: Gateway, base_url: str, folder: Path) -> None:
    """Write all files into *folder*, made where it is missing.

    Raises ``OSError``, and ``ConfigurationError`` for a folder with files of these
    names that are not the sandbox's: they may be somebody's real keys.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = dict(_files(gateway, base_url))
    ours = _is_ours(folder / _CONFIGURATION)
    for name in files:
        if not ours and (folder / name).exists():
            raise ConfigurationError(
                f"dir: {folder / name} was not written by the sandbox and is left as "
                "it is; name another folder"
            )
    # The mark comes first, so that a folder that was half written is known by it.
    for name in sorted(files, key=lambda name: name != _CONFIGURATION):
        _put(folder / name, files[name], 0o600 if name in _PRIVATE else 0o644)


def _is_ours(configuration: Path) -> bool:
    try:
        return configuration.read_text("utf-8").startswith(_MARK)
    except (OSError, UnicodeDecodeError):
        return False


def _put(path: Path, content: bytes, mode: int) -> None:
    """Write the whole file or nothing; nobody sees a key under another mode."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(beside, path)


def _files(gateway: Gateway, base_url: str) -> Iterator[tuple[str, bytes]]:
    merchant = gateway.merchant
    yield _CONFIGURATION, _configuration(gateway, base_url).encode("utf-8")
    yield (
        "apiclient_key.pem",
        merchant.private_key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
    )
    yield "apiclient_cert.pem", merchant.certificate.public_bytes(Encoding.PEM)
    # Its password is the merchant number, as WeChat Pay has it.
    yield (
        "apiclient_cert.p12",
        pkcs12.serialize_key_and_certificates(
            b"Tenpay Certificate",
            merchant.private_key,
            merchant.certificate,
            None,
            BestAvailableEncryption(merchant.mchid.encode("ascii")),
        ),
    )
    yield (
        "pub_key.pem",
        gateway.public_key.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ),
    )
    for serial, certificate in gateway.certificates.items():
        yield f"wechatpay_{serial}.pem", certificate.public_bytes(Encoding.PEM)


def _configuration(gateway: Gateway, base_url: str) -> str:
    """``wechatpay.toml``, which ``WeChatPay.from_file`` loads."""
    credentials = gateway.credentials
    lines = [
        f'base_url = "{base_url}"',
        f'mchid = "{gateway.mchid}"',
        f'serial = "{credentials["serial"]}"',
        'private_key = "apiclient_key.pem"',
        f'apiv3_key = "{credentials["apiv3_key"]}"',
        f'secret = "{credentials["secret"]}"',
        "",
        "# What there is in this sandbox; no options of the client, but of its calls:",
    ]
    exists = ("appid", "service_id", "no_confirm_service_id", "sub_mchid")
    lines += [f'# {name} = "{getattr(gateway, name)}"' for name in exists]
    certs = {name: f"wechatpay_{name}.pem" for name in credentials.get("certs", ())}
    if gateway.public_key_id in certs:
        certs[gateway.public_key_id] = "pub_key.pem"
    if certs:
        lines += ["", "[certs]"]
        lines += [f'{name} = "{file}"' for name, file in certs.items()]
    return _MARK + "\n".join(lines) + "\n"
