"""What a template may show: the words of the API, and nothing that was filled in."""

from __future__ import annotations

import pytest

from wechatpay_chain import Request

#: Paths as the documents write them, with each kind of segment that there is.
REAL = [
    "v3/certificates",
    "v3/pay/transactions/native",
    "v3/pay/transactions/id/{transaction_id}",
    "v3/pay/transactions/out-trade-no/{out_trade_no}",
    "v3/pay/transactions/out-trade-no/{out_trade_no}/close",
    "v3/pay/partner/transactions/h5",
    "v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close",
    "v3/refund/domestic/refunds/{out_refund_no}",
    "v3/payscore/serviceorder/{out_order_no}/cancel",
    "v3/payscore/permissions/authorization-code/{authorization_code}/terminate",
    "v3/payscore/permissions/openid/{openid}",
    "v3/payscore/partner/serviceorder",
    "v3/marketing/favor/users/{openid}/coupons/{coupon_id}",
    "v3/marketing/favor/stocks/{stock_id}/use-flow",
    "v3/merchant/media/video_upload",
    "v3/merchant-service/complaints-v2/{complaint_id}/negotiation-historys",
    "v3/applyment4sub/applyment/business_code/{business_code}",
    "v3/apply4sub/sub_merchants/{sub_mchid}/modify-settlement",
    "v3/apply4subject/applyment/{business_code}/cancel",
    "v3/profitsharing/merchant-configs/{sub_mchid}",
    "v3/papay/sign/contracts/h5-pre-entrust-sign",
    "v3/global/refunds/out-refund-no/{out_refund_no}",
    "v3/new-tax-control-fapiao/fapiao-applications/{fapiao_apply_id}/fapiao-files",
    "v3/platsolution/ecommerce/mch-transfer/"
    "deposit-insurance-premiums-compensation-bills/{out_bill_no}",
    "v3/brand/marketing/membership-activities/",
    "v2/pay/unifiedorder",
    "v2/mmpaymkttransfers/promotion/paywwsptrans2pocket",
    "v2/secapi/mch/addInstitutionsub",
    "v2/secapi/pay/refundv2",
    "hk/v3/transactions/native",
]

#: Segments that somebody has filled in, wherever they stand.
PRIVATE = [
    "4200000001202306012345678901",
    "1900000109",
    "42",
    "7",
    "1234323JKHDFE1243252",
    "ORDER-1",
    "order-2024-06",
    "order1",
    "P20150806125346",
    "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
    "o4GgauInH_RCEdvrrNGrntXDuXyZ",
    "oXyLmNoPqRsTuVwXyZabcdefghij",
    "0b1f9a52-2c1e-4c7b-9c52-6f0f9d0c3a11",
    "9f86d081884c7d659a2feaa0c55ad015",
    "ohello%40example.com",
    "wx%2F1",
    "wxd678efh567hg6787",
    "pub_key.pem",
    "138-0013-8000",
    "zhangSanFengLi",
    "a" * 33,
    "张三",
    "4200{x}",
    "{x}-138001380",
]


@pytest.mark.parametrize("template", REAL)
def test_templates_of_the_api_are_shown_whole(template: str) -> None:
    assert Request("GET", "https://h/", template=template).label == f"GET {template}"
    slashed = Request("GET", "https://h/", template=f"/{template}")
    assert slashed.label == f"GET /{template}"


@pytest.mark.parametrize("segment", PRIVATE)
@pytest.mark.parametrize("path", ["v3/x/{}", "v3/users/{}/coupons", "{}"])
def test_filled_segments_are_not_shown(path: str, segment: str) -> None:
    template = path.replace("{}", segment)
    request = Request("POST", "https://h/", template=template)
    assert request.label == "POST " + path.replace("{}", "{...}")


@pytest.mark.parametrize(
    "name",
    ["id", "out-trade-no", "out_order_no", "openid", "sub-mchid", "business_code"],
)
def test_what_follows_the_name_of_a_value_is_not_shown(name: str) -> None:
    request = Request("GET", "https://h/", template=f"v3/x/{name}/alice/close")
    assert request.label == f"GET v3/x/{name}/{{...}}/close"


@pytest.mark.parametrize(
    ("template", "label"),
    [
        ("v3/x?openid=oUpF8uMuAJO", "GET v3/x"),
        ("v3/x/{a}?b={b}", "GET v3/x/{a}"),
        ("{+path}", "GET {+path}"),
        ("v3/x/{a}{b}", "GET v3/x/{a}{b}"),
        ("v3/x/", "GET v3/x/"),
        ("", "GET"),
    ],
)
def test_a_label_has_no_query_and_keeps_placeholders(template: str, label: str) -> None:
    assert Request("GET", "https://h/v3/x/1", template=template).label == label


@pytest.mark.parametrize(
    ("url", "template", "shown"),
    [
        ("v3/x?a=1&openid=oUpF8", "v3/x", "v3/x?a=1&openid=..."),
        ("v3/x?sub_openid=oUpF8&a=1", "v3/x", "v3/x?sub_openid=...&a=1"),
        ("v3/x?sub%5Fopenid=oUpF8", "v3/x", "v3/x?sub%5Fopenid=..."),
        ("v3/users/oUpF8/c", "v3/users/{openid}/c", "v3/users/{openid}/c"),
        ("users/oUpF8/c?a=1", "v2/users/{sub_openid}/c", "users/{sub_openid}/c?a=1"),
        ("v3/p/openid/oUpF8", "v3/p/openid/{openid}", "v3/p/openid/{openid}"),
        ("v3/p/openid/oUpF8", "v3/p/openid/oUpF8", "v3/p/openid/{...}"),
        ("v3/o/1?a=1", "v3/o/{out_order_no}", "v3/o/1?a=1"),
    ],
)
def test_an_error_shows_a_url_without_openids(
    url: str, template: str, shown: str
) -> None:
    request = Request("GET", f"https://h/{url}", template=template)
    assert request.sent().url == f"https://h/{shown}"
    assert "oUpF8" not in repr(request)
