"""How values of the catalogue become types, and how the types are named."""

from __future__ import annotations

import ast
import importlib

import pytest
from stub_files import attributes, module

from wechatpay_chain import Node
from wechatpay_chain.catalogue.model import Field
from wechatpay_chain.catalogue.stub_names import of_paths
from wechatpay_chain.catalogue.stub_shapes import Mode, Shapes, note
from wechatpay_chain.types import TypedNode, notifications, v2, v3

TEXT = Field("string")


def source(fields: dict[str, Field], mode: Mode = "request") -> str:
    shapes = Shapes()
    shapes.top(fields, mode, "Top")
    shapes.settle()
    return shapes.source()


@pytest.mark.parametrize(
    ("mode", "value", "kind"),
    [
        ("request", Field("string", enum=("A", "B")), 'Literal["A", "B"]'),
        ("request", Field("integer", enum=(1, 2)), "Literal[1, 2]"),
        ("request", Field("string", enum=("A",), unsure=True), "str"),
        ("request", Field("number", enum=(0.5,)), "float"),
        ("request", Field("boolean"), "bool"),
        ("request", Field("array", items=Field("integer")), "list[int]"),
        ("request", Field("array"), "list[Any]"),
        ("request", Field("object"), "dict[str, Any]"),
        ("request", Field("any"), "Any"),
        ("request", Field("any", options=(TEXT, Field("integer"))), "Any"),
        ("answer", Field("string", enum=("A", "B")), "str"),
        ("answer", Field("integer", enum=(1, 2)), "int"),
        ("query", Field("string", enum=("A",)), 'Literal["A"]'),
        ("xml", TEXT, "str | int"),
        ("xml", Field("integer"), "str | int"),
        ("xml", Field("string", enum=("A",)), 'Literal["A"]'),
        ("xml", Field("integer", enum=(1,)), "Literal[1] | str"),
        ("xml-answer", Field("integer"), "str"),
        ("xml-answer", Field("array", items=TEXT), "str"),
    ],
)
def test_requests_are_strict_and_answers_open(
    mode: Mode, value: Field, kind: str
) -> None:
    assert Shapes().kind(value, mode, "Name") == kind


def test_keys_are_marked_by_what_there_are_fewer_of() -> None:
    needed = Field("string", required=True)
    assert source({"a": needed, "b": TEXT, "c": TEXT}) == (
        "class Top(TypedDict, total=False):\n"
        "    a: Required[str]\n    b: str\n    c: str\n"
    )
    assert source({"a": needed, "b": needed, "c": TEXT}) == (
        "class Top(TypedDict):\n    a: str\n    b: str\n    c: NotRequired[str]\n"
    )


def test_what_one_source_alone_demands_is_optional() -> None:
    unsure = Field("string", required=True, unsure=True)
    assert source({"a": unsure}) == "class Top(TypedDict, total=False):\n    a: str\n"


def test_a_key_that_no_attribute_can_have_is_written_all_the_same() -> None:
    needed = Field("integer", required=True)
    assert source({"from": needed, "to": needed}) == (
        '_Top = TypedDict("_Top", {"from": int})\n\nclass Top(_Top):\n    to: int\n'
    )
    assert source({"from": TEXT}) == (
        '_Top = TypedDict("_Top", {"from": str}, total=False)\n\nTop = _Top\n'
    )


def test_equal_objects_are_one_class_with_the_nearest_name() -> None:
    inner = Field("object", fields={"x": TEXT})
    deep = Field("object", fields={"place": inner})
    text = source({"a_b": inner, "list": Field("array", items=inner), "deep": deep})
    assert text.count("TypedDict, total=False") == 3
    assert "    a_b: TopAB\n    list: list[TopAB]\n    deep: TopDeep\n" in text


def test_an_equal_body_keeps_its_own_name_too() -> None:
    shapes = Shapes()
    shapes.top({"a": TEXT}, "request", "LongerName")
    kind = shapes.top({"a": TEXT}, "request", "Name")
    shapes.settle()
    assert shapes.text(kind, "t.") == "t.Name"
    assert shapes.source().endswith("\nLongerName = Name\n")


