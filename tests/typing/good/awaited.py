"""The async twins, pages, and APIv2: no checker has anything to say."""

from __future__ import annotations

from collections.abc import AsyncIterator

from wechatpay_chain import Flow, Request, Response, WeChatPay, middleware, send
from wechatpay_chain.notifications import Notification
from wechatpay_chain.types import notifications
from wechatpay_chain.types.v2 import pay
from wechatpay_chain.types.v3 import marketing


async def shop(client: WeChatPay) -> str:
    """Each verb has its twin, with the same parameters."""
    cancel = client.v3.payscore.serviceorder._out_order_no_.cancel
    reply = await cancel.post_async(
        {"appid": "wx1", "service_id": "500001", "reason": "用户投诉"},
        out_order_no="1234323JKHDFE1243252",
        headers={"Accept-Language": "en"},
    )
    order_id: str = reply.data["order_id"]
    found = await client.v3.payscore.serviceorder.get_async(
        {"service_id": "500001", "appid": "wx1", "out_order_no": "1"}, stream=False
    )
    async with found:
        return order_id + found.data["state"]


def stocks(client: WeChatPay) -> list[str]:
    """Pages: offset and limit are set by the walk."""
    walk = client.v3.marketing.favor.stocks.paginate(
        {"stock_creator_mchid": "98568865"}
    )
    return [stock["stock_name"] for stock in walk]


async def coupons(client: WeChatPay) -> list[str]:
    """Pages by a token."""
    query: marketing.PartnerProductCouponUsersOpenidCouponsGetQuery = {
        "appid": "wx1",
        "brand_id": "1004",
        "page_size": 10,
    }
    walk: AsyncIterator[object] = (
        client.v3.marketing.partner.productCoupon.users._openid_.coupons.paginate_async(
            query, openid="o1"
        )
    )
    return [str(coupon) async for coupon in walk]


def xml(client: WeChatPay) -> str:
    """Values of APIv2 are text or numbers; the client signs and adds its mch_id."""
    order: pay.UnifiedorderPostBody = {
        "appid": "wxd678efh567hg6787",
        "body": "腾讯充值中心-QQ会员充值",
        "out_trade_no": 20150806125346,
        "total_fee": 88,
        "spbill_create_ip": "123.12.12.123",
        "notify_url": "https://www.weixin.qq.com/wxpay/pay.php",
        "trade_type": "NATIVE",
    }
    client.v2.pay.orderquery.post({"appid": "wx1", "out_trade_no": "1"})
    client.v2.pay.orderquery({"appid": "wx1", "transaction_id": "1"})
    return client.v2.pay.unifiedorder.post(xml=order).data["prepay_id"]


async def abroad(client: WeChatPay) -> object:
    """The endpoints of Hong Kong, and a layer around one call."""

    @middleware
    def silent(request: Request) -> Flow[Response]:
        return (yield from send(request))

    reply = await client.hk.v3.certificates.get_async(
        base_url="https://apihk.mch.weixin.qq.com", middleware=[silent]
    )
    return reply.data["data"]


def resource(of: notifications.ResourceOf) -> str:
    """The resource of a notification, by its event."""
    paid = of("TRANSACTION.SUCCESS")
    same: notifications.TransactionSuccess = paid
    return paid["trade_state"] + same["out_trade_no"]


def earned(note: Notification) -> int:
    """What a payment brought, in fen, less a refund; both from what was sent."""
    paid, back = (
        note.resource_of("TRANSACTION.SUCCESS"),
        note.resource_of("REFUND.SUCCESS"),
    )
    order = note.resource_of("PAYSCORE.USER_CONFIRM")
    assert order["risk_fund"]["name"]
    return paid["amount"]["total"] - back["amount"]["refund"]
