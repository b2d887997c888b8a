"""The options of a client: checked, loaded once, and never shown (design 2, 2.5, 7).

Whatever may be or hold a key stays sealed, so that a failure here shows none, even in a
traceback that prints local variables.
"""

from __future__ import annotations

import platform
import re
import secrets
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from . import crypto
from ._calls import check_base_url, check_timeout, layers
from ._flow import Entry, Layer
from ._messages import Headers
from ._secret import Secret, key_bytes
from ._shapes import mapping, sequence
from ._uri import suggest
from ._version import __version__
from .crypto.load import is_pkcs12, load
from .errors import ConfigurationError
from .middleware.coding import check_headers
from .middleware.retrying import Retry, RetryPolicy
from .transports.base import AsyncTransport, Transport
from .transports.settings import ClientCertificate, NetworkSettings, check_proxy

BASE_URL = "https://api.mch.weixin.qq.com"
BACKUP_URL = "https://api2.mch.weixin.qq.com"

#: Seconds to connect, and to wait for the next byte of an answer.
TIMEOUT = (5.0, 30.0)


class Options(TypedDict, total=False):
    """The options of :class:`wechatpay_chain.WeChatPay`, in WeChat's own words."""

    mchid: str
    serial: str
    private_key: Any
    certs: Mapping[str, Any] | crypto.KeyRing | None
    apiv3_key: str | bytes | None
    secret: str | bytes | None
    merchant: Any
    base_url: str
    backup_url: str | None
    timeout: float | tuple[float, float]
    retry: int | RetryPolicy
    proxies: str | Mapping[str, str] | None
    verify: str | ssl.SSLContext | bool | None
    user_agent: str
    accept_language: str | None
    transport: Transport | None
    async_transport: AsyncTransport | None
    clock: Callable[[], float]
    nonce: Callable[[], str]
    middleware: Sequence[Layer]


NAMES = frozenset(Options.__annotations__)

#: Changing one of these takes connections of its own.
CONNECTION = frozenset(
    {"proxies", "verify", "merchant", "transport", "async_transport"}
)


@dataclass(frozen=True)
class Settings:
    """Every option in its checked form."""

    mchid: str
    serial: str
    private_key: RSAPrivateKey
    keys: crypto.KeyRing
    apiv3_key: Secret[bytes] | None
    secret: Secret[bytes] | None
    base_url: str
    backup_url: str | None
    timeout: tuple[float, float]
    retry: RetryPolicy
    network: NetworkSettings = field(repr=False)
    mutual: bool
    headers: Headers
    xml_headers: Headers
    transport: Transport | None
    async_transport: AsyncTransport | None
    clock: Callable[[], float]
    nonce: Callable[[], str]
    middleware: tuple[Entry, ...]
    #: The options again, loaded, for :meth:`with_options`.
    loaded: Secret[dict[str, Any]]


def check(options: Secret[dict[str, Any]]) -> Settings:
    """Check and load *options*. Raises ``ConfigurationError`` for the first bad one."""
    given = _Given(options)
    mchid = _mchid(given)
    private_key, certificate_serial = _private_key(given, mchid)
    serial = _serial(given, certificate_serial)
    keys = _keys(given, serial, private_key)
    apiv3_key = _symmetric(given, "apiv3_key", "the APIv3 key (APIv3密钥)")
    if not len(keys) and apiv3_key is None:
        raise ConfigurationError(
            "certs: without certs there is nothing to verify answers with; give "
            "certs={'PUB_KEY_ID_...': Path('pub_key.pem')}, or apiv3_key to download "
            "the platform certificates"
        )
    merchant = _merchant(given, mchid)
    base_url = check_base_url(given.get("base_url", BASE_URL))
    backup = given.get("backup_url", BACKUP_URL)
    headers = _headers(given)
    return Settings(
        mchid=mchid,
        serial=serial,
        private_key=private_key,
        keys=keys,
        apiv3_key=apiv3_key,
        secret=_symmetric(given, "secret", "the APIv2 key (APIv2密钥)"),
        base_url=base_url,
        backup_url=None if backup is None else check_base_url(backup),
        timeout=check_timeout(given.get("timeout", TIMEOUT)),
        retry=_retry(given.get("retry", 3)),
        network=NetworkSettings(
            proxies=_proxies(given), verify=_verify(given), merchant=merchant
        ),
        mutual=merchant is not None,
        headers=headers.merge((("Accept", "application/json"),)),
        xml_headers=headers.merge((("Accept", "*/*"),)),
        transport=given.get("transport"),
        async_transport=given.get("async_transport"),
        clock=_callable(given, "clock", time.time),
        nonce=_callable(given, "nonce", _nonce),
        middleware=layers(given.get("middleware", ())),
        # Built in place: a local variable could show in a traceback.
        loaded=Secret(
            {
                **options.reveal(),
                "private_key": private_key,
                "certs": keys,
                "merchant": merchant,
            }
        ),
    )


