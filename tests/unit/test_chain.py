"""The grammar of the chain: names to segments and back, and nodes as values."""

from __future__ import annotations

import builtins
import copy
import inspect
import operator
import pickle
from collections.abc import Hashable, Iterable, Sized
from typing import Any

import pytest
from key_material import options

from wechatpay_chain import Node, TemplateError, WeChatPay, expression
from wechatpay_chain._chain import attribute, segment

ID = "PUB_KEY_ID_0114232134912410000000000000"

#: What notebooks, debuggers and printers ask every object for.
PROBES = [
    "_repr_html_",
    "_repr_mimebundle_",
    "_repr_pretty_",
    "_ipython_display_",
    "_ipython_canary_method_should_not_exist_",
    "_jupyter_something_",
    "_mime_",
    "_rich_",
    "__wrapped__",
    "__html__",
    "__rich__",
    "__array__",
    "__len__",
    "__fspath__",
    "__length_hint__",
    "awehflow aweihf awefhaweif",
]


@pytest.fixture(scope="module")
def client() -> WeChatPay:
    return WeChatPay(**options())


def chained(client: Any, *names: str) -> Node:
    for name in names:
        client = getattr(client, name)
    return client


@pytest.mark.parametrize(
    ("names", "template"),
    [
        (
            ("v3", "pay", "transactions", "native"),
            "v3/pay/transactions/native",
        ),
        (
            ("v3", "payscore", "serviceorder", "_out_order_no_", "cancel"),
            "v3/payscore/serviceorder/{out_order_no}/cancel",
        ),
        (
            ("v3", "pay", "transactions", "outTradeNo", "_out_trade_no_"),
            "v3/pay/transactions/out-trade-no/{out_trade_no}",
        ),
        (("v3", "merchant", "media", "video_upload"), "v3/merchant/media/video_upload"),
        (("v3", "global_", "statements"), "v3/global/statements"),
        (("v3", "import_"), "v3/import"),
        (("v3", "None_"), "v3/None"),
        (("v3", "delete_"), "v3/delete"),
        (("v3", "post_async_"), "v3/post_async"),
        (("v3", "chain_"), "v3/chain"),
        (("v3", "paginate_"), "v3/paginate"),
        (("v3", "close"), "v3/close"),
        (("v3", "items"), "v3/items"),
        (("v3", "send"), "v3/send"),
        (("v3", "upload"), "v3/upload"),
        (("v3", "match"), "v3/match"),
        (("v3", "other_"), "v3/other_"),
        (("v3", "Capital"), "v3/capital"),
        (("v3", "appId_x"), "v3/app-id_x"),
        (("v3", "_mime_type_"), "v3/{mime_type}"),
        (("v3", "_report_id_"), "v3/{report_id}"),
        (("v2", "pay", "unifiedorder"), "v2/pay/unifiedorder"),
        (("hk", "v3", "statements"), "hk/v3/statements"),
        (("v4", "new"), "v4/new"),
        (("v12",), "v12"),
    ],
)
def test_attributes_spell_a_template(
    client: WeChatPay, names: tuple[str, ...], template: str
) -> None:
    node = chained(client, *names)
    assert str(node) == template
    assert node == client[template]


@pytest.mark.parametrize(
    "path",
    [
        "v3/payscore/serviceorder/{out_order_no}/cancel",
        "v3/ecommerce/Mixed-Case/addInstitutionsub",
        "v3/applyment4sub/applyment/",
        "{+myurl}",
        "v3/x?already=there&percent=%7C",
        "v3/x?next=https://example.com/a/../b",
    ],
)
def test_an_item_is_verbatim(client: WeChatPay, path: str) -> None:
    assert str(client[path]) == path
    assert client.chain(path) == client[path] == client["/" + path]


