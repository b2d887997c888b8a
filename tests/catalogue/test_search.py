"""Words to endpoints: what is found, in which order, and why."""

from __future__ import annotations

import pytest

from wechatpay_chain import catalogue
from wechatpay_chain.catalogue import store
from wechatpay_chain.catalogue.index import entries, plain
from wechatpay_chain.catalogue.search import near

CANCEL = "POST v3/payscore/serviceorder/{out_order_no}/cancel"
REFUND = "POST v3/refund/domestic/refunds"
COMPLAINTS = "GET v3/merchant-service/complaints-v2"


def keys(words: str, limit: int = 5) -> list[str]:
    return [str(hit.operation) for hit in catalogue.search(words, limit)]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("取消支付分订单", CANCEL),
        ("支付分 取消", CANCEL),
        ("取消订单", CANCEL),
        ("cancel order", CANCEL),
        ("payscore cancel", CANCEL),
        ("Cancel PayScore", CANCEL),
        ("ORDER_NOT_EXIST", CANCEL),
        ("order-not-exist", CANCEL),
        ("申请退款", REFUND),
        ("退款", REFUND),
        ("refund", REFUND),
        ("jsapi prepay", "POST v3/pay/transactions/jsapi"),
        ("JSAPI下单", "POST v3/pay/transactions/jsapi"),
        ("native", "POST v3/pay/transactions/native"),
        ("complaints v2", COMPLAINTS),
        ("投诉单列表", COMPLAINTS),
        ("消费者投诉2.0", COMPLAINTS),
        ("消费者投诉", COMPLAINTS),
        ("服务商Native下单", "POST v3/pay/partner/transactions/native"),
        ("服务商JSAPI下单接口", "POST v3/pay/partner/transactions/jsapi"),
        ("创建订单payscore", "POST v3/payscore/serviceorder"),
        ("upload image", "POST v3/merchant/media/upload"),
        ("上传图片", "POST v3/merchant/media/upload"),
        ("转账到零钱", "POST v3/fund-app/mch-transfer/transfer-bills"),
        ("特约商户进件", "POST v3/applyment4sub/applyment/"),
        ("查询退款", "GET v3/refund/domestic/refunds/{out_refund_no}"),
        ("微信支付分 完结", "POST v3/payscore/serviceorder/{out_order_no}/complete"),
        ("退款。", REFUND),
        ("ｒｅｆｕｎｄ", REFUND),
        ("v2 unifiedorder", "POST v2/pay/unifiedorder"),
        ("certificates", "GET v3/certificates"),
        ("tradebill", "GET v3/bill/tradebill"),
        ("发起转账", "POST v3/fund-app/mch-transfer/transfer-bills"),
    ],
)
def test_the_best_hit_comes_first(words: str, first: str) -> None:
    assert first in keys(words, 3)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("request a refund", REFUND),
        ("request refund", REFUND),
        ("how to refund", REFUND),
        ("How do I apply for a refund", REFUND),
        ("submit refund", REFUND),
        ("look up a refund", "GET v3/refund/domestic/refunds/{out_refund_no}"),
        ("get refund status", "GET v3/refund/domestic/refunds/{out_refund_no}"),
        ("add profit-sharing receivers", "POST v3/profitsharing/receivers/add"),
        ("add profit sharing receiver", "POST v3/profitsharing/receivers/add"),
        ("profitsharing return-orders", "POST v3/profitsharing/return-orders"),
        ("combinetransactions jsapi", "POST v3/combine-transactions/jsapi"),
        ("download a bill", "GET v3/bill/tradebill"),
        ("cancel an order", CANCEL),
        ("下载账单", "GET v3/bill/tradebill"),
        ("下载交易账单", "GET v3/bill/tradebill"),
        (
            "close an order",
            "POST v3/pay/transactions/out-trade-no/{out_trade_no}/close",
        ),
        ("申请退款", REFUND),
    ],
)
def test_what_people_ask_for_is_the_very_first(words: str, first: str) -> None:
    assert keys(words, 1) == [first]


def test_words_that_are_nowhere_exclude_nothing() -> None:
    assert keys("退款 xyzzy") == keys("退款")
    hits = catalogue.search("refund xyzzy 申请", 1200)
    counts = [len(hit.matches) for hit in hits]
    assert counts == sorted(counts, reverse=True)
    assert {*counts} == {1, 2}


@pytest.mark.parametrize(
    ("words", "home", "abroad"),
    [
        ("申请退款", REFUND, "POST v3/global/refunds"),
        ("申请退款", "POST v2/secapi/pay/refund", "POST v3/global/refunds"),
        ("获取平台证书列表", "GET v3/certificates", "GET v3/global/certificates"),
        (
            "native",
            "POST v3/combine-transactions/native",
            "POST v3/global/transactions/native",
        ),
    ],
)
def test_what_is_at_home_comes_before_what_is_abroad(
    words: str, home: str, abroad: str
) -> None:
    found = keys(words, 200)
    assert found.index(home) < found.index(abroad)


