"""AES as WeChat Pay uses it: GCM for APIv3 messages, ECB for APIv2 refund notices.

Protocol sections 8 and 16. Keys are used and dropped; an error never shows one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import md5

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7

from .._secret import Secret, key_bytes
from ..errors import DecryptionError

#: The algorithm name in messages.
AEAD = "AEAD_AES_256_GCM"


def encrypt_gcm(
    plaintext: str | bytes,
    key: str | bytes | Secret[bytes],
    nonce: str | bytes,
    associated_data: str | bytes | None = "",
) -> str:
    """Seal *plaintext* with the APIv3 key; base64 of ciphertext and 16-byte tag.

    Raises ``ValueError`` where *key* is not 32 bytes.
    """
    key = key_bytes(key)
    _check_apiv3(key)
    sealed = AESGCM(key.reveal()).encrypt(
        _bytes(nonce), _bytes(plaintext), _bytes(associated_data)
    )
    return b64encode(sealed).decode("ascii")


def decrypt_gcm(
    ciphertext: str,
    key: str | bytes | Secret[bytes],
    nonce: str | bytes,
    associated_data: str | bytes | None = "",
) -> bytes:
    """Open an APIv3 ``resource`` or certificate with the 32-byte APIv3 key.

    *associated_data* comes from the message, and may be empty or ``None``. Raises
    ``DecryptionError``; partial plaintext is never returned.
    """
    key = key_bytes(key)  # no frame below may show it
    return _open_gcm(ciphertext, key, nonce, associated_data, _MISMATCH)


def decrypt_verified(
    ciphertext: str,
    key: str | bytes | Secret[bytes],
    nonce: str | bytes,
    associated_data: str | bytes | None = "",
) -> bytes:
    """:func:`decrypt_gcm`, of a message whose signature holds: nobody has changed it.

    So if it does not open, the error says that the key is to blame.
    """
    key = key_bytes(key)
    return _open_gcm(ciphertext, key, nonce, associated_data, _WRONG_KEY)


_MISMATCH = (
    "the AES-GCM tag does not match: wrong APIv3 key, changed ciphertext, "
    "or wrong associated_data"
)
_WRONG_KEY = (
    "signed, so unchanged, and it does not open: almost certainly apiv3_key is not the "
    "APIv3 key (APIv3密钥) that is set in the merchant console (商户平台: 账户中心, "
    "API安全); or it was posted to the address of another merchant"
)


def _open_gcm(
    ciphertext: str,
    key: Secret[bytes],
    nonce: str | bytes,
    associated_data: str | bytes | None,
    mismatch: str,
) -> bytes:
    _check_apiv3(key)
    problem = "the ciphertext is not base64"
    try:
        sealed = b64decode(ciphertext, validate=True)
        problem = "the AES-GCM nonce has a length that cannot be"
        return AESGCM(key.reveal()).decrypt(
            _bytes(nonce), sealed, _bytes(associated_data)
        )
    except InvalidTag:
        problem = mismatch
    except ValueError:  # binascii.Error is one
        pass
    raise DecryptionError(problem)


def encrypt_ecb(plaintext: str | bytes, secret: str | bytes | Secret[bytes]) -> str:
    """Seal an APIv2 refund notice (``req_info``) with the APIv2 key; base64."""
    secret = key_bytes(secret)
    padder = PKCS7(128).padder()
    padded = padder.update(_bytes(plaintext)) + padder.finalize()
    encryptor = _ecb(secret).encryptor()
    return b64encode(encryptor.update(padded) + encryptor.finalize()).decode("ascii")


def decrypt_ecb(ciphertext: str, secret: str | bytes | Secret[bytes]) -> bytes:
    """Open an APIv2 refund notice (``req_info``) with the APIv2 key.

    Raises ``DecryptionError`` where it does not open.
    """
    secret = key_bytes(secret)
    try:
        decryptor = _ecb(secret).decryptor()
        unpadder = PKCS7(128).unpadder()
        return (
            unpadder.update(decryptor.update(b64decode(ciphertext, validate=True)))
            + unpadder.update(decryptor.finalize())
            + unpadder.finalize()
        )
    except ValueError:  # binascii.Error is one
        pass
    raise DecryptionError("req_info does not open: wrong APIv2 key or changed text")


def _ecb(secret: Secret[bytes]) -> Cipher[modes.ECB]:
    # The AES key is the lower-case hex text of MD5(APIv2 key): protocol section 16.
    return Cipher(
        algorithms.AES(
            md5(secret.reveal(), usedforsecurity=False).hexdigest().encode()
        ),
        modes.ECB(),
    )


def _check_apiv3(key: Secret[bytes]) -> None:
    size = len(key.reveal())
    if size != 32:
        raise ValueError(f"the APIv3 key must be 32 bytes, this one has {size}")


def _bytes(value: str | bytes | None) -> bytes:
    return value.encode() if isinstance(value, str) else value or b""
