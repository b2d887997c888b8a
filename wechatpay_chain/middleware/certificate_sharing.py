"""What a flow does with a store: each step may fail, and no call fails by it."""

from __future__ import annotations

import logging
import os
from typing import Any

from .._flow import Call, Flow
from ..errors import WeChatPayError
from ..stores import CertificateStore, Stored

log: logging.Logger = logging.getLogger("wechatpay_chain.certificates")

#: Seconds after which a claim that was not released ends: more than a download takes.
CLAIM = 20.0


class Sharing:
    """The entry of one merchant in a store; without a store it is always empty.

    A step that fails is a warning, and the store is left out until :meth:`begin`.
    """

    def __init__(self, store: CertificateStore | None, mchid: str) -> None:
        self._store = store
        self._mchid = mchid
        self._down = store is None
        #: The process that holds the claim. A call that was cancelled cannot release
        #: its own, and leaves it to the next one of this process.
        self._holder: int | None = None

    def begin(self) -> None:
        """Try the store again."""
        self._down = self._store is None

    def load(self) -> Flow[Stored | None]:
        """The stored set, if there is one that is a set."""
        found: object = yield from self._step("load", default=None)
        if found is None or isinstance(found, Stored):
            return found
        self._failed("load", f"it returned {type(found).__name__}, not Stored")
        return None

    def save(self, stored: Stored) -> Flow[None]:
        """Store a set."""
        yield from self._step("save", stored, default=None)

    def claim(self) -> Flow[bool]:
        """Whether this client is to download; it is where no store can say."""
        if self._holder == os.getpid():
            return True
        held = bool((yield from self._step("claim", CLAIM, default=None)))
        if held:
            self._holder = os.getpid()
        return held or self._down

    def release(self) -> Flow[None]:
        """End the claim, if there is one."""
        if self._holder == os.getpid():
            self._holder = None
            self._down = False  # also after a save that failed
            yield from self._step("release", default=None)

    def _step(self, name: str, *arguments: object, default: Any) -> Flow[Any]:
        if self._down:
            return default
        try:
            method = getattr(self._store, name)
            return (yield Call(method, self._mchid, *arguments))
        except Exception as error:
            self._failed(name, reason(error))
            return default

    def _failed(self, name: str, why: str) -> None:
        self._down = True
        log.warning(
            "platform certificates: certificate_store.%s failed, going on without: %s",
            name,
            why,
        )


def reason(error: Exception) -> str:
    """What a log may show of *error*: of a stranger's, the text may hold anything."""
    kind = type(error).__name__
    if isinstance(error, WeChatPayError):
        return f"{kind}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    return kind
