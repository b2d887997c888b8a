"""Platform certificates (平台证书): downloaded on first use, refreshed (section 7)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import timezone
from typing import Any

from .. import crypto
from .._flow import Flow, fetch
from .._messages import Headers, Request, Response
from .._secret import Secret
from .._shapes import mapping, sequence
from ..errors import (
    ConfigurationError,
    DecryptionError,
    InvalidSignature,
    NotFound,
    WeChatPayError,
)
from . import json_body
from .checking import check

log = logging.getLogger("wechatpay_chain.certificates")

#: Seconds after which a set is renewed: WeChat's advice (section 7).
MAX_AGE = 12 * 3600
#: Least seconds between downloads, so that forged serials cause no storm (section 7).
MIN_INTERVAL = 60


class Certificates:
    """Keeps a key ring filled from ``GET /v3/certificates``.

    The state is two numbers; a download that fails keeps the old set.
    """

    def __init__(
        self,
        *,
        keys: crypto.KeyRing,
        apiv3_key: Secret[bytes],
        clock: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._apiv3_key = apiv3_key
        self._clock = clock
        self._loaded: float | None = None
        self._tried: float | None = None

    def ensure(self, request: Request) -> Flow[None]:
        """Download on first use and when the set is old; raises only without a key."""
        now = self._clock()
        if not len(self._keys):
            try:
                yield from self._download(request)
            except WeChatPayError as error:
                error.outcome = "not_sent"  # *request* itself, that is
                raise
        elif self._loaded is not None and now - self._loaded > MAX_AGE:
            yield from self._try(request)

    def refresh(self, request: Request, serial: str) -> Flow[None]:
        """Download because an answer names *serial*; at most once a minute."""
        if serial.startswith("PUB_KEY_ID_") or not re.fullmatch(
            r"[0-9A-Fa-f]+", serial
        ):
            return  # no download brings such a key
        yield from self._try(request)

    def _try(self, request: Request) -> Flow[None]:
        now = self._clock()
        if self._tried is not None and abs(now - self._tried) < MIN_INTERVAL:
            return
        try:
            yield from self._download(request)
        except WeChatPayError as error:
            log.warning(
                "platform certificates: refresh failed, old set kept: %s", error
            )

    def _download(self, request: Request) -> Flow[None]:
        self._tried = self._clock()
        query = request.replace(
            method="GET",
            url=request.base_url + "/v3/certificates",
            headers=Headers(),
            body=b"",
            signing_body=None,
            payload=None,
            template="v3/certificates",
            stream=False,
        )
        try:
            # Unverified, as the key to verify with is what it delivers; see below.
            response = yield from fetch(query, without={"verify", "retry"})
        except NotFound as error:
            if not error.is_code("RESOURCE_NOT_EXISTS"):
                raise
            raise ConfigurationError(
                "this merchant has no platform certificates, only a WeChat Pay public "
                "key (微信支付公钥): pass certs={'PUB_KEY_ID_...': Path('pub_key.pem')}"
            ) from error
        found = self._open(response)
        self._check(response, found)
        self._keys.replace_certificates(*found.values())
        self._loaded = self._clock()

    def _open(self, response: Response) -> dict[str, crypto.WeChatKey]:
        try:
            # Not response.data: the user may have taken the layer decode out.
            data = mapping(json_body.load(response.content))
        except ValueError:
            data = None
        entries = sequence((data or {}).get("data"))
        if entries is None:
            raise ConfigurationError("/v3/certificates answered without a list 'data'")
        found: dict[str, crypto.WeChatKey] = {}
        for entry in entries:
            key = self._certificate(entry)
            found[crypto.normal_serial(key.serial)] = key
        if not found:
            raise ConfigurationError(
                "/v3/certificates lists no certificate for this merchant: pass certs= "
                "with the WeChat Pay public key from the merchant console"
            )
        return found

    def _certificate(self, entry: Any) -> crypto.WeChatKey:
        try:
            sealed = entry["encrypt_certificate"]
            pem = crypto.decrypt_gcm(
                sealed["ciphertext"],
                self._apiv3_key,
                sealed["nonce"],
                sealed.get("associated_data"),
            )
        except (KeyError, TypeError, AttributeError):
            raise ConfigurationError(
                "/v3/certificates answered an entry without encrypt_certificate"
            ) from None
        except DecryptionError as error:
            raise ConfigurationError(
                "the platform certificates do not open with apiv3_key: it is not the "
                "APIv3 key (APIv3密钥) of this merchant"
            ) from error
        loaded = crypto.load_public_key(pem, name="platform certificate")
        certificate, serial = loaded.certificate, loaded.serial
        if certificate is None or serial is None:
            raise ConfigurationError(
                "/v3/certificates delivered a key, not a certificate"
            )
        return crypto.WeChatKey(
            serial,
            loaded.key,
            certificate.not_valid_before_utc.astimezone(timezone.utc),
            certificate.not_valid_after_utc.astimezone(timezone.utc),
        )

    def _check(self, response: Response, found: dict[str, crypto.WeChatKey]) -> None:
        """Verify the download with what it delivered, where it names one of them."""
        serial = response.headers.get("Wechatpay-Serial", "")
        key = found.get(crypto.normal_serial(serial)) or self._keys.find(serial)
        if key is None:
            return  # AES-GCM has proven that the sender knows the APIv3 key
        ring = crypto.KeyRing({key.serial: key})
        try:
            check(response.headers, response.content, ring, self._clock())
        except InvalidSignature as error:
            raise InvalidSignature(
                f"/v3/certificates delivered a set that did not sign it: {error}",
                serial=serial,
            ) from error