def test_one_of_several_objects_takes_the_keys_of_all() -> None:
    one = Field("object", fields={"kind": Field("string", required=True), "x": TEXT})
    two = Field("object", fields={"kind": TEXT, "x": Field("integer")})
    text = source({"either": Field("any", options=(one, two))})
    assert (
        "class TopEither(TypedDict, total=False):\n    kind: str\n    x: Any\n" in text
    )


def test_numbered_keys_are_left_to_item_access() -> None:
    text = source({"coupon_id_$n": TEXT, "coupon_count": TEXT}, "xml-answer")
    assert "$" not in text


def test_a_note_has_label_limits_and_what_answers_are_known() -> None:
    value = Field("string", label="状态", longest=32, enum=("A", "B"))
    assert note(value, "answer") == "状态, up to 32 characters, A | B"
    assert note(value, "request") == "状态, up to 32 characters"
    value = Field("integer", minimum=1, maximum=100, encrypted="rsa-platform")
    assert note(value, "request") == "1..100, encrypted"
    assert '"""' not in note(Field(label='a """ b"'), "request")


def test_paths_that_differ_in_a_mark_only_have_names_of_their_own() -> None:
    paths = [
        "v3/x/policy-periods",
        "v3/x/policy_periods",
        "v3/x/{policy_periods}",
        "v3/x",
    ]
    names = of_paths(paths, "v3/x")
    assert len({*names.values()}) == len(paths)
    assert names["v3/x/policy-periods"] == "PolicyPeriods"
    assert names["v3/x"] == "X"


# What the documents of APIv2 ask for, and what the client adds.


def keys(place: str, name: str) -> dict[str, bool]:
    """The keys of a ``TypedDict`` in the stubs, and whether each is required."""
    node = module(f"types/{place}.pyi")[name]
    total = not any(ast.unparse(one.value) == "False" for one in node.keywords)
    return {
        key: "NotRequired" not in kind if total else "Required" in kind
        for key, kind in attributes(node).items()
    }


def test_of_two_numbers_for_one_order_either_is_enough() -> None:
    found = keys("v2/pay", "RefundqueryPostBody")
    either = ("transaction_id", "out_trade_no", "out_refund_no", "refund_id")
    assert not any(found[name] for name in either)
    refund = keys("v2/secapi", "PayRefundPostBody")
    assert refund["out_refund_no"]
    assert not refund["transaction_id"]


def test_what_the_client_adds_is_optional() -> None:
    found = keys("v2/pay", "UnifiedorderPostBody")
    assert not any(found[name] for name in ("mch_id", "nonce_str", "sign"))
    assert found["total_fee"]
    assert keys("v2/secapi", "PayProfitsharingPostBody")["sign_type"]  # no MD5 there


def test_a_walk_over_pages_sets_offset_and_limit() -> None:
    assert keys("v3/marketing", "FavorStocksGetQuery")["limit"]
    assert not keys("v3/marketing", "FavorStocksGetPages")["limit"]


# At run time a type is what its values are.


def test_the_names_of_types_can_be_used_at_run_time() -> None:
    assert v3.payscore.ServiceorderPostBody is dict
    assert notifications.TransactionSuccess is dict
    assert TypedNode is Node


@pytest.mark.parametrize("name", ["__wrapped__", "lower", "_Private"])
def test_what_is_no_name_of_a_type_is_none(name: str) -> None:
    for home in (v3.payscore, notifications):
        with pytest.raises(AttributeError, match="is not the name of a type"):
            getattr(home, name)


@pytest.mark.parametrize("name", ["_payscore", "payscroe", "__path"])
def test_a_segment_has_the_name_of_a_stub(name: str) -> None:
    with pytest.raises(AttributeError, match="is not the name of a segment"):
        getattr(v3, name)


def test_a_type_can_be_imported_as_editors_write_it() -> None:
    from wechatpay_chain.types.v3.payscore import ServiceorderPostBody

    assert ServiceorderPostBody is dict
    module = importlib.import_module("wechatpay_chain.types.v2.pay")
    assert module is v2.pay
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("wechatpay_chain.types.v3.payscroe")