def test_items_and_attributes_mix_on_any_node(client: WeChatPay) -> None:
    whole = client["v3/pay/transactions/out-trade-no/{out_trade_no}/close"]
    assert client.v3.pay["transactions/out-trade-no"]._out_trade_no_.close == whole
    assert client.v3.pay.chain("/transactions")["out-trade-no"][
        "{out_trade_no}/close"
    ] == (whole)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//other.example/v3/x",
        "https://api.mch.weixin.qq.com/v3/certificates",
        "v3//certificates",
        "v3/./x",
        "v3/../x",
        "..",
        "v3/%2e%2E/x",
        "v3/.%2e",
        "v3/%2E",
        "v3/x#top",
        "v3/{?offset,limit}",
        "v3/{;x}",
        "v3/{/x}",
        "v3/{#x}",
        "v3/{x",
        "v3/x}",
        "v3/{}",
        "v3/{1x}",
        "v3/{x:3}",
        "v3/{x}/{x}",
        "v3/{x}/{+x}",
        "v3\\x",
        "v3/%5c",
        "v3/\ud800",
    ],
)
def test_a_bad_path_is_refused_where_it_is_written(
    client: WeChatPay, path: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        client[path]
    assert caught.value.outcome == "not_sent"
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("item", ["", "/", "//x", "../x", "x#y", "https://h/x"])
def test_a_bad_item_is_refused_below_a_node(client: WeChatPay, item: str) -> None:
    with pytest.raises(TemplateError):
        client.v3[item]


def test_a_path_ends_at_its_query(client: WeChatPay) -> None:
    with pytest.raises(TemplateError, match="query"):
        client["v3/x?y=1"].more


@pytest.mark.parametrize("item", [0, 1, True, None, b"x", slice(1), ("a", "b"), 1.5])
def test_an_item_that_is_no_text_is_a_type_error(client: WeChatPay, item: Any) -> None:
    with pytest.raises(TypeError, match=f"got {type(item).__name__}") as caught:
        client.v3[item]
    assert not isinstance(caught.value, TemplateError)
    with pytest.raises(TypeError):
        client[item]


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_is_an_attribute_error(client: WeChatPay, name: str) -> None:
    for found in (client, client.v3, client.v3._out_order_no_):
        with pytest.raises(AttributeError):
            getattr(found, name)
        assert getattr(found, name, "default") == "default"


@pytest.mark.parametrize("name", ["_x", "_1_", "__a_", "_a__b_", "_", "a-b", "1", ""])
def test_a_name_that_is_no_segment_is_an_attribute_error(
    client: WeChatPay, name: str
) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(client.v3, name)
    assert caught.value.name == name
    assert f"node[{name!r}]" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("with_option", "with_options"),
        ("closed", "close"),
        ("stak", None),
        ("v33x", "v3"),
        ("from_fil", "from_file"),
    ],
)
def test_a_misspelt_root_name_is_no_empty_chain(
    client: WeChatPay, name: str, near: str | None
) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(client, name)
    assert "paths start at v3" in str(caught.value)
    if near:
        assert f"did you mean {near!r}" in str(caught.value)


@pytest.mark.parametrize("name", ["v", "v0", "v03", "v3_", "V3", "hk2", "pay"])
def test_the_root_has_only_versions_as_segments(client: WeChatPay, name: str) -> None:
    with pytest.raises(AttributeError):
        getattr(client, name)


