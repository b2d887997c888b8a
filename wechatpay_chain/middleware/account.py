"""What a client is set to, as far as the explanation of a refusal needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .. import crypto


class Account(NamedTuple):
    """What a client is set to, which a 401 is compared with."""

    mchid: str
    #: Of the merchant API certificate.
    serial: str
    #: Gives the public half of the private key: made only when it is needed.
    public_key: Callable[[], RSAPublicKey]
    #: WeChat's keys.
    keys: crypto.KeyRing
    clock: Callable[[], float]

    def __repr__(self) -> str:
        return f"<Account {self.mchid}>"
