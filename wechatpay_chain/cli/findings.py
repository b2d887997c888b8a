"""What ``wxpay doctor`` finds: mistakes by name, and how each is mended."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from ..errors import WeChatPayError

State = Literal["right", "unsure", "wrong"]


class Finding(NamedTuple):
    """One thing that was looked at."""

    #: The name of the mistake, or of what is right.
    id: str
    state: State
    #: What there is.
    found: str
    #: What to do about it; empty where nothing is to be done.
    mend: str = ""


_KEY_FILE = "give apiclient_key.pem, the private key of the merchant API certificate"
_CONSOLE = "copy it from the merchant console (商户平台), account centre, API security"

#: Mistakes by what the client says of them: pattern, name, how to mend it.
MISTAKES: tuple[tuple[str, str, str], ...] = (
    (r"^mchid: .*digits only", "mchid_not_digits", _CONSOLE),
    (r"^private_key: this is a public key", "private_key_is_public", _KEY_FILE),
    (r"^private_key: this is a certificate", "private_key_is_certificate", _KEY_FILE),
    (
        r"^private_key: .*(no such file|cannot read|neither a file)",
        "private_key_not_found",
        "name a file that exists; paths are relative to the configuration file",
    ),
    (
        r"^private_key: .*password",
        "private_key_password",
        "give [material, password]; that of apiclient_cert.p12 is the mchid",
    ),
    (r"^private_key: .* bits", "private_key_too_short", _KEY_FILE),
    (r"^private_key:", "private_key_unreadable", _KEY_FILE),
    (
        r"^serial: .*id of WeChat's public key",
        "serial_is_public_key_id",
        "give the serial of the merchant API certificate, 40 characters",
    ),
    (
        r"^serial: .*of another certificate",
        "serial_of_another_certificate",
        "openssl x509 -in apiclient_cert.pem -noout -serial prints the right one",
    ),
    (
        r"^serial:",
        "serial_malformed",
        "openssl x509 -in apiclient_cert.pem -noout -serial prints it",
    ),
    (
        r"^certs: .* is serial, the merchant's own",
        "serial_of_the_platform",
        "serial is that of apiclient_cert.pem, certs holds WeChat Pay's keys: give "
        "each its own",
    ),
    (
        r"^certs.*public half of private_key",
        "certs_is_merchant_key",
        "give pub_key.pem, or a certificate that wxpay crt saves",
    ),
    (
        r"^certs.*holds a private key",
        "certs_is_private_key",
        "give pub_key.pem, or a certificate that wxpay crt saves",
    ),
    (
        r"^certs.*file it under that",
        "certs_under_wrong_serial",
        "file each certificate under its own serial, a public key under PUB_KEY_ID_...",
    ),
    (
        r"^certs: without certs",
        "certs_missing",
        "give certs with pub_key.pem, or apiv3_key to download the certificates",
    ),
    (r"^certs", "certs_unreadable", "give pub_key.pem under its PUB_KEY_ID_..."),
    (
        r"^apiv3_key: .*white space",
        "apiv3_key_newline",
        "take the line break or space away: it is 32 characters and no more",
    ),
    (r"^apiv3_key:", "apiv3_key_length", f"it is 32 characters; {_CONSOLE}"),
    (
        r"^secret: .*white space",
        "secret_newline",
        "take the line break or space away: it is 32 characters and no more",
    ),
    (r"^secret:", "secret_length", f"it is 32 characters; {_CONSOLE}"),
    (
        r"^merchant: .*not the certificate's",
        "merchant_of_another_key",
        "give apiclient_cert.pem and apiclient_key.pem of one download",
    ),
    (
        r"^merchant:",
        "merchant_unreadable",
        "give [apiclient_cert.pem, apiclient_key.pem], or apiclient_cert.p12",
    ),
    (
        r"^base_url:",
        "base_url_malformed",
        "give https://host, or leave it out for WeChat Pay's own",
    ),
    (r"^proxies:", "proxies_malformed", "give http://host:port"),
    (r"^verify:", "verify_unreadable", "name a CA bundle that exists, or leave it out"),
    (
        r"^unknown option",
        "option_unknown",
        "wxpay doctor knows the options of WeChatPay",
    ),
    (r"required$", "option_missing", "mchid, serial and private_key are needed"),
    (
        r"platform certificates do not open with apiv3_key",
        "apiv3_key_of_another",
        f"{_CONSOLE}; it may have been changed there",
    ),
    (
        r"only a WeChat Pay public key",
        "certs_public_key_needed",
        "give certs with pub_key.pem under its PUB_KEY_ID_...",
    ),
)


def of_error(error: WeChatPayError, otherwise: str) -> Finding:
    """The mistake that an error stands for; *otherwise* names one that is unknown."""
    text = " ".join(str(error).split())
    for pattern, name, mend in MISTAKES:
        if re.search(pattern, text):
            return Finding(name, "wrong", text, mend)
    return Finding(otherwise, "wrong", text)
