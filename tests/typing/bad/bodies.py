"""Misspelt keys, wrong values, what is missing: in bodies, nested and in lists."""

from __future__ import annotations

from wechatpay_chain import WeChatPay
from wechatpay_chain.types.v3 import pay, payscore
from wechatpay_chain.types.v3 import payscores  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownVariableType, reportUnusedImport]


def keys(client: WeChatPay) -> None:
    cancel = client.v3.payscore.serviceorder._out_order_no_.cancel
    cancel.post({"appid": "a", "service_id": "s", "reason": "r", "to": 1}, out_order_no=1)  # E: mypy[typeddict-unknown-key] pyright[reportArgumentType]
    cancel.post({"appid": "a", "service_id": "s", "reson": "r"}, out_order_no=1)  # E: mypy[typeddict-item, typeddict-unknown-key] pyright[reportArgumentType]
    cancel.post({"appid": "a", "service_id": "s"}, out_order_no=1)  # E: mypy[typeddict-item] pyright[reportArgumentType]
    cancel.post({}, out_order_no=1)  # E: mypy[typeddict-item] pyright[reportArgumentType]
    cancel.post(json={"appid": "a", "service_id": "s"}, out_order_no=1)  # E: mypy[typeddict-item] pyright[reportArgumentType]
    cancel({"appid": "a", "service_id": "s"}, out_order_no=1)  # E: mypy[typeddict-item] pyright[reportArgumentType]
    cancel.post({"appid": 1, "service_id": "s", "reason": "r"}, out_order_no=1)  # E: mypy[typeddict-item] pyright[reportArgumentType]
    cancel.post({"appid": None, "service_id": "s", "reason": "r"}, out_order_no=1)  # E: mypy[typeddict-item] pyright[reportArgumentType]
    cancel.post("appid=a", out_order_no=1)  # E: mypy[arg-type] pyright[reportArgumentType]
    cancel.post([("appid", "a")], out_order_no=1)  # E: mypy[arg-type] pyright[reportArgumentType]
    cancel.post(None, out_order_no=1)  # E: mypy[arg-type] pyright[reportArgumentType]


def annotated() -> None:
    one: payscore.ServiceorderOutOrderNoCancelPostBody = {"appid": "a"}  # E: mypy[typeddict-item] pyright[reportAssignmentType]
    one["reasom"] = "r"  # E: mypy[typeddict-unknown-key] pyright[reportGeneralTypeIssues]
    one["reason"] = 1  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    payscore.ServiceorderCancelBody  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]


def prepay() -> pay.TransactionsNativePostBody:
    return {"appid": "a", "mchid": "m", "description": "d", "out_trade_no": "1"}  # E: mypy[typeddict-item] pyright[reportReturnType]


def nested(order: pay.TransactionsJsapiPostBody) -> None:
    order["amount"] = {"total": "100"}  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    order["amount"] = {"total": 1.5}  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    order["amount"] = {"totl": 100}  # E: mypy[typeddict-item, typeddict-unknown-key] pyright[reportGeneralTypeIssues]
    order["amount"] = {}  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    order["amount"] = 100  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    order["payer"] = {"openid": 1}  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    order["scene_info"] = {"payer_client_ip": "1.1.1.1", "store_info": {"name": "n"}}  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    order["detail"] = {"goods_detail": [{"merchant_goods_id": "1", "quantity": "1"}]}  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    order["detail"] = {"goods_detail": {"merchant_goods_id": "1"}}  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    order["detail"] = {"goods_detail": [[]]}  # E: mypy[list-item] pyright[reportGeneralTypeIssues]
    order["support_fapiao"] = "true"  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]
    order["limit_pay"] = "credit"  # E: mypy[typeddict-item] pyright[reportGeneralTypeIssues]


def enums(client: WeChatPay, kind: str) -> None:
    receivers = client.v3.profitsharing.receivers.add
    receivers.post({"appid": "a", "type": "MCHID", "account": "1", "relation_type": "USER"})  # E: mypy[typeddict-item] pyright[reportArgumentType]
    receivers.post({"appid": "a", "type": kind, "account": "1", "relation_type": "USER"})  # E: mypy[typeddict-item] pyright[reportArgumentType]
    client.v3.refund.domestic.refunds.post({"funds_account": "BANK"})  # E: mypy[typeddict-item] pyright[reportArgumentType]
    client.v3.merchant.fund.balance._account_type_.get(account_type="BASE")  # E: mypy[arg-type] pyright[reportArgumentType]
    client.v3.bill.tradebill.get({"bill_date": "2025-01-01", "bill_type": "EVERY"})  # E: mypy[typeddict-item] pyright[reportArgumentType]


def queries(client: WeChatPay) -> None:
    trade = client.v3.pay.transactions.outTradeNo._out_trade_no_
    trade.get({"mch_id": "1"}, out_trade_no="1")  # E: mypy[typeddict-item, typeddict-unknown-key] pyright[reportArgumentType]
    trade.get({"mchid": 1900000109}, out_trade_no="1")  # E: mypy[typeddict-item] pyright[reportArgumentType]
    trade.get(params={}, out_trade_no="1")  # E: mypy[typeddict-item] pyright[reportArgumentType]
    client.v3.certificates.get({"mchid": "1"})  # E: mypy[typeddict-unknown-key] pyright[reportArgumentType]
    client.v3.certificates.get(params={"mchid": "1"})  # E: mypy[typeddict-unknown-key] pyright[reportArgumentType]
    client.v3.merchant.fund.balance._account_type_.get({"a": "1"}, account_type="FEES")  # E: mypy[arg-type, misc] pyright[reportCallIssue]
    client.v3.marketing.favor.stocks.get({"offset": "0", "limit": 1})  # E: mypy[typeddict-item] pyright[reportArgumentType]
    client.v3.marketing.favor.stocks.paginate({"stock_creator": "1"})  # E: mypy[typeddict-item, typeddict-unknown-key] pyright[reportArgumentType]


def files(client: WeChatPay) -> None:
    client.v3.merchant.media.upload.post()  # E: mypy[call-arg] pyright[reportCallIssue]
    client.v3.merchant.media.upload.post(files={"file": b""})  # E: mypy[dict-item] pyright[reportArgumentType]
    client.v3.merchant.media.upload.post(files={"file": ("a.png", "text")})  # E: mypy[dict-item] pyright[reportArgumentType]
    client.v2.secapi.mch.uploadmedia.post({"media_hash": "0"})  # E: mypy[call-arg] pyright[reportCallIssue]
    client.v3.certificates.get(files={"file": ("a", b"")})  # E: mypy[call-arg] pyright[reportCallIssue]