class TestNodesAreValues:
    def test_equal_for_the_same_client_and_template(self, client: WeChatPay) -> None:
        other = client.with_options()
        assert client.v3.pay == client["v3/pay"]
        assert client.v3.pay != client.v3.pays
        assert client.v3.pay != other.v3.pay
        assert client.v3.pay != "v3/pay"
        assert len({client.v3.pay, client["v3/pay"], other.v3.pay}) == 2

    def test_reused_and_unchanged_by_going_further(self, client: WeChatPay) -> None:
        base = client.v3.pay
        assert str(base.a) == "v3/pay/a"
        assert str(base.b) == "v3/pay/b"
        assert str(base) == "v3/pay"

    def test_the_text_leads_back(self, client: WeChatPay) -> None:
        node = client.v3.pay._out_trade_no_["A-b"]
        assert client[str(node)] == node

    def test_copies_are_equal(self, client: WeChatPay) -> None:
        node = client.v3.pay
        assert copy.copy(node) == node
        assert copy.deepcopy(node) == node
        assert copy.deepcopy({"node": [node]}) == {"node": [node]}

    @pytest.mark.parametrize("name", ["x", "_text", "_client", "get"])
    def test_immutable(self, client: WeChatPay, name: str) -> None:
        node = client.v3.pay
        with pytest.raises(AttributeError, match="immutable"):
            setattr(node, name, 1)
        with pytest.raises(AttributeError, match="immutable"):
            delattr(node, name)
        assert str(node) == "v3/pay"

    @pytest.mark.parametrize("function", [iter, len, list, reversed, next, float])
    def test_no_sequence(self, client: WeChatPay, function: Any) -> None:
        with pytest.raises(TypeError):
            function(client.v3)

    def test_no_container(self, client: WeChatPay) -> None:
        with pytest.raises(TypeError):
            operator.contains(client.v3, "pay")
        assert not isinstance(client.v3, Iterable)
        assert not isinstance(client.v3, Sized)
        assert isinstance(client.v3, Hashable)

    def test_true(self, client: WeChatPay) -> None:
        assert client.v3
        assert client["{+url}"]

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_never_pickled_and_says_why(self, client: WeChatPay, protocol: int) -> None:
        with pytest.raises(TypeError, match="because its client holds keys"):
            pickle.dumps(client.v3, protocol)
        with pytest.raises(TypeError, match="because it holds keys"):
            pickle.dumps(client, protocol)

    def test_shown_with_template_and_merchant(self, client: WeChatPay) -> None:
        assert repr(client.v3._a_) == f"<Node v3/{{a}} of merchant {client.mchid}>"

    def test_looked_at_by_introspection(self, client: WeChatPay) -> None:
        node = client.v3
        assert inspect.unwrap(node) is node
        assert not inspect.isawaitable(client.v3)
        assert "post_async" in dir(client.v3)
        assert {"v2", "v3", "hk", "stack", "close"} <= set(dir(client))


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("v3/payscore/serviceorder/{out_order_no}/cancel", None),
        ("v3/pay/transactions/out-trade-no/{out_trade_no}", None),
        ("/v3/global/statements", "client.v3.global_.statements"),
        ("v3/merchant/media/video_upload", "client.v3.merchant.media.video_upload"),
        ("v3/addInstitutionsub", 'client.v3["addInstitutionsub"]'),
        ("v3/x/", 'client.v3["x/"]'),
        ("v3/", 'client["v3/"]'),
        ("{+url}", 'client["{+url}"]'),
        ("pay/unifiedorder", 'client["pay/unifiedorder"]'),
        ("pay/", 'client["pay/"]'),
        ("v3/{+url}", 'client.v3["{+url}"]'),
        ("v3/{repr_html}", 'client.v3["{repr_html}"]'),
        ("v3/x?a=b/c", 'client.v3["x?a=b/c"]'),
        ("x?a=b/c", 'client["x?a=b/c"]'),
        ('v3/"q"', 'client.v3["\\"q\\""]'),
        ("v3/other_", "client.v3.other_"),
        ("v3/post_", 'client.v3["post_"]'),
        ("v3/4sub/a--b/a-1", 'client.v3["4sub"]["a--b"]["a-1"]'),
        ("v3/try/get/None", "client.v3.try_.get_.None_"),
        ("hk/v3/statements", "client.hk.v3.statements"),
        ("v3/支付", "client.v3.支付"),
    ],
)
def test_expression_leads_to_its_path(
    client: WeChatPay, path: str, made: str | None
) -> None:
    written = expression(path)
    if made is not None:
        assert written == made
    assert str(eval(written, {"client": client})) == path.removeprefix("/")


def test_every_keyword_and_verb_has_an_attribute() -> None:
    for word in ["return", "import", "try", "global", "delete", "get", "chain"]:
        assert attribute(word) == f"{word}_"
        assert segment(f"{word}_") == word


def test_builtins_are_no_reserved_words() -> None:
    words = [name for name in dir(builtins) if name.islower() and name[0] != "_"]
    assert [attribute(word) for word in words] == words
