"""RSA as WeChat Pay uses it: PKCS#1 v1.5 with SHA-256 to sign, OAEP with SHA-1 to seal.

Protocol sections 3 and 11. No key is loaded here (``load``), none is chosen (``keys``).
"""

from __future__ import annotations

from base64 import b64decode, b64encode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from ..errors import DecryptionError

#: The only signature scheme of APIv3, as it stands in headers.
SCHEME = "WECHATPAY2-SHA256-RSA2048"

_PRIVATE = (RSAPrivateKey, "private key", "crypto.load_private_key(...)")
_PUBLIC = (RSAPublicKey, "public key", "crypto.load_public_key(...).key")
_PKCS1 = padding.PKCS1v15()
_SHA256 = hashes.SHA256()
_SHA1_BYTES = 20
_OAEP = padding.OAEP(
    mgf=padding.MGF1(algorithm=hashes.SHA1()), algorithm=hashes.SHA1(), label=None
)


def _mistaken(given: type, wanted: tuple[type, str, str]) -> str | None:
    """Why a *given* type is not that of the key wanted, in words; no key is here."""
    kind, name, loader = wanted
    if issubclass(given, kind):
        return None
    return f"a loaded RSA {name} expected, got {given.__name__}: use {loader}"


def sign(message: bytes | str, private_key: RSAPrivateKey) -> str:
    """Sign *message*; the signature as padded, single-line base64."""
    problem = _mistaken(type(private_key), _PRIVATE)
    if problem:
        del private_key  # PEM text perhaps, and tracebacks can show local variables
        raise TypeError(problem)
    data = message.encode() if isinstance(message, str) else message
    return b64encode(private_key.sign(data, _PKCS1, _SHA256)).decode("ascii")


def verify(message: bytes | str, signature: str, public_key: RSAPublicKey) -> bool:
    """Whether *signature* is that of *message*.

    Never raises for a wrong one: bad base64 and a wrong length are ``False`` too, as
    signature probes (签名探测) have both (protocol section 9).
    """
    problem = _mistaken(type(public_key), _PUBLIC)
    if problem:
        del public_key
        raise TypeError(problem)
    data = message.encode() if isinstance(message, str) else message
    try:
        raw = b64decode(signature, validate=True)
        public_key.verify(raw, data, _PKCS1, _SHA256)
    except (InvalidSignature, ValueError):  # binascii.Error is one
        return False
    return True


def oaep_limit(public_key: RSAPublicKey) -> int:
    """How many bytes fit into one OAEP ciphertext: 214 for a 2048-bit key."""
    problem = _mistaken(type(public_key), _PUBLIC)
    if problem:
        del public_key
        raise TypeError(problem)
    return (public_key.key_size + 7) // 8 - 2 * _SHA1_BYTES - 2


def encrypt_oaep(plaintext: str | bytes, public_key: RSAPublicKey) -> str:
    """Encrypt a sensitive field with WeChat's key; base64.

    Raises ``ValueError`` naming the limit where *plaintext* is too long in UTF-8 bytes.
    """
    problem = _mistaken(type(public_key), _PUBLIC)
    if problem:
        del public_key, plaintext
        raise TypeError(problem)
    if not isinstance(plaintext, (str, bytes)):
        raise TypeError(f"str or bytes expected, got {type(plaintext).__name__}")
    data = plaintext.encode() if isinstance(plaintext, str) else plaintext
    limit = oaep_limit(public_key)
    if len(data) > limit:
        # The text itself is personal data and stays out of the message.
        raise ValueError(
            f"a sensitive field may have {limit} bytes in UTF-8, this one has "
            f"{len(data)}"
        )
    return b64encode(public_key.encrypt(data, _OAEP)).decode("ascii")


def decrypt_oaep(ciphertext: str, private_key: RSAPrivateKey) -> str:
    """Open a sensitive field that WeChat encrypted for the merchant.

    Raises ``DecryptionError`` where it does not open.
    """
    problem = _mistaken(type(private_key), _PRIVATE)
    if problem:
        del private_key
        raise TypeError(problem)
    try:
        return private_key.decrypt(b64decode(ciphertext, validate=True), _OAEP).decode()
    except ValueError:
        # binascii.Error and UnicodeDecodeError are ValueErrors; the message must not
        # tell which of them it was (padding oracle).
        pass
    raise DecryptionError(
        "the RSA ciphertext does not open: it was not made for this merchant key, "
        "or it was changed"
    )
