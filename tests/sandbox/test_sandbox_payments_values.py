"""No value at any place of a call makes base payment stumble."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from wechatpay_chain.sandbox import Gateway

ODD: tuple[Any, ...] = (
    None,
    "",
    [],
    {},
    0,
    -1,
    1.5,
    True,
    "字" * 200,
    "2" * 400,
    [None],
)
DIRECT, PARTNER = "/v3/pay/transactions", "/v3/pay/partner/transactions"
COMBINED, REFUNDS = "/v3/combine-transactions", "/v3/refund/domestic/refunds"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every value in *value*."""
    inner = value.items() if isinstance(value, dict) else []
    inner = enumerate(value) if isinstance(value, list) else inner
    for name, one in inner:
        yield (*path, name)
        yield from places(one, (*path, name))


def changed(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    made = deepcopy(value)
    at = made
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = odd
    return made


def calls(gateway: Gateway) -> dict[str, Any]:
    """An accepted body of every call, with what may be in it."""
    more = {
        "attach": "a",
        "goods_tag": "g",
        "time_expire": "2024-06-02T00:00:00+08:00",
        "detail": {"cost_price": 1, "goods_detail": []},
        "settle_info": {"profit_sharing": False},
        "scene_info": {
            "payer_client_ip": "127.0.0.1",
            "device_id": "D",
        },
    }
    made = {
        f"{base}/{form}": gateway.given.payment_body(
            form, partner=base is PARTNER, **more
        )
        for base in (DIRECT, PARTNER)
        for form in ("jsapi", "app", "h5", "native")
    }
    for base in (DIRECT, PARTNER):
        made[f"{base}/h5"]["payer"] = {}
        scene = made[f"{base}/h5"]["scene_info"]
        made[f"{base}/h5"]["scene_info"] = {**scene, "h5_info": {"type": "Wap"}}
    made[f"{PARTNER}/jsapi"].update(sub_appid="wx1")
    made[f"{PARTNER}/jsapi"]["payer"]["sub_openid"] = "u"
    part = {
        "mchid": gateway.mchid,
        "sub_mchid": gateway.sub_mchid,
        "out_trade_no": "PART-1",
        "description": "d",
        "attach": "a",
        "amount": {"total_amount": 1, "currency": "CNY"},
    }
    made[f"{COMBINED}/jsapi"] = {
        "combine_appid": gateway.appid,
        "combine_mchid": gateway.mchid,
        "combine_out_trade_no": "WHOLE-1",
        "combine_payer_info": {"openid": "u"},
        "notify_url": "https://merchant.example/notify",
        "scene_info": {"device_id": "D", "payer_client_ip": "127.0.0.1"},
        "time_expire": "2024-06-02T00:00:00+08:00",
        "sub_orders": [part],
    }
    paid = gateway.given.payment("SUCCESS")
    amount = {"refund": 2, "total": 100, "currency": "CNY"}
    sources = [{"account": "AVAILABLE", "amount": 2}]
    made[REFUNDS] = gateway.given.refund_body(
        paid, reason="r", out_trade_no=paid, amount={**amount, "from": sources}
    )
    gateway.given.refund("ABNORMAL", payment=paid, out_refund_no="R1", amount=amount)
    gateway.advance(60)
    way = f"{REFUNDS}/{gateway.refunds['R1'].refund_id}/apply-abnormal-refund"
    made[way] = {"out_refund_no": "R1", "type": "MERCHANT_BANK_CARD"}
    return made


NAMES = [
    *(f"{base}/{form}" for base in (DIRECT, PARTNER) for form in ("jsapi", "h5")),
    f"{COMBINED}/jsapi",
    REFUNDS,
    "apply-abnormal-refund",
]


@pytest.mark.parametrize("validation", ["strict", "off"])
@pytest.mark.parametrize("name", NAMES)
def test_whatever_stands_somewhere_is_answered(
    gateway: Gateway, hand: Any, name: str, validation: str
) -> None:
    path, body = next(
        (path, body) for path, body in calls(gateway).items() if path.endswith(name)
    )
    assert hand.send("POST", path, body).status_code == 200
    gateway.validation.mode = validation
    for place in places(body):
        for odd in ODD:
            reply = hand.send("POST", path, changed(body, place, odd))
            assert reply.status_code in (200, 400, 403, 404), (place, odd)
    gateway.advance(days=8)  # whatever was accepted ends without an accident
    for payment in gateway.payments:
        assert payment.state != "NOTPAY"
