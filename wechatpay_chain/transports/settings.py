"""What the built-in transports share: proxies and the TLS context, made once.

A TLS context costs 15 ms to build, so a client holds it. The environment is never
consulted per call: no netrc, no ``*_PROXY``.
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

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


class Bundle(NamedTuple):
    """A file of authorities (PEM) that could be read when the client was built."""

    path: str


class Proxy(NamedTuple):
    """Where a proxy is, and apart from that what it may know of the user.

    HTTP libraries repeat a proxy's URL in their errors; so the password is not in it.
    """

    url: str
    credentials: Secret[str] | None

    @property
    def headers(self) -> dict[str, str]:
        """``Proxy-Authorization``, where the proxy wants a user and a password."""
        if self.credentials is None:
            return {}
        user, _, password = self.credentials.reveal().partition(":")
        pair = f"{unquote(user)}:{unquote(password)}".encode()
        return {"Proxy-Authorization": f"Basic {b64encode(pair).decode()}"}


def _proxy(url: str) -> Proxy:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return Proxy(f"{parts.scheme}://{host}", Secret(user) if at else None)


class NetworkSettings:
    """Proxies by scheme, where trust comes from, and the merchant's own certificate."""

    def __init__(
        self,
        *,
        proxies: Mapping[str, str] | None = None,
        verify: Bundle | ssl.SSLContext | None = None,
        merchant: ClientCertificate | None = None,
    ) -> None:
        self._proxies = {name: _proxy(url) for name, url in (proxies or {}).items()}
        self._verify = verify
        self._merchant = merchant
        # Two threads may make one each, of which the first stays. A lock (and
        # cached_property of Python 3.11 has one) could be held at a fork, and so for
        # ever in the child.
        self._contexts: dict[str, ssl.SSLContext] = {}

    def proxy_for(self, url: str) -> Proxy | None:
        """The proxy to use for *url*."""
        return self._proxies.get(url.partition(":")[0]) if self._proxies else None

    def tls_for(self, request: Request) -> ssl.SSLContext:
        """The context for *request*, with the merchant's certificate where it asks."""
        return self.mutual_tls if request.mutual else self.tls

    @property
    def tls(self) -> ssl.SSLContext:
        """The context of every connection: TLS 1.2 or later, names checked."""
        if isinstance(self._verify, ssl.SSLContext):
            return self._verify
        found = self._contexts.get("plain")
        return found or self._contexts.setdefault("plain", self._context())

    @property
    def mutual_tls(self) -> ssl.SSLContext:
        """The same, with the merchant's certificate to show."""
        if self._merchant is None:
            return self.tls
        found = self._contexts.get("mutual")
        return found or self._contexts.setdefault("mutual", self._mutual_context())

    def _mutual_context(self) -> ssl.SSLContext:
        assert self._merchant is not None
        context = self._context()
        _show(context, self._merchant)
        return context

    def _context(self) -> ssl.SSLContext:
        bundle = self._verify
        if isinstance(bundle, ssl.SSLContext):
            return _like(bundle)
        path = certifi.where() if bundle is None else bundle.path
        try:
            context = ssl.create_default_context(cafile=path)
        except OSError as error:  # it was there when the client was built
            raise ConfigurationError(
                f"verify: {path} is no CA bundle: {error}"
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _like(context: ssl.SSLContext) -> ssl.SSLContext:
    """A context of our own with the same trust; the caller's is not ours to change."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authorities = context.get_ca_certs(binary_form=True)
    if authorities:
        made.load_verify_locations(cadata=b"".join(authorities))
    made.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    return made


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


def check_proxy(sealed: Secret[Any]) -> str:
    """The URL, or ``ConfigurationError`` that does not repeat its password."""
    found = _proxy_found(sealed)
    if found is not None:
        raise ConfigurationError(
            f"proxies: http://[user:password@]host:port expected, got {found}"
        )
    return str(sealed.reveal())


def _proxy_found(sealed: Secret[Any]) -> str | None:
    """What stands there in place of a proxy's URL. Never raises: these locals show."""
    value: object = sealed.reveal()
    if not isinstance(value, str):
        return type(value).__name__
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return "one that cannot be read"
    if parts.scheme in ("http", "https") and parts.hostname and port != 0:
        return None
    return f"{parts.scheme or 'no scheme'}://{parts.hostname or 'no host'}"