class _Given:
    """The options as given; hands out the secret ones sealed."""

    def __init__(self, options: Secret[dict[str, Any]]) -> None:
        self._options = options
        for name in options.reveal():
            if name not in NAMES:
                raise ConfigurationError(
                    f"unknown option {name!r}{suggest(name, NAMES)}"
                )
        for name in ("mchid", "serial", "private_key"):
            if not options.reveal().get(name):
                raise ConfigurationError(f"{name}: this option is required")

    def get(self, name: str, default: Any = None) -> Any:
        value = self._options.reveal().get(name)
        return default if value is None else value

    def sealed(self, name: str) -> Secret[Any] | None:
        value = self._options.reveal().get(name)
        return None if value is None else Secret(value)


def _mchid(given: _Given) -> str:
    value = given.get("mchid")
    text = (
        str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    )
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,32}", text):
        raise ConfigurationError(
            f"mchid: the merchant number (商户号) is digits only, got {text!r}"
        )
    return text


def _private_key(given: _Given, mchid: str) -> tuple[RSAPrivateKey, str | None]:
    """The key, and the serial of the certificate beside it in a .p12 or PEM."""
    sealed, password = _pair(given.sealed("private_key"), mchid)
    loaded = load(sealed, password, name="private_key")
    if loaded.private_key is None:
        what = "a certificate" if loaded.certificate else "a public key"
        raise ConfigurationError(
            f"private_key: this is {what}, not a private key; use apiclient_key.pem"
        )
    if loaded.certificate is None:
        return loaded.private_key, None
    return loaded.private_key, crypto.serial_text(loaded.certificate.serial_number)


def _pair(sealed: Secret[Any] | None, mchid: str) -> tuple[Secret[Any], Secret[Any]]:
    """Material and password; a .p12 without one is tried with the mchid."""
    assert sealed is not None
    pair = sequence(sealed.reveal())
    if pair is not None and len(pair) == 2:
        return Secret(pair[0]), Secret(pair[1])
    del pair
    return sealed, Secret(_p12_password(sealed, mchid))


def _p12_password(sealed: Secret[Any], mchid: str) -> str | None:
    """The mchid, which is what the console sets, where the material is PKCS#12."""
    return mchid if is_pkcs12(sealed) else None


def _serial(given: _Given, beside: str | None) -> str:
    value = given.get("serial")
    if isinstance(value, str) and value.startswith(crypto.PUBLIC_KEY_ID):
        raise ConfigurationError(
            f"serial: {value} is the id of WeChat's public key; give the serial of the "
            "merchant API certificate (商户API证书序列号)"
        )
    if not isinstance(value, str) or not re.fullmatch(r"[0-9A-Fa-f]{8,40}", value):
        raise ConfigurationError(
            "serial: the hexadecimal serial of the merchant API certificate expected "
            f"(40 characters), got {value!r}"
        )
    serial = value.upper()
    if beside and crypto.normal_serial(beside) != crypto.normal_serial(serial):
        raise ConfigurationError(
            f"serial: {serial} is given, but private_key comes with the certificate "
            f"{beside}; one of them is of another certificate"
        )
    return serial


def _keys(given: _Given, serial: str, private_key: RSAPrivateKey) -> crypto.KeyRing:
    value: object = given.get("certs", {})
    if isinstance(value, crypto.KeyRing):
        return value
    certs = mapping(value)
    if certs is None:
        raise ConfigurationError(
            f"certs: a mapping of id to key expected, got {type(value).__name__}"
        )
    ring = crypto.KeyRing()
    for name, material in certs.items():
        ring.update(_wechat_key(name, Secret(material), serial, private_key))
    return ring


