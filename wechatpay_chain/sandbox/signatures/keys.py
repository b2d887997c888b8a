"""RSA pairs and certificates of the sandbox: made in memory, never shipped nor written.

A pair takes a moment to make, so each role has one per process, shared by all gateways.
Certificates are cheap and belong to one gateway: they are valid around its own time.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from threading import Lock
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import NameOID

#: What WeChat Pay uses (protocol section 1).
BITS = 2048
#: A platform certificate lives five years (protocol section 1), from a year ago here.
_AGE, _LIFE = timedelta(days=365), timedelta(days=5 * 365)

_pairs: dict[str, RSAPrivateKey] = {}
_lock = Lock()


class KeySet(NamedTuple):
    """The RSA pairs of a gateway: the merchant's, and both kinds of WeChat Pay's."""

    merchant: RSAPrivateKey
    #: WeChat Pay public key (微信支付公钥).
    public_key: RSAPrivateKey
    #: Platform certificate (微信支付平台证书).
    platform: RSAPrivateKey

    @classmethod
    def shared(cls) -> KeySet:
        """The pairs of this process."""
        return cls(pair("merchant"), pair("public key"), pair("platform"))

    def __repr__(self) -> str:
        return "<KeySet>"


def pair(role: str) -> RSAPrivateKey:
    """The RSA pair of *role* in this process, made on first use."""
    with _lock:
        if role not in _pairs:
            _pairs[role] = rsa.generate_private_key(
                public_exponent=65537, key_size=BITS
            )
        return _pairs[role]


def certificate(
    key: RSAPrivateKey,
    *,
    serial: str,
    name: str,
    now: float,
    until: float | None = None,
) -> x509.Certificate:
    """A self-signed certificate for *key*, in the middle of its life at *now*.

    It ends at *until*, where that is given.
    """
    since = datetime.fromtimestamp(int(now), timezone.utc) - _AGE
    end = since + _LIFE
    if until is not None:
        end = datetime.fromtimestamp(int(until), timezone.utc)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "wechatpay_chain sandbox"),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(int(serial, 16))
        .not_valid_before(since)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
