"""All of the catalogue, endpoint by endpoint: reached, found, explained."""

from __future__ import annotations

import re

import pytest

from wechatpay_chain import WeChatPay, catalogue
from wechatpay_chain.catalogue import Operation

#: Two templates with a placeholder in the same place: a filled path may mean either.
AMBIGUOUS = {
    "v3/apply4subject/applyment/{business_code}/cancel",
    "v3/apply4subject/applyment/{applyment_id}/cancel",
}


def filled(template: str) -> str:
    """*template* with a value in the place of each placeholder."""
    return re.sub(r"\{(\w+)\}", r"X-\1", template)


def test_there_are_1155(every: list[Operation]) -> None:
    assert len(every) == 1155
    assert len({str(operation) for operation in every}) == 1155


def test_each_expression_leads_to_its_template(
    client: WeChatPay, every: list[Operation]
) -> None:
    for operation in every:
        node = eval(operation.expression, {"client": client})
        assert str(node) == operation.template
        assert node == client[operation.template]


def test_each_is_what_its_node_says(client: WeChatPay, every: list[Operation]) -> None:
    for operation in every:
        assert client[operation.template].operations[operation.method] is operation


def test_each_help_names_title_and_path(
    client: WeChatPay, every: list[Operation]
) -> None:
    for operation in every:
        node = client[operation.template]
        for suffix in ("", "_async"):
            verb = getattr(node, operation.method.lower() + suffix)
            lines = verb.__doc__.splitlines()
            assert lines[0] == operation.title
            assert lines[1].strip() == str(operation)
            assert lines[2].strip() == operation.expression


def test_each_help_tells_of_every_parameter_and_document(
    every: list[Operation],
) -> None:
    from wechatpay_chain.catalogue.text import describe

    for operation in every:
        text = describe(operation)
        words = set(re.split(r"[\s*]+", text))
        parts = [operation.path, operation.query, operation.further_headers]
        body = operation.body
        parts += [body.fields] if body is not None and body.fields else []
        for fields in parts:
            assert fields.keys() <= words, operation
        assert {*operation.docs, *operation.errors} <= words, operation


def test_each_is_found_by_its_template(every: list[Operation]) -> None:
    for operation in every:
        assert catalogue.find(operation.method, operation.template) is operation


def test_each_is_found_by_a_filled_path(every: list[Operation]) -> None:
    for operation in every:
        found = catalogue.find(operation.method, filled(operation.template))
        assert found is not None
        if operation.template in AMBIGUOUS:
            assert found.template in AMBIGUOUS
        else:
            assert found is operation


def test_each_lies_below_its_parent(client: WeChatPay, every: list[Operation]) -> None:
    for operation in every:
        parts = operation.template.split("/")
        for at in range(1, len(parts)):
            below = catalogue.children("/".join(parts[:at]))
            assert parts[at] in below, operation


def test_each_is_completed_step_by_step(
    client: WeChatPay, every: list[Operation]
) -> None:
    """By names that dir() offers, and by items where no name gives the segment."""
    from wechatpay_chain import Node

    offered: dict[str, set[str]] = {}
    for operation in every:
        steps = re.findall(r"\.(\w+)|(\[.*?\])", operation.expression)
        node: WeChatPay | Node = client
        for name, item in steps:
            if item:
                assert not isinstance(node, WeChatPay)
                keys = node._ipython_key_completions_()
                node = eval(f"node{item}", {"node": node})
                rest = operation.template.removeprefix(f"{node}")
                assert item[2:-2] + rest in keys
                continue
            names = offered.setdefault(str(node), set(dir(node)))
            assert name in names
            node = getattr(node, name)
        assert str(node) == operation.template


@pytest.mark.parametrize("name", ["operation", "operations"])
def test_no_segment_is_hidden_by_what_a_node_says_of_itself(
    every: list[Operation], name: str
) -> None:
    segments = {part for one in every for part in one.template.split("/")}
    assert name not in segments
