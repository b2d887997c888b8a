"""Help and completion on nodes: on demand, and as any method has it."""

from __future__ import annotations

import copy
import inspect
import pickle
import pydoc
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from wechatpay_chain import Node, WeChatPay
from wechatpay_chain._chain import METHODS, attribute, segment
from wechatpay_chain.catalogue import Operation, find

CANCEL = "v3/payscore/serviceorder/{out_order_no}/cancel"
_EMPTY = "Answer 204, empty"


@pytest.fixture
def cancel(client: WeChatPay) -> Node:
    return client[CANCEL]


def lines(text: str | None) -> Iterator[str]:
    assert text is not None
    yield from (" ".join(line.split()) for line in text.splitlines())


class TestOfAVerb:
    def test_names_what_the_endpoint_takes_answers_and_fails_with(
        self, cancel: Node
    ) -> None:
        said = list(lines(cancel.post.__doc__))
        assert said[0] == "取消支付分订单"
        for line in (
            f"POST {CANCEL}",
            "client.v3.payscore.serviceorder._out_order_no_.cancel",
            "For 普通商户",
            "out_order_no* string 1..32 商户服务订单号",
            "Body, JSON",
            "reason* string 1..30 取消原因",
            "Answer 200",
            "order_id* string 1..128 微信支付服务订单号",
            "ORDER_NOT_EXIST 404",
            "https://pay.weixin.qq.com/doc/v3/merchant/4012587905",
        ):
            assert line in said
        assert said.index("Answer 200") < said.index("Errors") < said.index("Documents")

    def test_ends_with_the_keywords_of_any_call(self, cancel: Node) -> None:
        text = cancel.post.__doc__ or ""
        general = inspect.getdoc(Node.post) or ""
        assert "``timeout=``" in text.partition("Any call")[2]
        assert general.splitlines()[0] not in text

    def test_async_tells_the_same(self, cancel: Node) -> None:
        assert cancel.post_async.__doc__ == cancel.post.__doc__

    def test_another_verb_says_which_ones_are_known(self, cancel: Node) -> None:
        text = cancel.get.__doc__ or ""
        assert text.startswith("The catalogue knows POST of this path, not GET.")
        assert text.endswith(inspect.getdoc(Node.get) or "-")

    def test_of_an_unknown_path_is_the_general_one(self, client: WeChatPay) -> None:
        assert client.v3.tomorrow.post.__doc__ == inspect.getdoc(Node.post)
        assert client["{+url}"].post.__doc__ == inspect.getdoc(Node.post)

    def test_holds_for_a_filled_path_and_one_with_a_query(
        self, client: WeChatPay, cancel: Node
    ) -> None:
        filled = client["v3/payscore/serviceorder/ORDER-1/cancel"]
        assert filled.post.__doc__ == cancel.post.__doc__
        assert client[f"{CANCEL}?x=1"].post.__doc__ == cancel.post.__doc__

    @pytest.mark.parametrize(
        ("key", "line"),
        [
            ("POST v3/payscore/partner/serviceorder/{out_order_no}/cancel", _EMPTY),
            ("GET v3/billdownload/file", "file"),
            ("POST v3/customs/orders", "At https://apihk.mch.weixin.qq.com/global"),
            ("POST v2/secapi/pay/refund", "Needs the merchant's client certificate."),
            ("POST v2/pay/unifiedorder", "Body, XML"),
            ("POST v3/merchant/media/upload", "Body, multipart/form-data"),
            ("GET v3/certificates", "Answer 200"),
        ],
    )
    def test_tells_what_is_special(
        self, client: WeChatPay, key: str, line: str
    ) -> None:
        method, template = key.split()
        text = getattr(client[template], method.lower()).__doc__
        assert line in list(lines(text))

    def test_choices_stand_below_their_field(self, client: WeChatPay) -> None:
        said = list(lines(client.v3.pay.transactions.native.post.__doc__))
        at = said.index("limit_pay array of string 指定支付方式")
        assert said[at + 1] == "no_balance | no_credit | no_debit | balance_only"

    def test_pydoc_shows_it(self, cancel: Node) -> None:
        text = pydoc.render_doc(cancel.post, renderer=pydoc.plaintext)
        for line in lines(cancel.post.__doc__):
            assert line in set(lines(text))


