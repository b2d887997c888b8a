"""``GET /v3/certificates``: platform certificates (平台证书) under the APIv3 key.

Protocol section 7. A merchant that only ever had a public key has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from ... import crypto
from ...crypto.aes import AEAD
from ..checks.validation import Fields, one_of
from ..refusals import Internal, refused
from ..routing import Answer, Call, Route
from ..signatures.signing import Platform, WeChatKeys
from ..world import World, rfc3339

_DATA = "certificate"


class Certificates:
    """The endpoint."""

    def __init__(self, world: World, keys: WeChatKeys, mode: str) -> None:
        self._world = world
        self._keys = keys
        self._mode = mode

    def routes(self) -> Iterator[Route]:
        """The one endpoint."""
        query = Fields(
            optional={"algorithm_type": one_of("RSA", "SM2", "ALL")}, location="query"
        )
        yield Route("GET", "/v3/certificates", self.download, query=query)

    def download(self, call: Call) -> Answer:
        """List the certificates; 404 for a merchant in public-key mode."""
        if self._mode == "public_key":
            raise refused(
                "RESOURCE_NOT_EXISTS",
                "no_certificates",
                "this merchant verifies with the WeChat Pay public key and has no "
                "platform certificates",
                message="无可用的平台证书，请使用微信支付公钥",
                number=Internal.NO_SUCH_ROUTE,
            )
        if call.query.get("algorithm_type") == "SM2":
            return Answer(200, {"data": []})
        apiv3_key = call.merchant.apiv3_key
        data = [self._entry(one, apiv3_key) for one in self._keys.platforms]
        return Answer(200, {"data": data})

    def _entry(self, platform: Platform, apiv3_key: str) -> dict[str, Any]:
        certificate = platform.certificate
        pem = certificate.public_bytes(Encoding.PEM)
        nonce = self._world.ids.nonce("certificate")[:12]
        return {
            "serial_no": platform.serial,
            "effective_time": rfc3339(certificate.not_valid_before_utc.timestamp()),
            "expire_time": rfc3339(certificate.not_valid_after_utc.timestamp()),
            "encrypt_certificate": {
                "algorithm": AEAD,
                "nonce": nonce,
                "associated_data": _DATA,
                "ciphertext": crypto.encrypt_gcm(pem, apiv3_key, nonce, _DATA),
            },
        }
