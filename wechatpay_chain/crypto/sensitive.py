"""Sensitive fields (敏感字段): a ciphertext that knows which of WeChat's keys opens it.

Protocol section 11. Which fields of a request are sensitive is not known here.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any, ClassVar

from .keys import WeChatKey
from .rsa import encrypt_oaep

#: Bytes of a ciphertext at least: those of a 1024-bit key.
_SMALLEST = 128


class Encrypted(str):
    """A sensitive field that is encrypted already: text, base64.

    >>> Encrypted("aGk=", "PUB_KEY_ID_01").serial
    'PUB_KEY_ID_01'
    """

    #: Id of the key, which goes into ``Wechatpay-Serial`` of the request.
    serial: str
    #: Whether this process has made any, and so whether it pays to look for them.
    exist: ClassVar[bool] = False

    def __new__(cls, ciphertext: str, serial: str) -> Encrypted:
        """Mark *ciphertext* as made with the key *serial*."""
        made = super().__new__(cls, ciphertext)
        made.serial = serial
        Encrypted.exist = True
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.serial)


def encrypt_field(plaintext: str, key: WeChatKey) -> Encrypted:
    """Encrypt *plaintext* with *key*; ``ValueError`` names the limit if too long."""
    return Encrypted(encrypt_oaep(plaintext, key.public_key), key.serial)


def is_ciphertext(text: str) -> bool:
    """Whether *text* has the form of a value that was encrypted with an RSA key.

    >>> is_ciphertext("6222020000000000000"), is_ciphertext("A" * 342 + "==")
    (False, True)
    """
    try:
        return len(b64decode(text, validate=True)) >= _SMALLEST
    except ValueError:
        return False
