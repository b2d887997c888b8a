"""What the built-in transports share: proxies and the TLS context, made once.

A TLS context costs 15 ms to build, so a client holds it. The environment is never
consulted per call: no netrc, no ``*_PROXY``.
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from .._messages import Request
from .._secret import Secret
from ..errors import ConfigurationError


class ClientCertificate(NamedTuple):
    """The merchant's certificate and key, for mutual TLS on APIv2."""

    certificate: x509.Certificate
    private_key: RSAPrivateKey


class NetworkSettings:
    """Proxies by scheme, where trust comes from, and the merchant's own certificate."""

    def __init__(
        self,
        *,
        proxies: Mapping[str, str] | None = None,
        verify: str | ssl.SSLContext | None = None,
        merchant: ClientCertificate | None = None,
    ) -> None:
        self.proxies = dict(proxies or {})
        self._verify = verify
        self._merchant = merchant

    def proxy_for(self, url: str) -> str | None:
        """The proxy to use for *url*."""
        return self.proxies.get(url.partition(":")[0])

    def tls_for(self, request: Request) -> ssl.SSLContext:
        """The context for *request*, with the merchant's certificate where it asks."""
        return self.mutual_tls if request.mutual else self.tls

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """The context of every connection: TLS 1.2 or later, names checked."""
        if isinstance(self._verify, ssl.SSLContext):
            return self._verify
        return self._context()

    @cached_property
    def mutual_tls(self) -> ssl.SSLContext:
        """The same, with the merchant's certificate to show."""
        if self._merchant is None:
            return self.tls
        context = self._context()
        _show(context, self._merchant)
        return context

    def _context(self) -> ssl.SSLContext:
        bundle = None if isinstance(self._verify, ssl.SSLContext) else self._verify
        try:
            context = ssl.create_default_context(cafile=bundle or certifi.where())
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"verify: {bundle} is no CA bundle: {error}"
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _show(context: ssl.SSLContext, merchant: ClientCertificate) -> None:
    """Load certificate and key into *context*; ``ssl`` reads them from files only.

    The key touches the disk encrypted, under a password that lives in this call.
    """
    password = secrets.token_bytes(24).hex().encode()
    pem = merchant.certificate.public_bytes(Encoding.PEM)
    key = merchant.private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)
    )
    with tempfile.TemporaryDirectory(prefix="wechatpay-") as folder:
        path = Path(folder, "merchant.pem")
        path.touch(0o600)
        path.write_bytes(pem + key)
        context.load_cert_chain(path, password=password)


def check_proxy(sealed: Secret[str]) -> str:
    """The URL, or ``ConfigurationError`` that does not repeat its password."""
    parts = urlsplit(str(sealed.reveal()))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            "proxies: http://[user:password@]host:port expected, got "
            f"{parts.scheme or 'no scheme'}://{parts.hostname or 'no host'}"
        )
    return str(sealed.reveal())
