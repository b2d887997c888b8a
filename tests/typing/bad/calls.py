"""Placeholders and options; the answer; the async twins; the constructor."""

from __future__ import annotations

from wechatpay_chain import Reply, WeChatPay
from wechatpay_chain.notifications import Notification
from wechatpay_chain.types.v3 import pay, payscore


def placeholders(client: WeChatPay, order: payscore.ServiceorderOutOrderNoCancelPostBody) -> None:
    cancel = client.v3.payscore.serviceorder._out_order_no_.cancel
    cancel.post(order)  # E: mypy[call-arg] pyright[reportCallIssue]
    cancel(order)  # E: mypy[call-arg] pyright[reportCallIssue]
    cancel.post(order, out_trade_no="1")  # E: mypy[call-arg] pyright[reportCallIssue]
    cancel.post(order, out_order_no=None)  # E: mypy[arg-type] pyright[reportArgumentType]
    cancel.post(order, out_order_no=1.5)  # E: mypy[arg-type] pyright[reportArgumentType]
    cancel.post(order, out_order_no=b"1")  # E: mypy[arg-type] pyright[reportArgumentType]
    cancel.post(order, path={"out_order_no": "1"})  # E: mypy[call-arg] pyright[reportCallIssue]
    cancel.post(order, out_order_no="1", sub_mchid="1")  # E: mypy[call-arg] pyright[reportCallIssue]
    cancel(out_order_no="1")  # E: mypy[call-arg] pyright[reportCallIssue]


def options(client: WeChatPay, order: pay.TransactionsNativePostBody) -> None:
    native = client.v3.pay.transactions.native
    native.post(order, tiemout=3)  # E: mypy[call-arg] pyright[reportCallIssue]
    native.post(order, timeout="3")  # E: mypy[arg-type] pyright[reportArgumentType]
    native.post(order, timeout=(1, 2, 3))  # E: mypy[arg-type] pyright[reportArgumentType]
    native.post(order, headers={"X": 1})  # E: mypy[dict-item] pyright[reportArgumentType]
    native.post(order, headers="X: 1")  # E: mypy[arg-type] pyright[reportArgumentType]
    native.post(order, stream="yes")  # E: mypy[arg-type] pyright[reportArgumentType]
    native.post(order, base_url=443)  # E: mypy[arg-type] pyright[reportArgumentType]
    native.post(order, middleware=print)  # E: mypy[arg-type] pyright[reportArgumentType]
    native.post(order, params={"a": "b"})  # E: mypy[call-arg] pyright[reportCallIssue]
    native.post(order, xml={"a": "b"})  # E: mypy[call-arg] pyright[reportCallIssue]
    native.post(body=order)  # E: mypy[call-arg] pyright[reportCallIssue]
    native.post(order, retry=3)  # E: mypy[call-arg] pyright[reportCallIssue]


def answers(client: WeChatPay, order: pay.TransactionsNativePostBody) -> None:
    reply = client.v3.pay.transactions.native.post(order)
    reply.data["code_ulr"]  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    reply.data.code_url  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    reply.data["code_url"] + 1  # E: mypy[operator] pyright[reportOperatorIssue, reportUnusedExpression]
    reply.dat  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]  # with typed requests
    reply.data[0]  # E: mypy[literal-required] pyright[reportGeneralTypeIssues]
    wrong: Reply[pay.TransactionsJsapiPostData] = reply  # E: mypy[assignment] pyright[reportAssignmentType]  # with typed requests
    number: int = reply.data["code_url"]  # E: mypy[assignment] pyright[reportAssignmentType]
    del wrong, number
    gone = client.v3.payscore.partner.serviceorder._out_order_no_.cancel.post(
        {"service_id": "1", "sub_mchid": "1", "reason": "r"}, out_order_no="1"
    )
    gone.data["order_id"]  # E: mypy[index] pyright[reportOptionalSubscript]
    client.v3.refund.domestic.refunds._out_refund_no_.get(out_refund_no=1).data["amount"]["sum"]  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    client.v3.certificates.get().data["data"][0]["serial"]  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    for stock in client.v3.marketing.favor.stocks.paginate():
        stock["stockname"]  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]


