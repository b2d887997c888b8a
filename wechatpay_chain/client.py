"""``WeChatPay``: configuration in, chain out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn

from . import _chain, _config, _options, crypto
from ._calls import Defaults, Prepared, prepare
from ._drivers import AsyncDriver, SyncDriver
from ._flow import Entry
from ._node import Node
from ._reply import Reply, reply
from ._secret import Secret
from ._stack import Stack
from .errors import APIError, ConfigurationError
from .middleware.certificates import Certificates
from .middleware.coding import Decoder, Encoder
from .middleware.raising import Raiser
from .middleware.retrying import Retrier
from .middleware.signing import Signer
from .middleware.verifying import Verifier
from .middleware.xml_layers import (
    XmlDecoder,
    XmlEncoder,
    XmlRaiser,
    XmlSigner,
    XmlVerifier,
)

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


class _Connections:
    """The pools of a client and of all that ``with_options`` makes of it."""

    def __init__(self, settings: _options.Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._sync: SyncDriver | None = None
        self._async: AsyncDriver | None = None
        self._transport = settings.transport
        self._async_transport = settings.async_transport

    @property
    def sync(self) -> SyncDriver:
        driver = self._sync
        if driver is None:
            with self._lock:
                driver = self._sync or SyncDriver(self._make())
                self._sync = driver
        return driver

    @property
    def awaited(self) -> AsyncDriver:
        driver = self._async
        if driver is None:
            with self._lock:
                driver = self._async or AsyncDriver(self._make_async())
                self._async = driver
        return driver

    def _make(self) -> Any:
        if self._transport is None:
            from .transports.on_requests import RequestsTransport

            self._transport = RequestsTransport(self._settings.network)
        return self._transport

    def _make_async(self) -> Any:
        if self._async_transport is None:
            from .transports.on_aiohttp import AiohttpTransport

            self._async_transport = AiohttpTransport(self._settings.network)
        return self._async_transport

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        if self._async is not None:
            self._async.close()

    async def aclose(self) -> None:
        if self._async_transport is not None:
            await self._async_transport.aclose()
        self.close()


class WeChatPay:
    """A client of WeChat Pay (微信支付): every path of the API is an attribute of it.

    All options are keywords, named as in the PHP and JS SDKs:

    - ``mchid``: merchant number (商户号), digits.
    - ``serial``: serial of the merchant API certificate.
    - ``private_key``: the merchant's private key: a path, PEM, DER, base64, ``.p12`` or
      key object; ``(material, password)`` where it is encrypted.
    - ``certs``: WeChat's keys by id, ``PUB_KEY_ID_...`` or certificate serial. Without
      it platform certificates are downloaded, which takes ``apiv3_key``.
    - ``apiv3_key``, ``secret``: the APIv3 key (32 bytes) and the APIv2 key.
    - ``merchant``: client certificate for APIv2: ``(certificate, key)`` or
      ``(p12, password)``.
    - ``base_url``, ``timeout`` (seconds, or connect and read), ``retry`` (total
      attempts or a policy), ``proxies``, ``verify`` (CA bundle), ``user_agent``,
      ``accept_language``, ``middleware`` (layers), ``transport``, ``async_transport``,
      ``clock`` (Unix seconds), ``nonce``.

    Raises ``ConfigurationError`` for a wrong one. One client is safe to share between
    threads and between tasks; close it, or use it as a context manager.
    """

    def __init__(self, **options: Unpack[_options.Options]) -> None:
        sealed: Secret[dict[str, Any]] = Secret({**options})
        del options  # what fails below must show no key, local variables included
        self._setup(_options.check(sealed))

    def _setup(
        self, settings: _options.Settings, parent: WeChatPay | None = None
    ) -> None:
        self._settings = settings
        self._closed = False
        self._shares = (
            parent is not None and parent._settings.network is settings.network
        )
        self._connections: _Connections = (
            parent._connections if parent and self._shares else _Connections(settings)
        )
        self._certificates: Certificates | None
        if parent is not None and parent._settings.keys is settings.keys:
            self._certificates = parent._certificates
        else:
            self._certificates = self._downloads()
        json, xml = self._layers()
        if parent is None:
            self._own = json, xml
            self.stack = Stack(_named(json))
            self.xml_stack = Stack(_named(xml))
        else:
            # The user's layers stay, ours are those of the new settings.
            self.stack = _exchange(parent.stack, parent._own[0], json)
            self.xml_stack = _exchange(parent.xml_stack, parent._own[1], xml)
            self._own = json, xml
        for name, layer in reversed(settings.middleware):
            self.stack.push(layer, name)
            self.xml_stack.push(layer, name)
        self._defaults = Defaults(
            settings.base_url,
            settings.timeout,
            self.stack,
            self.xml_stack,
            settings.mutual,
        )

    def _downloads(self) -> Certificates | None:
        settings = self._settings
        if settings.apiv3_key is None or settings.keys.public_key_id is not None:
            return None
        if len(settings.keys):
            return None  # certificates at hand: the caller's to renew
        return Certificates(
            keys=settings.keys, apiv3_key=settings.apiv3_key, clock=settings.clock
        )

    def _layers(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        s = self._settings
        signer = Signer(
            mchid=s.mchid,
            serial=s.serial,
            private_key=s.private_key,
            keys=s.keys,
            clock=s.clock,
            nonce=s.nonce,
        )
        verifier = Verifier(keys=s.keys, clock=s.clock, certificates=self._certificates)
        retrier = Retrier(s.retry)
        return (
            (Raiser(), Encoder(s.headers), retrier, Decoder(), verifier, signer),
            (
                XmlRaiser(),
                XmlEncoder(s.xml_headers),
                retrier,
                XmlDecoder(),
                XmlVerifier(secret=s.secret),
                XmlSigner(mchid=s.mchid, secret=s.secret, nonce=s.nonce),
            ),
        )

    @classmethod
    def from_env(cls, prefix: str = "WECHATPAY_") -> Self:
        """Build a client from environment variables: ``WECHATPAY_MCHID`` and so on.

        ``WECHATPAY_CERTS`` is a JSON object. Raises ``ConfigurationError``.
        """
        return cls._of(_config.from_env(prefix))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Build a client from a TOML file, or JSON by its suffix.

        Its keys are the option names; key values are paths relative to the file, or PEM
        text. Raises ``ConfigurationError``.
        """
        return cls._of(_config.from_file(path))

    @classmethod
    def _of(cls, sealed: Secret[dict[str, Any]]) -> Self:
        made = cls.__new__(cls)
        made._setup(_options.check(sealed))
        return made

    def with_options(self, **changes: Unpack[_options.Options]) -> Self:
        """A client with some options changed, which shares the connection pool.

        Layers that were added to the stacks come along; ``middleware`` adds to them.
        The pool is closed with the client that made it. Changed proxies, trust, client
        certificate or transport take a pool of their own.
        """
        sealed: Secret[dict[str, Any]] = Secret({**changes})
        del changes
        names = sealed.reveal().keys()
        if (
            "certs" not in names
            and names & {"apiv3_key", "clock"}
            and self._certificates
        ):
            sealed.reveal()["certs"] = crypto.KeyRing()  # downloaded anew
        base = self._settings.loaded
        merged = Secret({**base.reveal(), "middleware": (), **sealed.reveal()})
        settings = _options.check(merged)
        if not names & _options.CONNECTION:
            settings = replace(settings, network=self._settings.network)
        made = type(self).__new__(type(self))
        made._setup(settings, self)
        return made

    # The chain. Only versions are segments here: a misspelt method is no empty chain.

    def __getattr__(self, name: str) -> Node:
        if _chain.ROOTS.fullmatch(name):
            return Node(self, name)
        near = get_close_matches(name, [*_public(type(self)), "v2", "v3", "hk"], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise AttributeError(
            f"{type(self).__name__!r} has no attribute {name!r}{hint} (paths start at "
            "v3, v2 or hk; any other at client['...'])",
            name=name,
            obj=self,
        )

    def __getitem__(self, path: str) -> Node:
        return Node(self, "")[path]

    def chain(self, path: str) -> Node:
        """The node of *path*, verbatim: ``chain("v3/certificates")``."""
        return self[path]

    @property
    def mchid(self) -> str:
        """The merchant number (商户号)."""
        return self._settings.mchid

    @property
    def keys(self) -> crypto.KeyRing:
        """WeChat's keys by id, as they are now."""
        return self._settings.keys

    def _call(
        self, method: str, text: str, body: Any, options: dict[str, Any]
    ) -> Reply:
        prepared = self._prepare(method, text, body, options)
        started = perf_counter()
        try:
            response = self._connections.sync.run(prepared.entries, prepared.request)
        except APIError as error:
            _finish(error)
            raise
        return reply(response, perf_counter() - started)

    async def _call_async(
        self, method: str, text: str, body: Any, options: dict[str, Any]
    ) -> Reply:
        prepared = self._prepare(method, text, body, options)
        started = perf_counter()
        driver = self._connections.awaited
        try:
            response = await driver.run(prepared.entries, prepared.request)
        except APIError as error:
            _finish(error)
            raise
        return reply(response, perf_counter() - started)

    def _prepare(
        self, method: str, text: str, body: Any, options: Mapping[str, Any]
    ) -> Prepared:
        if self._closed:
            raise ConfigurationError("this client is closed; build a new one")
        return prepare(self._defaults, method, text, body, dict(options))

    def close(self) -> None:
        """Close the connections; further calls raise. Async: :meth:`aclose`."""
        self._closed = True
        if not self._shares:
            self._connections.close()

    async def aclose(self) -> None:
        """Close the connections of both modes; further calls raise."""
        self._closed = True
        if not self._shares:
            await self._connections.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a client is not pickled, because it holds keys: build one in each "
            "process, with WeChatPay.from_env() or WeChatPay.from_file(...)"
        )

    def __dir__(self) -> list[str]:
        return sorted([*_public(type(self)), "stack", "xml_stack", "v2", "v3", "hk"])

    def __repr__(self) -> str:
        return f"<WeChatPay merchant {self.mchid} at {self._settings.base_url}>"


def _public(kind: type) -> list[str]:
    return [name for name in dir(kind) if not name.startswith("_")]


def _named(layers: tuple[Any, ...]) -> tuple[Entry, ...]:
    return tuple(Entry(layer.name, layer) for layer in layers)


def _exchange(stack: Stack, old: tuple[Any, ...], new: tuple[Any, ...]) -> Stack:
    """A copy of *stack* with each layer of *old* replaced by its successor."""
    successor = {id(before): after for before, after in zip(old, new)}
    return Stack(
        Entry(name, successor.get(id(layer), layer)) for name, layer in stack.entries
    )


def _finish(error: APIError) -> None:
    """Give the caller the reply that a verb would have returned."""
    if error.response is not None and not isinstance(error.response, Reply):
        error.response = reply(error.response)
