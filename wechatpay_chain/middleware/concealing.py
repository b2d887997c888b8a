"""The layer ``conceal``: sensitive fields (敏感字段) go out and come in encrypted.

Protocol section 11. Which fields they are the catalogue knows. The layer is outside of
``encode`` and ``retry``, so that every attempt sends the same ciphertext.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from .. import crypto
from .._flow import Compute, Flow
from .._messages import Request, Response
from ..crypto import Encrypted, WeChatKey
from ..errors import ConfigurationError, DecryptionError, EncodeError
from .certificate_download import OUTER
from .certificates import Certificates
from .sensitive_places import SERIAL, Secrets, conceal, secrets_of

if TYPE_CHECKING:
    from ..catalogue.places import Places

log: logging.Logger = logging.getLogger("wechatpay_chain.conceal")


class Concealer:
    """Encrypts with the preferred WeChat key, and decrypts with the merchant's."""

    name = "conceal"
    #: An endpoint without sensitive fields needs no such layer.
    by_catalogue: bool = True

    def __init__(
        self,
        *,
        keys: crypto.KeyRing,
        private_key: RSAPrivateKey,
        certificates: Certificates | None = None,
    ) -> None:
        self._keys = keys
        self._private_key = private_key
        self._certificates = certificates

    def __call__(self, request: Request) -> Flow[Response]:
        operation = request.operation
        plan = None if operation is None else operation.plan
        if Encrypted.exist or (plan is not None and plan.may_conceal(request)):
            request = yield from self._sealed(request)
        response: Response = yield request
        if plan is not None and plan.revealed is not None and response.verified:
            response = yield from self._opened(request, response, plan.revealed)
        return response

    def _sealed(self, request: Request) -> Flow[Request]:
        """*request* with every secret of it encrypted, and the header that says how."""
        secrets = secrets_of(request)
        given = request.headers.get(SERIAL)
        serial = _one_serial(request, secrets, given)
        if not secrets.plain and (given is not None or not secrets.sealed):
            return request
        if secrets.plain:
            key = self._keys.preferred if serial is None else self._keys.find(serial)
            if key is None and serial is None and self._certificates is not None:
                started = self._certificates.timer()
                request = yield from self._certificates.first(request, started, OUTER)
                key = self._keys.preferred
            if key is None:
                raise _no_key(request, secrets, serial)
            request = conceal(request, _encryption(request, key))
            serial = key.serial
        assert serial is not None
        return request.with_header(SERIAL, serial)

    def _opened(
        self, request: Request, response: Response, places: Places[Any]
    ) -> Flow[Response]:
        """*response* with what is encrypted for the merchant in plain."""
        found = [
            (path, value)
            for path, value, mark in places.found(response.data)
            if mark is not None and isinstance(value, str) and value
        ]
        if not found:
            return response
        opened: list[str | None] = yield Compute(
            _decrypt, [value for _, value in found], self._private_key
        )
        plain: dict[str, str] = {}
        for (path, _), text in zip(found, opened):
            if text is None:
                log.warning(
                    "%s: %s does not open with the private key, left as it came",
                    request.label,
                    path,
                )
            else:
                plain[path] = text

        def change(path: str, value: Any, _mark: object) -> Any:
            return plain.get(path, value)

        return response.replace(data=places.rewrite(response.data, change))


def _encryption(request: Request, key: WeChatKey) -> Callable[[str, str], str]:
    limit = crypto.oaep_limit(key.public_key)

    def encrypt(path: str, text: str) -> str:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise _unfit(request, path, "a lone surrogate has no UTF-8") from None
        if size > limit:
            raise _unfit(
                request,
                path,
                f"a sensitive field may have {limit} bytes in UTF-8, this one has "
                f"{size}; where it is encrypted already, take it from "
                f"client.encrypt(), or name its key by {SERIAL} in headers=",
            )
        return crypto.encrypt_oaep(text, key.public_key)

    return encrypt


def _decrypt(texts: list[str], key: RSAPrivateKey) -> list[str | None]:
    return [_attempt(text, key) for text in texts]


def _attempt(text: str, key: RSAPrivateKey) -> str | None:
    try:
        return crypto.decrypt_oaep(text, key)
    except DecryptionError:
        return None


def _one_serial(request: Request, secrets: Secrets, given: str | None) -> str | None:
    """The key that values of the caller's are encrypted with, if there are any."""
    serials = {given} if given is not None else set[str]()
    serials.update(value.serial for value in secrets.sealed)
    if len({*map(crypto.normal_serial, serials)}) > 1:
        raise EncodeError(
            f"{request.label}: values encrypted with several keys "
            f"({', '.join(sorted(serials))}), and {SERIAL} can name only one: encrypt "
            "them again with client.encrypt()"
        )
    return next(iter(serials), None)


def _no_key(
    request: Request, secrets: Secrets, serial: str | None
) -> ConfigurationError:
    names = ", ".join(secrets.plain)
    if serial is not None:
        return ConfigurationError(
            f"{request.label}: {names} must go out encrypted with {serial}, the key "
            "that this call names, and that is not at hand; encrypt all of them with "
            "client.encrypt()"
        )
    return ConfigurationError(
        f"{request.label}: {names} must go out encrypted (敏感字段), and no key of "
        "WeChat Pay's is at hand: pass certs= with one that has not expired"
    )


def _unfit(request: Request, path: str, why: str) -> EncodeError:
    return EncodeError(f"{request.label}: {path}: {why}")
