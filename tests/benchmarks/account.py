"""Keys made for one run, and the one signed answer that the server gives."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from itertools import count

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

#: What the server signs once; the answer never changes, so clients verify at this time.
MOMENT = 1717225200

#: The call that everything here makes: it cancels a PayScore order (微信支付分). Each
#: time another order, as in life: a repeated URL would measure somebody's cache.
ORDERS = map("1234323JKHDFE{:07d}".format, count(1))
BODY = {
    "appid": "wxd678efh567hg6787",
    "service_id": "500001",
    "reason": "用户投诉",
}

ANSWER = (
    b'{"appid":"wxd678efh567hg6787","mchid":"1900000109","service_id":"500001",'
    b'"out_order_no":"1234323JKHDFE1243252","order_id":"15646546545165651651"}'
)


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Account:
    """A merchant, and WeChat Pay's key in public-key mode."""

    mchid: str = "1900000109"
    serial: str = "3775B6A45ACD588826D15E583A95F5DD00000000"
    public_key_id: str = "PUB_KEY_ID_0119000001092024060100000000"
    private_key: rsa.RSAPrivateKey = field(default_factory=_key, repr=False)
    wechat_key: rsa.RSAPrivateKey = field(default_factory=_key, repr=False)

    def clock(self) -> float:
        """The time at which answers are verified."""
        return MOMENT

    def answer_headers(self) -> dict[str, str]:
        """The headers that make ``ANSWER`` a signed one."""
        nonce = "593BEC0C930BF1AFEB40B4A08C8FB242"
        message = b"%d\n%s\n%s\n" % (MOMENT, nonce.encode(), ANSWER)
        signature = self.wechat_key.sign(message, padding.PKCS1v15(), SHA256())
        return {
            "Wechatpay-Timestamp": str(MOMENT),
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": self.public_key_id,
            "Wechatpay-Signature": b64encode(signature).decode(),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
            "Request-ID": "08D8AECBB20610BC0318B0C0B1A80120E0C10628F4B403-0",
        }
