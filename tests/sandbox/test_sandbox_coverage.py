"""Every operation of the catalogue has an answer, and the page lists them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from every_call import call

from wechatpay_chain import APIError, catalogue
from wechatpay_chain.catalogue import Operation
from wechatpay_chain.catalogue.schema import check_value
from wechatpay_chain.sandbox import Gateway, coverage
from wechatpay_chain.sandbox.routing import Route

SEGMENTS = [
    (version, segment)
    for version in ("v3", "hk")
    for segment in catalogue.segments(version)
]


class WithoutProducts(Gateway):
    """Answers everything by example."""

    def _routes(self) -> Iterator[Route]:
        return iter(())


@pytest.fixture(scope="module")
def bare() -> Any:
    return WithoutProducts(seed=1).client(check="off", retry=1)


@pytest.mark.parametrize(("version", "segment"), SEGMENTS)
def test_every_operation_answers_a_verified_example_of_its_schema(
    bare: Any, version: str, segment: str
) -> None:
    for operation in catalogue.operations(version, segment):
        reply = call(bare, operation)
        assert reply.headers["Wechatpay-Sandbox"] == "example"
        unsigned = operation.download and "statements" not in operation.template
        assert reply.verified is not unsigned, operation
        expected = operation.answers[reply.status_code]
        if expected is None or expected.type == "file":
            assert reply.data is None, operation
        else:
            assert [*check_value(expected, reply.data, "")] == [], operation


def problems(client: Any, operation: Operation) -> list[tuple[str, str]]:
    """Place and rule of what a product and the catalogue do not agree on."""
    try:
        reply = call(client, operation)
    except APIError as error:
        # There is no such order, say, or a product asks for more.
        sandbox = error.detail["sandbox"]
        return [
            (one["field"], one.get("rule", ""))
            for one in sandbox.get("problems", ())
            if one.get("rule") in ("unknown", "type", "length")
        ]
    expected = operation.answers[reply.status_code]
    if expected is None or expected.type == "file":
        return []
    found = check_value(expected, reply.data, "")
    # An order that is not paid yet lacks what the documents list for one that is.
    return [one.problem[:2] for one in found if one.problem.rule != "required"]


def test_a_product_and_the_catalogue_agree_on_names_and_types() -> None:
    disputed = {
        str(operation): found
        for operation, kind in coverage.lines()
        if kind == "stateful" and operation.version != "v2"
        for found in [
            problems(
                Gateway(seed=1, mode="migrating").client(check="off", retry=1),
                operation,
            )
        ]
        if found
    }
    assert disputed == {}


def test_the_page_is_fresh(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert coverage.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_page_is_told_and_made_anew(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    assert coverage.main(["--check"]) == 1
    assert "--write" in capsys.readouterr().err
    assert coverage.main(["--write"]) == 0
    assert coverage.main(["--check"]) == 0
    assert coverage.main([]) == 0
    assert capsys.readouterr().out == coverage.PAGE.read_text("utf-8")


def test_the_page_lists_every_endpoint_once() -> None:
    rows = [row for row in coverage.page().splitlines() if row.startswith("| `")]
    endpoints = [row.split("`")[1] for row in rows]
    assert len(endpoints) == len(set(endpoints)) > 1000
    assert {row.rstrip(" |").rpartition("| ")[2] for row in rows} == {
        "stateful",
        "example",
    }
