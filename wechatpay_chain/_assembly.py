"""What a client is put together from, once, when it is built: layers and connections.

Loaded with the first client, so that importing the package stays cheap.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ._calls import Defaults
from ._connections import Connections
from ._flow import Entry
from ._logging import configure
from ._options import BASE_URL, CONNECTION, Settings, check
from ._secret import Secret
from ._stack import Stack
from .crypto import Encrypted, KeyRing
from .middleware.account import Account
from .middleware.certificates import Certificates
from .middleware.checks import Checker
from .middleware.coding import Decoder, Encoder
from .middleware.concealing import Concealer
from .middleware.failover import Failover
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
from .transports.memory import AsyncMemoryTransport, MemoryTransport

#: What certificates depend on: changed, they are downloaded anew.
ORIGIN = frozenset({"mchid", "apiv3_key", "base_url", "clock", "certificate_store"})


def build(options: Secret[dict[str, Any]]) -> Assembly:
    """Check *options* and put a client together. Raises ``ConfigurationError``."""
    configure()
    return Assembly(check(options))


def derive(parent: Assembly, changes: Secret[dict[str, Any]]) -> Assembly:
    """The same with some options changed, on the same connections where it can be."""
    names = changes.reveal().keys()
    again = {}
    if parent.downloads and "certs" not in names and names & ORIGIN:
        again = {"certs": _public_keys(parent, changes)}
    settings = check(
        Secret(
            {
                **parent.settings.loaded.reveal(),
                "middleware": (),
                **again,
                **changes.reveal(),
            }
        )
    )
    if not names & CONNECTION:
        settings = replace(settings, network=parent.settings.network)
    return Assembly(settings, parent)


def _public_keys(parent: Assembly, changes: Secret[dict[str, Any]]) -> KeyRing | None:
    """What stays where the certificates are downloaded anew."""
    keys = [parent.settings.keys.find(name) for name in parent.settings.keys]
    bare = {key.serial: key for key in keys if key is not None and key.bare}
    clock = changes.reveal().get("clock") or parent.settings.clock
    return KeyRing(bare, clock=clock) if bare else None


class Assembly:
    """Settings, stacks and connections of one client; *parent* is what it came from.

    Layers that the user added to the parent's stacks stay, ours are of the new
    settings. The pool is shared unless the settings say how to connect anew.
    """

    connections: Connections
    stack: Stack
    xml_stack: Stack
    certificates: Certificates | None
    _failover: Failover

    def __init__(self, settings: Settings, parent: Assembly | None = None) -> None:
        self.settings = settings
        #: Whether the connections are the parent's, and so not ours to close.
        self.shares = parent is not None and parent.settings.network is settings.network
        if parent is not None and self.shares:
            self.connections = parent.connections
        else:
            self.connections = Connections(settings)
        if (
            parent is not None
            and parent.settings.keys is settings.keys
            and parent.settings.store is settings.store
        ):
            self.certificates = parent.certificates
        else:
            self.certificates = _certificates(settings)
        self._closed = False
        self._failover = _failover(settings, parent)
        retrier = Retrier(
            settings.retry,
            timer=_timer(settings),
            failover=self._failover,
            closed=lambda: self.closed,
        )
        self._own = _layers(settings, self.certificates, retrier)
        if parent is None:
            self.stack, self.xml_stack = map(Stack, map(_named, self._own))
        else:
            self.stack = _exchange(parent.stack, parent._own[0], self._own[0])
            self.xml_stack = _exchange(parent.xml_stack, parent._own[1], self._own[1])
        for name, layer in reversed(settings.middleware):
            self.stack.push(layer, name)
            self.xml_stack.push(layer, name)

    @property
    def closed(self) -> bool:
        """Whether this client is, or the one whose connections it shares."""
        return self._closed or self.connections.closed

    def close(self) -> None:
        """Send nothing more, and close the connections that are not shared."""
        self._closed = True
        if not self.shares:
            self.connections.close()

    async def aclose(self) -> None:
        """The same for both modes."""
        self._closed = True
        if not self.shares:
            await self.connections.aclose()

    @property
    def downloads(self) -> bool:
        """Whether the platform certificates are downloaded."""
        return self.certificates is not None

    @property
    def defaults(self) -> Defaults:
        """What the client contributes to each request."""
        settings = self.settings
        return Defaults(
            settings.base_url,
            settings.timeout,
            getattr(settings.retry, "deadline", None),
            self.stack,
            self.xml_stack,
            settings.mutual,
            Encrypted,
            settings.base_url == BASE_URL,
        )


def _certificates(settings: Settings) -> Certificates | None:
    """The download; keys that are given without a store are the caller's to renew."""
    if settings.apiv3_key is None or (len(settings.keys) and settings.store is None):
        return None
    return Certificates(
        mchid=settings.mchid,
        keys=settings.keys,
        apiv3_key=settings.apiv3_key,
        clock=settings.clock,
        timer=_timer(settings),
        store=settings.store,
    )


def _failover(settings: Settings, parent: Assembly | None) -> Failover:
    """That of *parent*, between the same hosts: what it has learnt goes for both."""
    if parent is not None:
        theirs = parent.settings
        if (theirs.base_url, theirs.backup_url) == (
            settings.base_url,
            settings.backup_url,
        ):
            return parent._failover
    return Failover(settings.base_url, settings.backup_url, _timer(settings))


def _timer(settings: Settings) -> Callable[[], float]:
    """What measures the time of a call.

    The policy's own timer, where it has one. Then that of a memory transport: where
    waiting takes no time, real time would never reach a deadline.
    """
    timer: Callable[[], float] | None = getattr(settings.retry, "timer", None)
    for transport in (settings.transport, settings.async_transport):
        if isinstance(transport, (MemoryTransport, AsyncMemoryTransport)):
            timer = timer or transport.timer
    return timer or time.monotonic


def _layers(
    s: Settings, certificates: Certificates | None, retrier: Retrier
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The built-in layers of both stacks, outermost first."""
    signer = Signer(
        mchid=s.mchid,
        serial=s.serial,
        private_key=s.private_key,
        keys=s.keys,
        clock=s.clock,
        nonce=s.nonce,
    )
    # The public half is made of the key when a refusal is to be explained, not before.
    account = Account(s.mchid, s.serial, s.private_key.public_key, s.keys, s.clock)
    verifier = Verifier(keys=s.keys, clock=s.clock, certificates=certificates)
    shared = (
        Checker(s.check),
        Concealer(keys=s.keys, private_key=s.private_key, certificates=certificates),
    )
    xml_signer = XmlSigner(mchid=s.mchid, secret=s.secret, nonce=s.nonce)
    outer = Raiser(account), *shared, Encoder(s.headers), retrier
    xml_outer = XmlRaiser(), *shared, XmlEncoder(s.xml_headers), retrier
    return (
        (*outer, Decoder(), verifier, signer),
        (*xml_outer, XmlDecoder(), XmlVerifier(secret=s.secret), xml_signer),
    )


def _named(layers: tuple[Any, ...]) -> tuple[Entry, ...]:
    return tuple(Entry(layer.name, layer) for layer in layers)


def _exchange(stack: Stack, old: tuple[Any, ...], new: tuple[Any, ...]) -> Stack:
    """A copy of *stack* with each layer of *old* replaced by its successor."""
    successor = {id(before): after for before, after in zip(old, new)}
    return Stack(
        Entry(name, successor.get(id(layer), layer)) for name, layer in stack.entries
    )


if TYPE_CHECKING:
    from ._parts import Parts

    _fits: type[Parts] = Assembly
