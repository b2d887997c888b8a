"""What a merchant's program writes every day: no checker has anything to say."""

from __future__ import annotations

from pathlib import Path

import requests

from wechatpay_chain import APIError, Node, Reply, WeChatPay
from wechatpay_chain.types import TypedNode
from wechatpay_chain.types.v3 import pay, payscore

client = WeChatPay(
    mchid="1900000109",
    serial="3775B6A45ACD588826D15E583A95F5DD00000000",
    private_key=Path("apiclient_key.pem"),
    certs={"PUB_KEY_ID_0114232134912410000000000000": Path("pub_key.pem")},
    apiv3_key="k" * 32,
    timeout=(3, 10),
)

# JSAPI prepay: body by position, by json=, annotated, and nested.
order: pay.TransactionsJsapiPostBody = {
    "appid": "wxd678efh567hg6787",
    "mchid": "1900000109",
    "description": "Image形象店-深圳腾大-QQ公仔",
    "out_trade_no": "1217752501201407033233368018",
    "notify_url": "https://www.weixin.qq.com/wxpay/pay.php",
    "amount": {"total": 100, "currency": "CNY"},
    "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
    "detail": {"goods_detail": []},
}
order["attach"] = "shop 1"
prepay_id: str = client.v3.pay.transactions.jsapi.post(order).data["prepay_id"]
client.v3.pay.transactions.jsapi.post(json=order, timeout=2.5)
client.v3.pay.transactions.jsapi(order)

# A query, typed, by position or as params=; placeholders as text or number.
trade = client.v3.pay.transactions.outTradeNo._out_trade_no_.get(
    {"mchid": "1900000109"}, out_trade_no="1217752501201407033233368018"
)
amount: int = trade.data["amount"].get("total", 0)
if "trade_state" in trade.data:  # the documents do not promise it
    state: str = trade.data["trade_state"]
paid_at: str | None = trade.data.get("success_time")
quickly: str = trade["trade_state"]
client.v3.pay.transactions.id._transaction_id_.get(
    params={"mchid": "1900000109"}, transaction_id=42
)

# A refund, with an enumeration and a list of objects.
refund = client.v3.refund.domestic.refunds.post(
    {
        "out_trade_no": "1217752501201407033233368018",
        "out_refund_no": "1217752501201407033233368018",
        "reason": "商品已售完",
        "funds_account": "AVAILABLE",
        "amount": {
            "refund": 888,
            "total": 888,
            "currency": "CNY",
            "from": [{"account": "AVAILABLE", "amount": 444}],
        },
        "goods_detail": [
            {
                "merchant_goods_id": "1217752501201407033233368018",
                "unit_price": 528800,
                "refund_amount": 528800,
                "refund_quantity": 1,
            }
        ],
    }
)
refunded: int = refund.data["amount"]["refund"]
anything: object = refund["whatever"]

# PayScore: create, complete, cancel, as a merchant and as a partner.
orders = client.v3.payscore.serviceorder
package: str = orders.post(
    {
        "appid": "wxd678efh567hg6787",
        "out_order_no": "1234323JKHDFE1243252",
        "service_id": "500001",
        "service_introduction": "XX充电宝",
        "time_range": {"start_time": "20091225091010"},
        "risk_fund": {"name": "DEPOSIT", "amount": 10000},
        "notify_url": "https://api.test.com",
        "need_user_confirm": True,
    }
).data["package"]


def cancel(number: str) -> Reply[payscore.ServiceorderOutOrderNoCancelPostData]:
    """A reply in an annotation."""
    body: payscore.ServiceorderOutOrderNoCancelPostBody = {
        "appid": "wxd678efh567hg6787",
        "service_id": "500001",
        "reason": "用户投诉",
    }
    return orders._out_order_no_.cancel(body, out_order_no=number)


nothing: None = client.v3.payscore.partner.serviceorder._out_order_no_.cancel.post(
    {"service_id": "500001", "sub_mchid": "1900000109", "reason": "用户投诉"},
    out_order_no="1234323JKHDFE1243252",
).data

# A reply is a response.
response: requests.Response = cancel("1234323JKHDFE1243252")
text: str = response.text
request_id: str | None = trade.request_id

# A file, streamed; an upload.
with client.v3.billdownload.file.get({"token": "x"}, stream=True) as bill:
    pieces = list(bill.iter_content(4096))
media_id: str = client.v3.merchant.media.upload.post(
    files={"file": ("shop.png", b"\x89PNG")}
).data["media_id"]
client.v3.merchant.media.upload(files={"file": ("shop.png", b"\x89PNG")})

# Keywords and verbs as segments, a hyphen, an underscore that stays.
client.v3.global_.statements.get({"mchid": "1900000109", "date": "20250131"})
client.v3.profitsharing.receivers.delete_.post(
    {"appid": "wx1", "type": "MERCHANT_ID", "account": "1900000109"}
)
client.v3.merchant.media.video_upload.post(files={"file": ("a.mp4", b"")})

# What the client adds on APIv2, to parts of an upload and to a query.
client.v2.secapi.mch.uploadmedia.post(
    {"media_hash": "0" * 32}, files={"media": ("shop.png", b"\x89PNG")}
)
client.v2.appauth.getaccesstoken.get(
    {
        "appid": "wx1",
        "openid": "o1",
        "code": "c1",
        "grant_type": "authorization_code",
        "scope": "pay_identity",
        "sign_type": "HMAC-SHA256",
    }
)

# What no attribute gives, and what the catalogue does not know.
node: Node = client["v3/new/endpoint/{number}"]
untyped = node.post({"anything": 1}, number="1").data["anything"]
node.goes.on.get(params={"x": "y"})
client.chain("v3/new").put(json=[])
client.v3["out-trade-no/{out_trade_no}"].get(out_trade_no="1")
client.v3.pay.transactions.chain("codepay").post({"any": "thing"})
client["{+myurl}"].get(myurl="v3/certificates")


def path_of(one: TypedNode | Node) -> str:
    """Any node, typed or open."""
    return str(one["below"])


path_of(client.v3.certificates)
path_of(node)
title = operation.title if (operation := orders.operation) else ""
same: bool = orders == client.v3.payscore.serviceorder

try:
    client.with_options(timeout=3).v3.certificates.get()
except APIError as error:
    code = error.code