def _wechat_key(
    name: object, material: Secret[Any], serial: str, private_key: RSAPrivateKey
) -> crypto.WeChatKey:
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"certs: an id must be text, got {name!r}")
    if crypto.normal_serial(name) == crypto.normal_serial(serial):
        raise ConfigurationError(
            f"certs: {name} is serial, the merchant's own certificate; certs holds "
            "WeChat Pay's (微信支付公钥 or 平台证书)"
        )
    found = crypto.load_public_key(material, name=f"certs[{name!r}]")
    if found.key.public_numbers() == private_key.public_key().public_numbers():
        raise ConfigurationError(
            f"certs[{name!r}]: this is the public half of private_key, the merchant's "
            "own; give WeChat Pay's public key or certificate"
        )
    if found.certificate is None:
        return crypto.WeChatKey(name, found.key)
    if crypto.normal_serial(found.serial or "") != crypto.normal_serial(name):
        raise ConfigurationError(
            f"certs[{name!r}]: this certificate has the serial {found.serial}; file it "
            "under that"
        )
    return crypto.WeChatKey(
        name,
        found.key,
        found.certificate.not_valid_before_utc,
        found.certificate.not_valid_after_utc,
    )


def _symmetric(given: _Given, name: str, title: str) -> Secret[bytes] | None:
    sealed = given.sealed(name)
    if sealed is None:
        return None
    if not isinstance(sealed.reveal(), (str, bytes)):
        kind = type(sealed.reveal()).__name__
        raise ConfigurationError(f"{name}: text or bytes expected, got {kind}")
    key = key_bytes(sealed.reveal())
    size = len(key.reveal())
    if size == 32:
        return key
    hint = ""
    if len(key.reveal().strip()) == 32:
        hint = "; it has white space around it, a line break perhaps"
    raise ConfigurationError(f"{name}: {title} has 32 bytes, this one has {size}{hint}")


def _merchant(given: _Given, mchid: str) -> ClientCertificate | None:
    sealed = given.sealed("merchant")
    if sealed is None:
        return None
    value: object = sealed.reveal()
    if isinstance(value, ClientCertificate):
        return value
    first, second = _pair(sealed, mchid)
    if _p12_password(first, mchid):
        loaded = load(first, second, name="merchant")
        certificate, key = loaded.certificate, loaded.private_key
    else:
        certificate = load(first, Secret(None), name="merchant").certificate
        if second.reveal() is None:
            second = first  # one PEM with both
        key = load(second, Secret(None), name="merchant").private_key
    if certificate is None or key is None:
        raise ConfigurationError(
            "merchant: (certificate, private key) expected, or a .p12 with its password"
        )
    if certificate.public_key() != key.public_key():
        raise ConfigurationError("merchant: the private key is not the certificate's")
    return ClientCertificate(certificate, key)


def _retry(value: Any) -> RetryPolicy:
    if hasattr(value, "after_error") and hasattr(value, "after_response"):
        policy: RetryPolicy = value
        return policy
    try:
        return Retry(value)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _proxies(given: _Given) -> dict[str, str]:
    sealed = given.sealed("proxies")
    if sealed is None:
        return {}
    if isinstance(sealed.reveal(), str):
        proxy = check_proxy(sealed)
        return {"http": proxy, "https": proxy}
    if not isinstance(sealed.reveal(), Mapping):
        raise ConfigurationError(
            "proxies: a URL, or a mapping of scheme to URL, expected"
        )
    return {s: check_proxy(Secret(url)) for s, url in sealed.reveal().items() if url}


def _verify(given: _Given) -> str | ssl.SSLContext | None:
    value = given.get("verify", True)
    if value is True:
        return None
    if value is False:
        raise ConfigurationError(
            "verify: TLS is always verified; for a private authority give the path of "
            "its CA bundle"
        )
    return value if isinstance(value, ssl.SSLContext) else str(value)


def _headers(given: _Given) -> Headers:
    agent = given.get("user_agent") or (
        f"wechatpay-chain/{__version__} ({platform.system()}) "
        f"python/{platform.python_version()}"
    )
    pairs = [("User-Agent", agent), ("Accept-Encoding", "identity")]
    if given.get("accept_language"):
        pairs.append(("Accept-Language", given.get("accept_language")))
    headers = Headers(pairs)
    try:
        check_headers(headers)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    return headers


def _callable(given: _Given, name: str, default: Callable[..., Any]) -> Any:
    value = given.get(name, default)
    if not callable(value):
        raise ConfigurationError(
            f"{name}: a callable expected, got {type(value).__name__}"
        )
    return value


def _nonce() -> str:
    """32 random characters, the most that a nonce may have (protocol section 3)."""
    return secrets.token_hex(16)