class TestABoundVerb:
    """It is looked at like any bound method."""

    def test_has_what_a_method_has(self, cancel: Node) -> None:
        verb: Any = cancel.post
        assert verb.__self__ is cancel
        assert verb.__func__ is Node.post
        assert verb.__name__ == "post"
        assert verb.__qualname__ == "Node.post"
        assert repr(verb) == f"<bound method Node.post of {cancel!r}>"
        assert callable(verb)
        assert not hasattr(verb, "__wrapped__")
        assert getattr(verb, "nothing", None) is None

    def test_its_signature_is_without_the_node(self, cancel: Node) -> None:
        assert list(inspect.signature(cancel.get).parameters) == ["params", "options"]
        assert "self" in inspect.signature(Node.get).parameters

    @pytest.mark.parametrize("name", ["get", "post", "put", "patch", "delete"])
    def test_coroutine_functions_are_known_as_such(
        self, cancel: Node, name: str
    ) -> None:
        assert inspect.iscoroutinefunction(getattr(cancel, f"{name}_async"))
        assert not inspect.iscoroutinefunction(getattr(cancel, name))

    def test_equal_for_the_same_node_and_verb(self, client: WeChatPay) -> None:
        assert client.v3.x.post == client.v3.x.post
        assert len({client.v3.x.post, client.v3.x.post, client.v3.x.get}) == 2
        assert client.v3.x.post != client.v3.y.post
        assert client.v3.x.post != "post"

    def test_copied_but_not_pickled(self, cancel: Node) -> None:
        assert copy.copy(cancel.post) == copy.deepcopy(cancel.post) == cancel.post
        with pytest.raises(TypeError, match="because its client holds keys"):
            pickle.dumps(cancel.post)

    def test_kept_in_a_class_it_stays_bound(self, cancel: Node) -> None:
        class Job:
            send = cancel.post

        assert Job().send == Job.send == cancel.post

    def test_on_the_class_it_is_the_function(self) -> None:
        assert inspect.isfunction(Node.post)
        assert (Node.post.__doc__ or "").startswith("Send POST")


class TestOfANode:
    def test_names_its_verbs_and_what_lies_below(self, client: WeChatPay) -> None:
        orders = client.v3.payscore.serviceorder
        assert orders.__doc__ == (
            "v3/payscore/serviceorder\n\n"
            "GET    查询支付分订单\n"
            "POST   创建支付分订单\n"
            "Below: directComplete, _out_order_no_"
        )

    def test_items_are_shown_where_no_attribute_leads(self, client: WeChatPay) -> None:
        assert "['addInstitutionsub']" in (client.v2.secapi.mch.__doc__ or "")

    def test_of_an_unknown_path_is_that_of_the_class(self, client: WeChatPay) -> None:
        assert client.v3.tomorrow.__doc__ == inspect.cleandoc(Node.__doc__ or "-")
        assert (Node.__doc__ or "").startswith("One path of the API.")

    def test_pydoc_shows_it(self, client: WeChatPay) -> None:
        text = pydoc.render_doc(client.v3.certificates, renderer=pydoc.plaintext)
        assert "获取平台证书列表" in text


class TestOperations:
    def test_the_one_verb_of_a_path(self, cancel: Node) -> None:
        assert cancel.operation is find("POST", CANCEL)
        assert list(cancel.operations) == ["POST"]

    def test_of_several_the_one_that_calling_the_node_sends(
        self, client: WeChatPay
    ) -> None:
        node = client.v3.payscore.serviceorder
        assert {*node.operations} == {"GET", "POST"}
        assert node.operation is node.operations["POST"]

    def test_reading_before_changing_where_nothing_posts(
        self, every: list[Operation], client: WeChatPay
    ) -> None:
        both = {one.template for one in every if one.method == "PATCH"}
        for template in both:
            known = client[template].operations
            if {*known} == {"GET", "PATCH"}:
                assert client[template].operation is known["GET"]

    @pytest.mark.parametrize("path", ["v3", "v3/pay", "v3/tomorrow", "{+url}", "v9/x"])
    def test_an_unknown_path_has_none(self, client: WeChatPay, path: str) -> None:
        assert client[path].operation is None
        assert client[path].operations == {}

    @pytest.mark.parametrize("name", ["operation", "operations"])
    def test_a_segment_of_that_name_is_escaped(
        self, client: WeChatPay, name: str
    ) -> None:
        assert name in METHODS
        assert attribute(name) == f"{name}_"
        assert str(getattr(client.v3, f"{name}_")) == f"v3/{name}"

    def test_shown_by_what_they_are_called(self, cancel: Node) -> None:
        assert repr(cancel.operation) == f"<Operation POST {CANCEL} 取消支付分订单>"
        assert cancel.operation is not None
        assert cancel.operation.body is not None
        shown = repr((cancel.operation.body.fields or {})["reason"])
        assert shown == (
            "Field(type='string', label='取消原因', required=True, "
            "shortest=1, longest=30)"
        )


