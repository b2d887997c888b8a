"""From a request line to an endpoint, and what is said where there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wechatpay_chain import NotFound, WeChatPay
from wechatpay_chain.sandbox import Gateway

COUPONS = "/v3/marketing/favor/stocks"


def told(response: Any) -> tuple[str, dict[str, Any]]:
    """Message and ``detail.sandbox`` of a 404."""
    assert response.status_code == 404
    data = json.loads(response.content)
    return data["message"], data["detail"]["sandbox"]


@pytest.mark.parametrize(
    "path",
    [
        "/v3/marketing/favor/callbacks",
        "/v3/profitsharing/orders/unfreeze",
        "/v3/global/papay/contracts/web-pre-entrust-sign",
    ],
)
def test_a_literal_segment_comes_before_a_placeholder(
    hand: Any, gateway: Gateway, path: str
) -> None:
    hand.send("POST", path, {})
    (exchange,) = gateway.journal
    assert exchange.endpoint == f"POST {path}"


def test_a_placeholder_takes_what_no_literal_does(hand: Any, gateway: Gateway) -> None:
    assert hand.send("GET", "/v3/global/papay/contracts/C-1").status_code == 200
    (exchange,) = gateway.journal
    assert exchange.endpoint == "GET /v3/global/papay/contracts/{contract_id}"


MISSPELT = {
    "/v3/marketing/favor/media/imageUpload": "/v3/marketing/favor/media/image-upload",
    "/v3/marketing/favor/media/image_upload": "/v3/marketing/favor/media/image-upload",
    "/v3/Marketing/favor/media/image-upload": "/v3/marketing/favor/media/image-upload",
    "/v3/merchant/media/video-upload": "/v3/merchant/media/video_upload",
    "/v3/merchant/media/videoUpload/": "/v3/merchant/media/video_upload",
    "/v3/merchantService/images/upload": "/v3/merchant-service/images/upload",
    "/v3/profitsharing/Orders/unfreeze": "/v3/profitsharing/orders/unfreeze",
}


@pytest.mark.parametrize("path", MISSPELT)
def test_another_spelling_is_named_in_the_message(hand: Any, path: str) -> None:
    message, sandbox = told(hand.send("POST", path, {}))
    assert sandbox["id"] == "route_unknown"
    assert f"did you mean POST {MISSPELT[path]}? Only the spelling differs" in message
    assert sandbox["nearest"][0] == f"POST {MISSPELT[path]}"


WRONG = {
    "/v3/marketing/favour/stocks": "GET /v3/marketing/favor/stocks",
    "/marketing/favor/stocks": "GET /v3/marketing/favor/stocks",
    "/v3/favor/stocks": "GET /v3/marketing/favor/stocks",
    "/v3/marketing/favor/stock/S-1": "GET /v3/marketing/favor/stocks/{stock_id}",
    "/v3/payscore/serviceorders": "GET /v3/payscore/serviceorder",
    "/v3/certificate": "GET /v3/certificates",
    "/v3/hk/statements": "GET /hk/v3/statements",
}


@pytest.mark.parametrize("path", WRONG)
def test_an_unknown_path_names_the_three_nearest(hand: Any, path: str) -> None:
    message, sandbox = told(hand.send("GET", path))
    assert len(sandbox["nearest"]) == 3
    assert WRONG[path] in sandbox["nearest"]
    assert all(name in message for name in sandbox["nearest"])


def test_the_client_shows_the_nearest(gateway: Gateway, call: Any) -> None:
    with pytest.raises(NotFound, match=r"GET /v3/marketing/favor/stocks/\{stock_id\}"):
        call(gateway.client(check="off").v3.marketing.favor.stock["S-1"].get)


@pytest.mark.parametrize(("method", "others"), [("PUT", ["GET"]), ("DELETE", ["GET"])])
def test_an_unknown_method_names_those_that_there_are(
    hand: Any, method: str, others: list[str]
) -> None:
    message, sandbox = told(hand.send(method, COUPONS))
    assert sandbox["id"] == "method_unknown"
    assert sandbox["nearest"] == [f"{other} {COUPONS}" for other in others]
    assert f"takes {', '.join(others)}, not {method}" in message


@pytest.mark.parametrize("hole", ["%7Bstock_id%7D", "{stock_id}", "{stockId}"])
def test_a_placeholder_that_was_not_filled_in_is_named(
    hand: Any, outcome: Any, hole: str
) -> None:
    target = f"{COUPONS}/{hole}?stock_creator_mchid=1900000001"
    response = hand.send("GET", target)
    assert outcome(response) == (400, "PARAM_ERROR", "parameters")
    (problem,) = json.loads(response.content)["detail"]["sandbox"]["problems"]
    assert problem["field"] == "stock_id"
    assert problem["location"] == "path"
    assert problem["rule"] == "placeholder"


@pytest.mark.parametrize(
    "path", [f"{COUPONS}//items", f"{COUPONS}/%ff/items", f"{COUPONS}/", "/", "//", ""]
)
def test_a_path_without_a_value_is_nobodys(hand: Any, outcome: Any, path: str) -> None:
    response = hand.send("GET", path or "/")
    assert outcome(response) == (404, "RESOURCE_NOT_EXISTS", "route_unknown")


@pytest.mark.parametrize(
    ("path", "query", "url"),
    [
        (
            "v3/customs/orders",
            {
                **{"appid": "wx1", "mchid": "1900000001", "customs": "SHANGHAI_ZS"},
                **{"order_type": "out_trade_no", "order_no": "N1"},
            },
            "https://apihk.mch.weixin.qq.com/global/v3/customs/orders?",
        ),
        (
            "v3/marketing/favor/stocks",
            {"stock_creator_mchid": "1900000001", "offset": 0, "limit": 1},
            "https://api.mch.weixin.qq.com/v3/marketing/favor/stocks?",
        ),
    ],
)
def test_the_real_hosts_and_their_prefixes_are_served(
    gateway: Gateway, path: str, query: dict[str, Any], url: str
) -> None:
    client = WeChatPay(
        **gateway.credentials, transport=gateway.transport(), clock=gateway.clock
    )
    reply = client[path].get(query)
    (exchange,) = gateway.journal
    assert exchange.request.url.startswith(url)
    assert exchange.endpoint == f"GET /{path}"
    assert reply.verified
