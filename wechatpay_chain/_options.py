"""The options of a client: checked, loaded once, and never shown.

Whatever may be or hold a key stays sealed, so that a failure here shows none, even in a
traceback that prints local variables.
"""

from __future__ import annotations

import os
import platform
import secrets
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypedDict

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from . import crypto
from ._calls import check_base_url, check_timeout
from ._flow import Entry, Layer
from ._key_options import (
    Given,
    check_keys,
    check_mchid,
    check_merchant,
    check_private_key,
    check_serial,
    check_symmetric,
    check_trust,
)
from ._messages import Headers
from ._network_options import (
    check_async_transport,
    check_proxies,
    check_store,
    check_transport,
    check_verify,
)
from ._secret import Secret
from ._shapes import shown
from ._stack import layers
from ._version import __version__
from .errors import ConfigurationError, EncodeError
from .middleware.checks import MODES, Mode
from .middleware.coding import check_headers
from .middleware.retrying import DEADLINE, Retry, RetryPolicy
from .stores import CertificateStore
from .transports.base import AsyncTransport, Transport
from .transports.settings import NetworkSettings

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
    certificate_store: str | os.PathLike[str] | CertificateStore | None
    base_url: str
    backup_url: str | None
    timeout: float | tuple[float, float]
    retry: int | RetryPolicy
    proxies: str | Mapping[str, str] | None
    verify: str | os.PathLike[str] | ssl.SSLContext | bool | None
    user_agent: str
    accept_language: str | None
    transport: Transport | None
    async_transport: AsyncTransport | None
    clock: Callable[[], float]
    nonce: Callable[[], str]
    check: Mode
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
    store: CertificateStore | None
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
    check: Mode
    middleware: tuple[Entry, ...]
    #: The options again, loaded, for :meth:`with_options`.
    loaded: Secret[dict[str, Any]]

    def __reduce__(self) -> NoReturn:
        raise TypeError("settings are not pickled, because they hold keys")


def check(options: Secret[dict[str, Any]]) -> Settings:
    """Check and load *options*. Raises ``ConfigurationError`` for the first bad one."""
    given = Given(options, NAMES)
    mchid = check_mchid(given)
    private_key, certificate_serial = check_private_key(given, mchid)
    serial = check_serial(given, certificate_serial)
    clock = _callable(given, "clock", time.time)
    keys = check_keys(given, serial, private_key, clock)
    apiv3_key = check_symmetric(given, "apiv3_key", "the APIv3 key (APIv3密钥)")
    check_trust(keys, apiv3_key)
    store = check_store(given, apiv3_key)
    merchant = check_merchant(given, mchid)
    headers = _headers(given)
    base_url = check_base_url(given.get("base_url", BASE_URL))
    timeout = check_timeout(given.get("timeout", TIMEOUT))
    verify = check_verify(given)
    return Settings(
        mchid=mchid,
        serial=serial,
        private_key=private_key,
        keys=keys,
        apiv3_key=apiv3_key,
        store=store,
        secret=check_symmetric(given, "secret", "the APIv2 key (APIv2密钥)"),
        base_url=base_url,
        backup_url=_backup_url(options, base_url),
        timeout=timeout,
        retry=_retry(given.get("retry", 3), timeout),
        network=NetworkSettings(
            proxies=check_proxies(given),
            verify=verify,
            merchant=merchant,
        ),
        mutual=merchant is not None,
        headers=headers.merge((("Accept", "application/json"),)),
        xml_headers=headers.merge((("Accept", "*/*"),)),
        transport=check_transport(given),
        async_transport=check_async_transport(given),
        clock=clock,
        nonce=_callable(given, "nonce", _nonce),
        check=_check(given),
        middleware=_middleware(given),
        # Built in place: a local variable could show in a traceback.
        loaded=Secret(
            {
                **options.reveal(),
                "private_key": private_key,
                "certs": keys,
                "merchant": merchant,
                "verify": verify,
                "certificate_store": store,
            }
        ),
    )


def _backup_url(options: Secret[dict[str, Any]], base_url: str) -> str | None:
    """The host to fall back to: WeChat's own only for WeChat's own.

    ``None`` is a choice here, no other host, and not the default.
    """
    if "backup_url" not in options.reveal():
        return BACKUP_URL if base_url == BASE_URL else None
    if options.reveal()["backup_url"] is None:
        return None
    return check_base_url(options.reveal()["backup_url"], "backup_url")


def _retry(value: object, timeout: tuple[float, float]) -> RetryPolicy:
    """A policy as it is; of a number, with time for one attempt at least."""
    given: Any = value
    methods = ("after_error", "after_response")
    # An instance: Retry for Retry() is an easy slip.
    if not isinstance(value, type) and all(hasattr(value, m) for m in methods):
        policy: RetryPolicy = given
        return policy
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return Retry(value, deadline=max(DEADLINE, *timeout))
    found = shown(value)
    del value, given  # they may hold a key, and tracebacks can show local variables
    raise ConfigurationError(f"retry: attempts must be an int from 1 up, got {found}")


def _headers(given: Given) -> Headers:
    agent = (
        f"wechatpay-chain/{__version__} ({platform.system()}) "
        f"python/{platform.python_version()}"
    )
    headers = Headers({"User-Agent": agent, "Accept-Encoding": "identity"})
    for option, name in (
        ("user_agent", "User-Agent"),
        ("accept_language", "Accept-Language"),
    ):
        if given.get(option):
            headers = headers.merge(((name, given.get(option)),))
            try:
                check_headers(headers)
            except EncodeError:
                raise ConfigurationError(
                    f"{option}: text that can stand in a header expected, without line "
                    "breaks and Chinese characters"
                ) from None
    return headers


def _middleware(given: Given) -> tuple[Entry, ...]:
    try:
        return layers(given.get("middleware", ()))
    except EncodeError as error:
        raise ConfigurationError(str(error)) from None


def _check(given: Given) -> Mode:
    mode = given.get("check", "warn")
    for known in MODES:
        if mode == known:
            return known
    found = type(mode).__name__
    del mode  # it may be a key, and tracebacks can show local variables
    raise ConfigurationError(
        f"check: {', '.join(map(repr, MODES))} expected, got another {found}"
    )


def _callable(given: Given, name: str, default: Callable[..., Any]) -> Any:
    value = given.get(name, default)
    if not callable(value):
        raise ConfigurationError(
            f"{name}: a callable expected, got {type(value).__name__}"
        )
    return value


def _nonce() -> str:
    """32 random characters, the most that a nonce may have (protocol section 3)."""
    return secrets.token_hex(16)
