"""Every operation of APIv2 has an answer that the client takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from every_call import call

from wechatpay_chain import APIError, Reply, catalogue
from wechatpay_chain.catalogue import Field, Operation
from wechatpay_chain.catalogue.schema import check_members
from wechatpay_chain.middleware.xml_layers import UNSIGNED_XML
from wechatpay_chain.sandbox import Gateway, coverage
from wechatpay_chain.sandbox.routing import Route

OPERATIONS = list(catalogue.operations("v2"))


class WithoutProducts(Gateway):
    """Answers everything by example."""

    def _routes(self) -> Iterator[Route]:
        return iter(())


@pytest.fixture(scope="module")
def bare() -> Gateway:
    return WithoutProducts(seed=1)


def disputed(operation: Operation, reply: Reply) -> list[tuple[str, str]]:
    """Place and rule of what an answer and the catalogue do not agree on."""
    answer = operation.answer or Field()
    # A sign has the length of its algorithm; coupon_id_$n stands for coupon_id_0.
    fields = {
        name: one for name, one in (answer.fields or {}).items() if name[-2] != "$"
    }
    fields["sign"] = Field()
    found = [one.problem for one in check_members(fields, reply.data, text=True)]
    return [
        (one.path, one.rule)
        for one in found
        if not (one.rule == "unknown" and re.search("_[0-9]'?$", one.path))
    ]


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_every_operation_of_apiv2_is_answered(bare: Gateway, operation: Any) -> None:
    client = bare.client(check="off", retry=1)
    if operation.redirect:
        with pytest.raises(APIError) as caught:
            call(client, operation)
        assert caught.value.status_code == 302
        assert caught.value.response.headers["Location"]
        return
    reply = call(client, operation)
    assert reply.headers["Wechatpay-Sandbox"] == "example"
    if operation.download:
        assert reply.data is None
        return
    path = operation.template.removeprefix("v2")
    listed = (operation.answer.fields or {}) if operation.answer else {}
    unsigned = path.startswith(UNSIGNED_XML) or (listed and "sign" not in listed)
    assert reply.verified is not bool(unsigned)
    if listed:
        assert disputed(operation, reply) == []


def test_products_and_the_catalogue_agree_on_the_names_of_apiv2() -> None:
    stateful = {
        line.operation.template
        for line in coverage.lines()
        if line.kind == "stateful" and line.operation.version == "v2"
    }
    assert stateful == {
        "v2/pay/closeorder",
        "v2/pay/downloadbill",
        "v2/pay/downloadfundflow",
        "v2/pay/orderquery",
        "v2/pay/refundquery",
        "v2/pay/unifiedorder",
        "v2/secapi/pay/refund",
    }


def test_answers_of_products_have_the_names_of_the_documents() -> None:
    gateway = Gateway(seed=1)
    client = gateway.client(check="off")
    paid = gateway.given.payment("SUCCESS", form="native", attach="a")
    gateway.given.refund(payment=paid)
    number = {"appid": gateway.appid, "out_trade_no": paid}
    for name in ("orderquery", "refundquery"):
        operation = catalogue.find("POST", f"v2/pay/{name}")
        assert operation is not None
        found = disputed(operation, client[operation.template].post(number))
        # The documents call err_code required, which a success has not.
        assert [one for one in found if one[1] != "required"] == [], name
