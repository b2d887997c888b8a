"""The pure primitives of WeChat Pay, usable alone: no I/O, no HTTP, no client.

>>> from wechatpay_chain import crypto
>>> key = "192006250b4c09247ec02edce69f6a2d"
>>> crypto.sign_md5({"appid": "wx1", "nonce_str": "n"}, key)
'5B743039887A8850B335F72CA4B0292B'
"""

from .aes import decrypt_ecb, decrypt_gcm, encrypt_ecb, encrypt_gcm
from .digest import sign_hmac, sign_md5, verify_fields
from .keys import PUBLIC_KEY_ID, KeyRing, WeChatKey, normal_serial, serial_text
from .load import load_private_key, load_public_key
from .message import (
    authorization,
    fields_message,
    lines_message,
    request_message,
    response_message,
    statement_body,
)
from .rsa import decrypt_oaep, encrypt_oaep, oaep_limit, sign, verify
from .sensitive import Encrypted, encrypt_field

__all__ = [
    "PUBLIC_KEY_ID",
    "Encrypted",
    "KeyRing",
    "WeChatKey",
    "authorization",
    "decrypt_ecb",
    "decrypt_gcm",
    "decrypt_oaep",
    "encrypt_ecb",
    "encrypt_field",
    "encrypt_gcm",
    "encrypt_oaep",
    "fields_message",
    "lines_message",
    "load_private_key",
    "load_public_key",
    "normal_serial",
    "oaep_limit",
    "request_message",
    "response_message",
    "serial_text",
    "sign",
    "sign_hmac",
    "sign_md5",
    "statement_body",
    "verify",
    "verify_fields",
]
