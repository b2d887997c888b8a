"""``WeChatPay``: configuration in, chain out."""

from __future__ import annotations

import os
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn

from . import _chain, _help
from ._calls import Prepared, prepare
from ._fields import Fields
from ._node import Node
from ._reply import Reply, reply
from ._secret import Secret
from ._uri import suggest
from .errors import APIError, ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._options import Options
    from ._parts import Parts
    from ._stack import Stack
    from ._tree import V2, V3, Hk
    from .bills import Bills
    from .crypto import KeyRing
    from .invocations import Invocations
    from .notifications import Notifications


class WeChatPay(Fields):
    """A client of WeChat Pay (微信支付): every path of the API is an attribute of it.

    All options are keywords, named as in the PHP and JS SDKs:

    - ``mchid``: merchant number (商户号), digits.
    - ``serial``: serial of the merchant API certificate.
    - ``private_key``: the merchant's private key: a path, PEM, DER, base64, ``.p12`` or
      key object; ``(material, password)`` where it is encrypted.
    - ``certs``: WeChat's keys by id, ``PUB_KEY_ID_...`` or certificate serial. Without
      it platform certificates are downloaded, which takes ``apiv3_key``.
    - ``certificate_store``: what workers share downloaded certificates through: a
      directory, or an object as in :mod:`wechatpay_chain.stores`. Given beside
      ``certs``, certificates that these lack are downloaded too.
    - ``apiv3_key``, ``secret``: the APIv3 key (32 bytes) and the APIv2 key.
    - ``merchant``: client certificate for APIv2: ``(certificate, key)`` or
      ``(p12, password)``.
    - ``base_url``, ``timeout`` (seconds, or connect and read), ``retry`` (total
      attempts or a policy), ``proxies``, ``verify`` (CA bundle), ``user_agent``,
      ``accept_language``, ``middleware`` (layers), ``transport``, ``async_transport``,
      ``clock`` (Unix seconds), ``nonce``.
    - ``check``: what is done about a request that the catalogue finds wrong:
      ``"warn"`` of what is certain, ``"strict"`` (refuse whatever it finds),
      ``"off"``. An endpoint that it does not know passes.

    Raises ``ConfigurationError`` for a wrong option. One client is safe to share
    between threads and between tasks; close it, or use it as a context manager.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        sealed: Secret[dict[str, Any]] = Secret({**options})
        del options  # what fails below must show no key, local variables included
        self._setup(_assembly().build(sealed))

    def _setup(self, assembly: Parts) -> None:
        self._assembly = assembly
        self._settings = assembly.settings
        self._defaults = assembly.defaults

    @classmethod
    def from_env(cls, prefix: str = "WECHATPAY_") -> Self:
        """Build a client from environment variables: ``WECHATPAY_MCHID`` and so on.

        ``WECHATPAY_CERTS`` is a JSON object. Raises ``ConfigurationError``.
        """
        from ._config import from_env

        return cls._of(from_env(prefix))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Build a client from a TOML file, or JSON by its suffix.

        Its keys are the option names; key values are paths relative to the file, or PEM
        text. Raises ``ConfigurationError``.
        """
        from ._config import from_file

        return cls._of(from_file(path))

    @classmethod
    def _of(cls, sealed: Secret[dict[str, Any]]) -> Self:
        made = cls.__new__(cls)
        made._setup(_assembly().build(sealed))
        return made

    def with_options(self, **changes: Unpack[Options]) -> Self:
        """A client with some options changed, which shares the connection pool.

        Layers that were added to the stacks come along; ``middleware`` adds to them.
        The pool is closed with the client that made it, and this one with the pool.
        Changed proxies, trust, client certificate or transport take one of their own.
        Another merchant has keys of its own: give them with its ``mchid``.
        """
        sealed: Secret[dict[str, Any]] = Secret({**changes})
        del changes
        made = type(self).__new__(type(self))
        made._setup(_assembly().derive(self._assembly, sealed))
        return made

    # The chain. Only versions are segments here: a misspelt method is no empty chain.

    if TYPE_CHECKING:  # generated types for what the catalogue knows

        @property
        def v3(self) -> V3:
            """The root of APIv3."""
            ...

        @property
        def v2(self) -> V2:
            """The root of APIv2 (XML)."""
            ...

        @property
        def hk(self) -> Hk:
            """The root of the endpoints of Hong Kong, ``hk/v3``."""
            ...

    else:

        def __getattr__(self, name: str) -> Node:
            if _chain.ROOTS.fullmatch(name):
                return Node(self, name)
            raise AttributeError(
                f"{type(self).__name__!r} has no attribute {name!r}"
                f"{suggest(name, dir(self))} (paths start at v3, v2 or hk; any other "
                "at client['...'])",
                name=name,
                obj=self,
            )

    def __getitem__(self, path: str) -> Node:
        return Node(self, "")[path]

    def chain(self, path: str) -> Node:
        """The node of *path*, verbatim: ``chain("v3/certificates")``."""
        return self[path]

    @property
    def stack(self) -> Stack:
        """The named layers of a call, to be changed in place."""
        return self._assembly.stack

    @property
    def xml_stack(self) -> Stack:
        """The named layers of a call below ``v2``."""
        return self._assembly.xml_stack

    @property
    def notifications(self) -> Notifications:
        """Reads what WeChat Pay posts: ``.parse(headers, body)``."""
        from .notifications import Notifications

        return Notifications(self._assembly, lambda: self._assembly.closed)

    @property
    def invoke(self) -> Invocations:
        """Makes what a front end opens WeChat Pay with (调起支付): ``.jsapi(...)``."""
        from .invocations import Invocations

        return Invocations(self._settings)

    @property
    def bills(self) -> Bills:
        """Reads bills (账单) as streams: ``.trade(date)``, ``.fundflow(date)``."""
        from .bills import Bills

        return Bills(self)

    @property
    def mchid(self) -> str:
        """The merchant number (商户号)."""
        return self._settings.mchid

    @property
    def keys(self) -> KeyRing:
        """WeChat's keys by id, as they are now."""
        return self._settings.keys

    def _call(
        self, method: str, text: str, body: Any, options: dict[str, Any]
    ) -> Reply:
        prepared = self._prepare(method, text, body, options)
        started = perf_counter()
        try:
            response = self._assembly.connections.sync.run(
                prepared.entries, prepared.request
            )
        except APIError as error:
            _finish(error)
            raise
        return reply(response, perf_counter() - started)

    async def _call_async(
        self, method: str, text: str, body: Any, options: dict[str, Any]
    ) -> Reply:
        prepared = self._prepare(method, text, body, options)
        started = perf_counter()
        driver = self._assembly.connections.awaited
        try:
            response = await driver.run(*prepared)
        except APIError as error:
            _finish(error)
            raise
        return reply(response, perf_counter() - started)

    def _prepare(
        self, method: str, text: str, body: Any, options: dict[str, Any]
    ) -> Prepared:
        if self._assembly.closed:
            raise ConfigurationError("this client is closed; build a new one")
        return prepare(self._defaults, method, text, body, options)

    def close(self) -> None:
        """Close the connections; further calls raise. Async: :meth:`aclose`.

        Calls in flight send nothing more: an attempt that is under way in another
        thread comes to its end, and is not repeated.
        """
        self._assembly.close()

    async def aclose(self) -> None:
        """Close the connections of both modes; further calls raise.

        Calls in flight send nothing more: an attempt of this event loop is cut off,
        which its call raises; one in another thread comes to its end.
        """
        await self._assembly.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):
            raise AttributeError(
                f"{name!r} cannot be set on a client: use with_options({name}=...), or "
                "change client.stack",
                name=name,
                obj=self,
            )
        object.__setattr__(self, name, value)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a client is not pickled, because it holds keys: build one in each "
            "process, with WeChatPay.from_env() or WeChatPay.from_file(...)"
        )

    def __dir__(self) -> list[str]:
        return sorted([*_public(type(self)), "v2", "v3", "hk"])

    def _ipython_key_completions_(self) -> list[str]:
        return _help.items("")

    def __repr__(self) -> str:
        # A traceback that prints local variables shows one whose options were refused.
        settings = self.__dict__.get("_settings")
        if settings is None:
            return f"<{type(self).__name__}, not built>"
        return f"<WeChatPay merchant {settings.mchid} at {settings.base_url}>"


def _assembly() -> Any:
    """The module that puts a client together.

    Most of the package: importing that skips it. By name, for mypy would follow it for
    each program of each user, down to asyncio.
    """
    return import_module("._assembly", __package__)


def _public(kind: type) -> list[str]:
    return [name for name in dir(kind) if not name.startswith("_")]


def _finish(error: APIError) -> None:
    """Give the caller the reply that a verb would have returned."""
    if error.response is not None and not isinstance(error.response, Reply):
        error.response = reply(error.response)
