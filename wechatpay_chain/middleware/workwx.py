"""The signature of WeCom (企业微信签名, ``workwx_sign``) beside that of WeChat Pay.

Red packets and payments of WeCom carry two: this one, with the secret of the payment
app in WeCom's console, and then ``sign``, which covers it. A layer of its own, because
few merchants have that secret:

    client.xml_stack.before("sign", WorkWxSigner(secret, mchid=client.mchid))
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import md5

from .._flow import Flow, send
from .._messages import Request, Response
from .._secret import Secret, key_bytes
from ..crypto.message import fields_message
from ..errors import EncodeError

#: The fields that the signature covers, and no others: by route.
COVERED: Mapping[str, tuple[str, ...]] = {
    "/mmpaymkttransfers/sendworkwxredpack": (
        "act_name",
        "mch_billno",
        "mch_id",
        "nonce_str",
        "re_openid",
        "total_amount",
        "wxappid",
    ),
    "/mmpaymkttransfers/promotion/paywwsptrans2pocket": (
        "amount",
        "appid",
        "desc",
        "mch_id",
        "nonce_str",
        "openid",
        "partner_trade_no",
        "ww_msg_type",
    ),
}


def workwx_sign(
    fields: Mapping[str, object], secret: str | bytes | Secret[bytes]
) -> str:
    """MD5 over the sorted *fields* and the secret: 32 upper-case hex characters.

    >>> workwx_sign({"mch_id": "1900000109", "nonce_str": "n"}, "secret")
    'B70520F75D3FC86357227F4830796F35'
    """
    sealed = key_bytes(secret)
    text = Secret(f"{fields_message(fields)}&secret=".encode() + sealed.reveal())
    return md5(text.reveal(), usedforsecurity=False).hexdigest().upper()


class WorkWxSigner:
    """Adds ``workwx_sign`` to the calls that carry it; others pass as they are.

    *secret* is that of the app of payments (企业支付应用) in WeCom's console. It goes
    before the layer ``sign`` of the XML stack, and makes a nonce for each attempt.
    """

    name = "workwx_sign"

    def __init__(
        self,
        secret: str | bytes,
        *,
        mchid: str,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._secret: Secret[bytes] = key_bytes(secret)
        self._mchid = mchid
        self._nonce = nonce

    def __call__(self, request: Request) -> Flow[Response]:
        covered = COVERED.get(request.route)
        payload = request.payload
        if covered is None or payload is None:
            return (yield from send(request))
        fields: dict[str, str] = dict(payload.value)
        fields.setdefault("mch_id", self._mchid)
        fields.setdefault("nonce_str", self._nonce())
        missing = [name for name in covered if not fields.get(name)]
        if missing:
            names = ", ".join(missing)
            raise EncodeError(f"xml: {names} missing, which workwx_sign covers")
        signed = {name: fields[name] for name in covered}
        fields["workwx_sign"] = workwx_sign(signed, self._secret)
        return (
            yield from send(request.replace(payload=replace(payload, value=fields)))
        )

    def __repr__(self) -> str:
        return f"<WorkWxSigner of {self._mchid}>"