class TestCompletion:
    def test_dir_is_what_a_node_has_and_where_it_leads(self, client: WeChatPay) -> None:
        assert set(dir(client.v3.pay)) - METHODS == {
            "acquiringBank",
            "instal",
            "partner",
            "transactions",
        }
        assert set(dir(client.v3.pay)) > METHODS
        assert set(dir(client.v3.tomorrow)) == METHODS

    @pytest.mark.parametrize(
        ("path", "verbs"),
        [
            ("v3/pay/transactions/native", {"post"}),
            ("v3/payscore/serviceorder", {"get", "post"}),
            ("v3/marketing/favor/stocks", {"get", "paginate"}),
            ("v3/tomorrow", {"get", "post", "put", "patch", "delete", "paginate"}),
        ],
    )
    def test_dir_offers_the_verbs_that_the_endpoint_has(
        self, client: WeChatPay, path: str, verbs: set[str]
    ) -> None:
        both = verbs | {f"{verb}_async" for verb in verbs}
        offered = {name for name in dir(client[path]) if name in METHODS}
        assert offered == both | {"chain", "operation", "operations"}
        assert client[path].delete  # what is not offered is there all the same

    def test_each_name_gives_a_segment(self, client: WeChatPay) -> None:
        names = set(dir(client.v3)) - METHODS
        assert {"payscore", "global_", "applyment4sub", "combineTransactions"} <= names
        assert {segment(name) for name in names} >= {"global", "combine-transactions"}

    def test_below_a_version_prefix(self, client: WeChatPay) -> None:
        assert set(dir(client.hk)) - METHODS == {"v3"}
        assert "transactions" in dir(client.hk.v3)
        assert "pay" in dir(client.v2)

    def test_names_that_give_another_segment_are_left_out(
        self, client: WeChatPay
    ) -> None:
        names = dir(client.v2.secapi.mch)
        assert "addInstitutionsub" not in names
        assert "" not in dir(client.v3.applyment4sub.applyment)

    def test_items_lead_to_endpoints(self, client: WeChatPay) -> None:
        keys = client.v3.payscore.serviceorder._ipython_key_completions_()
        assert "{out_order_no}/cancel" in keys
        assert "direct-complete" in keys
        assert all(client.v3.payscore.serviceorder[key].operation for key in keys)
        assert "applyment/" in client.v3.applyment4sub._ipython_key_completions_()
        assert client.v3.tomorrow._ipython_key_completions_() == []

    def test_items_of_the_client_are_whole_paths(
        self, client: WeChatPay, every: list[Operation]
    ) -> None:
        keys = client._ipython_key_completions_()
        assert {*keys} == {operation.template for operation in every}

    def test_a_probe_is_still_no_segment(self, client: WeChatPay) -> None:
        with pytest.raises(AttributeError):
            client.v3._ipython_display_


def test_nothing_of_it_is_loaded_before_somebody_asks() -> None:
    program = """
import sys
from wechatpay_chain import Node
node = Node(None, "v3/certificates")
node.post, node.x, str(node), hash(node), node == node
assert not [name for name in sys.modules if name.startswith("wechatpay_chain.cat")]
assert node.operation.title
assert "wechatpay_chain.catalogue" in sys.modules
loaded = sys.modules["wechatpay_chain.catalogue"].store._segment.cache_info()
assert loaded.currsize == 1, loaded
"""
    subprocess.run([sys.executable, "-c", program], check=True)