def test_names_are_of_endpoints_and_find_them() -> None:
    for key, names in store.names().items():
        for name in names:
            (hit,) = catalogue.search(name, 1)
            assert str(hit.operation) == key, name


@pytest.mark.parametrize("word", ["bill", "coupon", "invoice", "balance", "share"])
def test_an_english_word_finds_the_chinese_one_of_titles(word: str) -> None:
    chinese = store.synonyms()[word]
    hits = catalogue.search(word, 300)
    unlike = [hit for hit in hits if word not in hit.operation.template]
    assert any(name in hit.operation.title for hit in unlike for name in chinese)


@pytest.mark.parametrize("words", ["退款 查询", "refund query", "分账 接收方"])
def test_every_word_must_be_found(words: str) -> None:
    hits = catalogue.search(words, 1200)
    assert hits
    for hit in hits:
        assert [match.word for match in hit.matches] == words.split()
    assert len(hits) < len(catalogue.search(words.split()[0], 1200))


@pytest.mark.parametrize(
    ("words", "where", "text"),
    [
        ("取消支付分订单", "title", "取消支付分订单"),
        ("serviceorder", "path", CANCEL.split()[1]),
        ("invalid_order_state", "error", "INVALID_ORDER_STATE"),
        ("取消原因", "field", "body.reason 取消原因"),
        ("普通商户", "tag", "普通商户"),
    ],
)
def test_a_hit_says_why(words: str, where: str, text: str) -> None:
    hits = catalogue.search(words, 1200)
    why = next(hit.matches for hit in hits if str(hit.operation) == CANCEL)
    assert why == ((words, where, text),)


def test_fields_are_found_in_definitions_too() -> None:
    hits = catalogue.search("begin_time", 1200)
    assert hits
    shared = [
        (hit.operation, match.text)
        for hit in hits
        for match in hit.matches
        if match.where == "field"
    ]
    assert shared
    assert all("begin_time" in text for _, text in shared)


@pytest.mark.parametrize(
    "words", ["outTradeNo", "out-trade-no", "out_trade_no", "OUT_TRADE_NO"]
)
def test_spelling_does_not_matter(words: str) -> None:
    assert keys(words, 40) == keys("out_trade_no", 40)


@pytest.mark.parametrize("words", ["refunding", "cancelled", "complaints"])
def test_an_inflected_word_is_found_where_nothing_else_is(words: str) -> None:
    assert keys(words)


def test_characters_may_stand_apart_where_nothing_else_is_found() -> None:
    assert keys("销分支付") == [
        key for key in keys("销分支付") if set("销分支付") <= set(_title(key))
    ]
    assert keys("付消支") == [
        key for key in keys("付消支") if set("付消支") <= set(_title(key))
    ]
    assert CANCEL in keys("付消支", 20)


def _title(key: str) -> str:
    operation = catalogue.find(*key.split())
    assert operation is not None
    return operation.title


def test_what_was_withdrawn_comes_last() -> None:
    hits = catalogue.search("支付", 1200)
    both = [hit.operation.deprecated for hit in hits]
    assert True in both
    assert not any(both[:10])


def test_the_order_is_always_the_same() -> None:
    assert keys("支付", 50) == keys("支付", 50)


def test_no_more_than_asked_for() -> None:
    assert len(keys("支付", 3)) == 3
    assert keys("支付", 3) == keys("支付", 20)[:3]
    assert len(catalogue.search("支付")) == 20


@pytest.mark.parametrize("words", ["", "  ", "，", "/", "xyzzy", "how to xyzzy"])
def test_nothing_is_found_by_what_is_nowhere(words: str) -> None:
    assert keys(words) == []


def test_whatever_is_found_says_where() -> None:
    words = {name for entry in entries() for name in entry.fields.split()}
    for word in sorted(words)[::60]:
        hits = catalogue.search(word, 5)
        assert hits, word
        for hit in hits:
            (match,) = hit.matches
            assert match.word == word
            assert plain(match.text), (word, hit)


def test_words_that_are_part_of_the_notation_find_only_facts() -> None:
    for word in ("integer", "encrypted:rsa", "$json", "answers"):
        for hit in catalogue.search(word, 1200):
            assert all(match.text for match in hit.matches)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("refnd", "refund"),
        ("canecl order", "cancel"),
        ("serviceordr", "serviceorder"),
        ("ORDER_NOT_EXISTS_", "order_not_exist"),
    ],
)
def test_nothing_found_suggests_what_is_near(words: str, meant: str) -> None:
    assert meant in near(words)


def test_nothing_near_suggests_nothing() -> None:
    assert near("xyzzyqwfp") == []
    assert near("") == []


def test_every_synonym_finds_something() -> None:
    every = list(catalogue.operations())
    texts = {text for one in every for text in (one.title, *one.tags)}
    for word, chinese in store.synonyms().items():
        assert keys(word), word
        for name in chinese:
            assert any(name in text for text in texts), (word, name)
