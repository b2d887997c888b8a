"""Sensitive fields (敏感字段) by hand: what a client encrypts and decrypts itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ConfigurationError

if TYPE_CHECKING:
    from ._options import Settings
    from .crypto import Encrypted


class Fields:
    """The part of :class:`wechatpay_chain.WeChatPay` that is about single values."""

    _settings: Settings

    def encrypt(self, text: str) -> Encrypted:
        """Encrypt a sensitive field (敏感字段) by hand, with the preferred WeChat key.

        The value knows its key: a call that it is part of names that key in
        ``Wechatpay-Serial``. Fields that the catalogue knows are encrypted without your
        doing. Raises ``ValueError`` for more than 214 bytes in UTF-8, and
        ``ConfigurationError`` before the first certificate was downloaded.
        """
        from .crypto import encrypt_field

        key = self._settings.keys.preferred
        if key is None:
            raise ConfigurationError(
                "encrypt: no key of WeChat Pay's was downloaded yet; the first call "
                "does it, so make one before, such as client.v3.certificates.get()"
            )
        return encrypt_field(text, key)

    def decrypt(self, text: str) -> str:
        """Decrypt a sensitive field of an answer with the merchant's private key.

        Raises ``DecryptionError``.
        """
        from .crypto import decrypt_oaep

        return decrypt_oaep(text, self._settings.private_key)
