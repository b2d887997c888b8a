"""Where operations are found: by template, by filled path, by segment; lazily."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wechatpay_chain import catalogue
from wechatpay_chain.catalogue import Operation
from wechatpay_chain.catalogue.notation import NotationError
from wechatpay_chain.catalogue.store import Segment, definition, segment

OPERATIONS = list(catalogue.operations())
AMBIGUOUS = re.compile(r"v3/apply4subject/applyment/\{\w+\}/cancel")
#: What no literal segment of the catalogue is made of.
FILLS = st.text("0123456789ABCDEF-_*|@%~中", min_size=1, max_size=32).filter(
    lambda text: not text.islower() or not text.isascii()
)


@given(operation=st.sampled_from(OPERATIONS), data=st.data())
def test_any_filled_path_finds_its_endpoint(
    operation: Operation, data: st.DataObject
) -> None:
    path = re.sub(r"\{\w+\}", lambda _: data.draw(FILLS), operation.template)
    found = catalogue.find(operation.method, path)
    if AMBIGUOUS.fullmatch(operation.template):
        assert found is not None
        assert AMBIGUOUS.fullmatch(found.template)
    else:
        assert found is operation
    assert catalogue.at(path)[operation.method] is found


@pytest.mark.parametrize(
    "path",
    [
        "",
        "v3",
        "v3/",
        "v3/payscore",
        "v3/payscore/serviceorder/",
        "v3/payscore/serviceorder//cancel",
        "v3/payscore/serviceorder/{other}/cancel",
        "v3/payscore/serviceorder/x/cancel/y",
        "v3/tomorrow",
        "v9/payscore/serviceorder",
        "hk/v3/payscore/serviceorder",
        "hk/payscore",
        "../v3/payscore",
        "{+url}",
        "https://api.mch.weixin.qq.com/v3/certificates",
    ],
)
def test_what_is_no_path_of_an_endpoint_finds_nothing(path: str) -> None:
    assert catalogue.find("POST", path) is None
    assert catalogue.at(path) == {}


def test_the_method_is_part_of_the_question() -> None:
    path = "v3/payscore/serviceorder/{out_order_no}/cancel"
    assert catalogue.find("GET", path) is None
    assert catalogue.find("POST", path) is not None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "v3/pay/transactions/native"),
        ("POST", "/v3/pay/transactions/native"),
        ("Post", "/v3/pay/transactions/native?x=1"),
    ],
)
def test_case_a_slash_in_front_and_a_query_do_not_matter(
    method: str, path: str
) -> None:
    native = catalogue.find("POST", "v3/pay/transactions/native")
    assert native is not None
    assert catalogue.find(method, path) is native
    assert catalogue.at(path)["POST"] is native


def test_a_literal_segment_is_preferred_to_a_placeholder() -> None:
    data = {
        f"GET v3/x/{path}": {"title": path, "answers": {"204": None}}
        for path in ("{id}/a", "all/b", "all", "{id}")
    }
    found = Segment(data)
    for path, title in (
        ("v3/x/all", "all"),
        ("v3/x/1", "{id}"),
        ("v3/x/all/b", "all/b"),
        ("v3/x/all/a", "{id}/a"),  # nothing below all: the placeholder after all
    ):
        operation = found.find("GET", path)
        assert operation is not None
        assert operation.title == title


def test_children_are_the_segments_that_may_follow() -> None:
    assert catalogue.children("") == ["v3", "v2", "hk"]
    assert catalogue.children("hk") == ["v3"]
    assert "transactions" in catalogue.children("hk/v3")
    assert "payscore" in catalogue.children("v3")
    assert catalogue.children("v3/pay/transactions/out-trade-no") == ["{out_trade_no}"]
    assert catalogue.children("v3/tomorrow/x") == []
    assert catalogue.children("v9") == []


def test_templates_are_those_at_and_below() -> None:
    assert len(catalogue.templates()) == len({one.template for one in OPERATIONS})
    assert len(catalogue.templates("v3")) > 800
    assert catalogue.templates("hk") == catalogue.templates("hk/v3")
    below = catalogue.templates("v3/payscore/serviceorder")
    assert "v3/payscore/serviceorder" in below
    assert "v3/payscore/serviceorder/{out_order_no}/cancel" in below
    assert all(one.startswith("v3/payscore/serviceorder") for one in below)
    assert catalogue.templates("v3/payscore/serv") == []
    assert catalogue.templates("v9") == catalogue.templates("v3/tomorrow") == []


def test_operations_may_be_those_of_one_version_or_segment() -> None:
    counts = {name: len(list(catalogue.operations(name))) for name in ("v3", "v2")}
    assert counts == {"v3": 998, "v2": 136}
    assert {one.template for one in catalogue.operations("v3", "certificates")} == {
        "v3/certificates"
    }
    assert list(catalogue.operations("v3", "tomorrow")) == []
    assert list(catalogue.operations("v9")) == []


def test_an_operation_is_made_once() -> None:
    first, again = (catalogue.find("GET", "v3/certificates") for _ in range(2))
    assert first is again


def test_unknown_versions_take_no_memory() -> None:
    from wechatpay_chain.catalogue import store

    before = store._segments.cache_info().currsize
    for at in range(50):
        assert catalogue.find("GET", f"v{at + 4}/x/y") is None
    assert store._segments.cache_info().currsize == before


def test_a_definition_that_is_not_there_is_named() -> None:
    with pytest.raises(NotationError, match="@Nobody is not in definitions"):
        definition("Nobody")


def test_a_segment_knows_how_many_it_has() -> None:
    found = segment("v3", "certificates")
    assert found is not None
    assert len(found) == len(list(found)) == 1
    assert segment("v3", "nothing") is None


def test_only_the_segment_that_is_asked_for_is_loaded() -> None:
    program = """
from wechatpay_chain.catalogue import find, store
assert store._segment.cache_info().currsize == 0
assert find("GET", "v3/certificates").title
assert store._segment.cache_info().currsize == 1
assert store.definitions.cache_info().currsize == 0
"""
    subprocess.run([sys.executable, "-c", program], check=True)


class TestMessages:
    def test_are_there_by_event_type(self) -> None:
        paid = catalogue.messages()["TRANSACTION.SUCCESS"]
        assert paid.resource is not None
        assert "out_trade_no" in (paid.resource.fields or {})
        moved = [one for one in catalogue.messages().values() if one.moved_to]
        assert len(catalogue.messages()) == 104 + len(moved)
        assert len(catalogue.xml_messages()) == 10

    def test_come_in_one_envelope(self) -> None:
        fields = catalogue.envelope().fields or {}
        assert fields["resource"].fields is not None
        assert fields["resource"].fields["ciphertext"].encrypted == "aes-gcm"

    def test_moved_ones_lead_to_another(self) -> None:
        known = catalogue.messages()
        moved = [one.moved_to for one in known.values() if one.moved_to]
        assert moved
        assert {*moved} <= known.keys()
