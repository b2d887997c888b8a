"""The layer ``sign``: fresh nonce, time and signature each time (sections 3, 4)."""

from __future__ import annotations

import re
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from .. import crypto
from .._flow import Compute, Flow
from .._messages import Request, Response
from ..errors import ConfigurationError

#: WeChat Pay's own hosts end so; beside them only the caller's base gets a signature.
HOME = (".mch.weixin.qq.com", ".wechatpay.cn")
_NAME = re.compile(r"[A-Za-z0-9.-]+")


class Signer:
    """Adds ``Authorization``, and ``Wechatpay-Serial`` in public-key mode."""

    name = "sign"

    def __init__(
        self,
        *,
        mchid: str,
        serial: str,
        private_key: RSAPrivateKey,
        keys: crypto.KeyRing,
        clock: Callable[[], float],
        nonce: Callable[[], str],
    ) -> None:
        self._mchid = mchid
        self._serial = serial
        self._private_key = private_key
        self._keys = keys
        self._clock = clock
        self._nonce = nonce

    def __call__(self, request: Request) -> Flow[Response]:
        check_host(request)
        timestamp, nonce = int(self._clock()), self._nonce()
        body = request.body if request.signing_body is None else request.signing_body
        message = crypto.request_message(
            request.method, request.target, timestamp, nonce, body
        )
        signature: str = yield Compute(crypto.sign, message, self._private_key)
        headers = {
            "Authorization": crypto.authorization(
                mchid=self._mchid,
                serial=self._serial,
                timestamp=timestamp,
                nonce=nonce,
                signature=signature,
            )
        }
        public_key_id = self._keys.public_key_id
        if public_key_id and "Wechatpay-Serial" not in request.headers:
            headers["Wechatpay-Serial"] = public_key_id
        signed = request.with_headers(headers)
        response: Response = yield signed
        if response.status_code == 401:
            # A layer further in may have made another request of it since, which is
            # what an explanation compares it with.
            response = response.replace(signed=signed)
        return response


def check_host(request: Request) -> None:
    """Refuse to sign for a host that is neither the caller's base nor WeChat's.

    Raises ``ConfigurationError``: a layer further out has changed the URL.
    """
    base, url = request.base_url, request.url
    if base and url.startswith(base) and url[len(base) : len(base) + 1] in ("/", "?"):
        return
    scheme, _, rest = request.url.partition("://")
    host = rest.partition("/")[0]
    if is_home(scheme, host):
        return
    raise ConfigurationError(
        f"nothing is signed for {scheme}://{host}: the client's base_url is {base}; "
        "pass base_url= for another host of your own"
    )


def is_home(scheme: str, host: str) -> bool:
    """Whether they are WeChat Pay's own.

    >>> is_home("https", "api.mch.weixin.qq.com"), is_home("https", "mch.example")
    (True, False)
    """
    if scheme != "https" or not _NAME.fullmatch(host):
        return False  # of evil.example?.mch.weixin.qq.com the host is evil.example
    return f".{host.lower()}".endswith(HOME)
