"""Serials, and the :class:`KeyRing` of WeChat keys (protocol sections 1 and 6)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, NoReturn

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

PUBLIC_KEY_ID = "PUB_KEY_ID_"


def normal_serial(serial: str) -> str:
    """The form in which serials are compared: upper case, padded to 40 characters.

    A ``PUB_KEY_ID_...`` is opaque and stays as it is.

    >>> normal_serial("1dde") == "1DDE".zfill(40)
    True
    >>> normal_serial("PUB_KEY_ID_01")
    'PUB_KEY_ID_01'
    """
    if serial.startswith(PUBLIC_KEY_ID):
        return serial
    return serial.strip().upper().zfill(40)


def serial_text(number: int) -> str:
    """A certificate's serial number as WeChat writes it: 40 upper-case hex characters.

    >>> serial_text(0x0A1B)[-6:]
    '000A1B'
    """
    return f"{number:040X}"


class WeChatKey(NamedTuple):
    """One of WeChat's verification keys; ``until`` is a certificate's expiry."""

    serial: str
    public_key: RSAPublicKey
    since: datetime | None = None
    until: datetime | None = None

    @property
    def bare(self) -> bool:
        """Whether it is a WeChat Pay public key (微信支付公钥), not a certificate."""
        return self.serial.startswith(PUBLIC_KEY_ID)

    @property
    def expiry(self) -> float:
        """Unix seconds at which it expires; infinite where it does not."""
        return math.inf if self.until is None else self.until.timestamp()


def _filed(name: object, key: object) -> WeChatKey:
    """*key* as a ring holds it; one that does not know its id has that of *name*."""
    if isinstance(key, WeChatKey):
        return key
    if isinstance(key, RSAPublicKey) and isinstance(name, str):
        return WeChatKey(name, key)
    raise TypeError(
        "a KeyRing maps ids to RSA public keys of cryptography, not "
        f"{type(name).__name__} to {type(key).__name__}; certs= of a client takes "
        "every form of key"
    )


class KeyRing:
    """WeChat's keys by id, several live at once (protocol section 6).

    A key is chosen by ``Wechatpay-Serial`` only. Changes replace the whole map in one
    step, so readers in other threads see the old one or the new one, never a mixture.
    *keys* by id are of ``cryptography``, or :class:`WeChatKey`, which knows its own.
    *clock* gives Unix seconds: certificates that have expired are not preferred.
    """

    def __init__(
        self,
        keys: Mapping[str, WeChatKey | RSAPublicKey] | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        given = [_filed(name, key) for name, key in (keys or {}).items()]
        self._set({normal_serial(key.serial): key for key in given})

    def _set(self, keys: dict[str, WeChatKey]) -> None:
        self._keys = keys
        self._expiry = max((key.expiry for key in keys.values()), default=-math.inf)
        bare = [key.serial for key in keys.values() if key.bare]
        #: Id of the WeChat Pay public key, which each request asks for, if any.
        self.public_key_id: str | None = bare[-1] if bare else None

    def find(self, serial: str) -> WeChatKey | None:
        """The key of that id, or ``None``; never *any key we have*."""
        return self._keys.get(normal_serial(serial))

    def usable(self, now: float) -> bool:
        """Whether any key is left to verify with at *now*, in Unix seconds."""
        return now < self._expiry

    def update(self, *keys: WeChatKey) -> None:
        """Add *keys*, replacing those of the same id; idempotent."""
        self._set({**self._keys, **{normal_serial(k.serial): k for k in keys}})

    def replace_certificates(self, *keys: WeChatKey) -> None:
        """Set the certificates to *keys*; public keys stay, and no keys change nothing.

        A refresh that brought nothing must not empty the ring.
        """
        if keys:
            kept = {serial: key for serial, key in self._keys.items() if key.bare}
            self._set({**kept, **{normal_serial(k.serial): k for k in keys}})

    @property
    def preferred(self) -> WeChatKey | None:
        """The key to encrypt with: a public key, else the newest live certificate."""
        keys, now = list(self._keys.values()), self._clock()
        bare = [key for key in keys if key.bare]
        if bare:
            return bare[-1]
        return max(
            (key for key in keys if now < key.expiry),
            key=lambda k: k.since.timestamp() if k.since else 0,
            default=None,
        )

    def __getitem__(self, serial: str) -> WeChatKey:
        return self._keys[normal_serial(serial)]

    def __iter__(self) -> Iterator[str]:
        return (key.serial for key in self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, serial: object) -> bool:
        return isinstance(serial, str) and normal_serial(serial) in self._keys

    def __repr__(self) -> str:
        return f"<KeyRing {', '.join(self) or 'empty'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a KeyRing is not pickled: build it in each process")