async def awaited(client: WeChatPay, order: pay.TransactionsNativePostBody) -> None:
    native = client.v3.pay.transactions.native
    (await native.post_async({"appid": "a"})).data["code_url"]  # E: mypy[typeddict-item] pyright[reportArgumentType]
    (await native.post_async(order)).data["code_ulr"]  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    native.post_async(order).data["code_url"]  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    await native.post(order)  # E: mypy[misc] pyright[reportGeneralTypeIssues]  # with typed requests
    await client.v3.payscore.serviceorder._out_order_no_.cancel.post_async()  # E: mypy[call-arg] pyright[reportCallIssue]
    await native.post_async(order, tiemout=3)  # E: mypy[call-arg] pyright[reportCallIssue]
    for stock in client.v3.marketing.favor.stocks.paginate_async(): del stock  # E: mypy[attr-defined] pyright[reportGeneralTypeIssues, reportUnknownVariableType]
    async for stock in client.v3.marketing.favor.stocks.paginate(): del stock  # E: mypy[attr-defined] pyright[reportGeneralTypeIssues, reportUnknownVariableType]


def old(client: WeChatPay) -> None:
    unified = client.v2.pay.unifiedorder
    unified.post({"appid": "a", "body": "b", "total_fee": 1.5})  # E: mypy[typeddict-item] pyright[reportArgumentType]
    unified.post(json={"appid": "a"})  # E: mypy[call-arg] pyright[reportCallIssue]
    client.v2.pay.closeorder.post({"appid": "a", "out_trade_no": True, "sign_type": "SHA"})  # E: mypy[typeddict-item] pyright[reportArgumentType]
    client.v2.pay.closeorder.post({"app_id": "a", "out_trade_no": "1"})  # E: mypy[typeddict-item, typeddict-unknown-key] pyright[reportArgumentType]
    client.v2.pay.closeorder.post({"appid": "a", "out_trade_no": "1"}).data["returncode"]  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    client.v2.pay.closeorder.post({"appid": "a", "out_trade_no": {"nested": "1"}})  # E: mypy[typeddict-item] pyright[reportArgumentType]


def notified(note: Notification) -> None:
    paid = note.resource_of("TRANSACTION.SUCCESS")
    paid["amount"]["totl"]  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    note.resource_of("PAYSCORE.USER_PAID")["risk_fund"]["nmae"]  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]


def construction() -> None:
    WeChatPay(mchid=1900000109)  # E: mypy[arg-type] pyright[reportArgumentType]
    WeChatPay(mch_id="1900000109")  # E: mypy[call-arg] pyright[reportCallIssue]
    WeChatPay(timeout="3")  # E: mypy[arg-type] pyright[reportArgumentType]
    WeChatPay(certs=["pub_key.pem"])  # E: mypy[arg-type] pyright[reportArgumentType]
    WeChatPay(retry="twice")  # E: mypy[arg-type] pyright[reportArgumentType]
    WeChatPay(clock=1700000000)  # E: mypy[arg-type] pyright[reportArgumentType]
    WeChatPay(proxies=8080)  # E: mypy[arg-type] pyright[reportArgumentType]
    WeChatPay.from_file(1)  # E: mypy[arg-type] pyright[reportArgumentType]
    WeChatPay.from_env(prefx="WX_")  # E: mypy[call-arg] pyright[reportCallIssue]
    WeChatPay().with_options(timeot=3)  # E: mypy[call-arg] pyright[reportCallIssue]
    WeChatPay().mchid = "1"  # E: mypy[misc] pyright[reportAttributeAccessIssue]
    WeChatPay().keys.nothing  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
