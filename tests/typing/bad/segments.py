"""Misspelt segments, and verbs that a path has not."""

from __future__ import annotations

from wechatpay_chain import WeChatPay


def segments(client: WeChatPay) -> None:
    client.v4  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.payscores  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.payscore.serviceorders  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.payscore.service_order  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.payscore.serviceorder.out_order_no  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.payscore.serviceorder._out_order_number_  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.payscore.serviceorder._out_order_no_.cancle  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.pay.transactions.out_trade_no  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.pay.transactions["native"].anything.goes.wrong_body
    client.v3.pay.transactions.nativ.post({})  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.fund_app  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v2.pay.unifiedOrder  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.hk.v2  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.with_option(timeout=1)  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]


def verbs(client: WeChatPay) -> None:
    client.v3.payscore.serviceorder._out_order_no_.cancel.get()  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.payscore.serviceorder.put({})  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.payscore.post({})  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.certificates.post({})  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.certificates.post_async({})  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.certificates({})  # E: mypy[operator] pyright[reportCallIssue]
    client.v3.pay.transactions.native.paginate()  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.pay.transactions.native.Post({})  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]
    client.v3.marketing.favor.stocks.paginate_asynch()  # E: mypy[attr-defined] pyright[reportAttributeAccessIssue, reportUnknownMemberType]


def values(client: WeChatPay) -> None:
    node = client.v3.payscore.serviceorder
    node.post = None  # E: mypy[assignment, method-assign] pyright[reportAttributeAccessIssue]
    client.v3 = client.v3  # E: mypy[misc] pyright[reportAttributeAccessIssue]
    node[1]  # E: mypy[index] pyright[reportArgumentType]
    node.chain(1)  # E: mypy[arg-type] pyright[reportArgumentType]
    for _ in node: ...  # E: mypy[attr-defined] pyright[reportGeneralTypeIssues, reportUnknownVariableType]
    len(node)  # E: mypy[arg-type] pyright[reportArgumentType]
