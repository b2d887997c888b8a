"""The stubs are what the catalogue says: every endpoint, and nothing besides."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_files import PACKAGE, attributes, forms, homes, methods, module

from wechatpay_chain import Node, _chain, catalogue
from wechatpay_chain._calls import OPTIONS
from wechatpay_chain.catalogue import stubs
from wechatpay_chain.catalogue.model import Operation

OPERATIONS = list(catalogue.operations())

#: Paths that no attribute gives, which item access gives without types.
BY_ITEM = [one for one in OPERATIONS if "[" in one.expression]

#: Keywords of a verb that are no placeholders.
WORDS = {"json", "xml", "params", "files", "path"}


def node_of(operation: Operation) -> ast.ClassDef:
    """The class that the attributes of *operation* lead to."""
    _, version, *names = operation.expression.split(".")
    kind, home = version.capitalize(), f"_tree/{version}"
    place = f"{home}/__init__.pyi"
    for name in names:
        kind = attributes(module(place)[kind])[name]
        if kind not in module(place):
            place = f"{home}/{homes(place)[kind]}"
    return module(place)[kind]


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_stub_of_an_endpoint_has_its_verb_and_placeholders(
    operation: Operation,
) -> None:
    if operation in BY_ITEM:
        assert _chain.attribute(operation.template.rpartition("/")[2]) is None
        return
    verb = operation.method.lower()
    known = forms(node_of(operation))
    for name in (verb, f"{verb}_async"):
        given = known[name].args
        demanded = {
            arg.arg
            for arg, default in zip(given.kwonlyargs, given.kw_defaults)
            if default is None
        }
        assert demanded - WORDS == {*operation.path}
        words = {arg.arg for arg in given.kwonlyargs}
        assert ("json" in words) == (bool(operation.body) and not in_xml(operation))
        assert ("params" in words) == bool(operation.query)
        empty = operation.empty or operation.download
        assert (ast.unparse(known[name].returns) == "Reply[None]") == empty
    assert isinstance(known[f"{verb}_async"], ast.AsyncFunctionDef)
    once, awaited = (ast.dump(known[one].args) for one in (verb, f"{verb}_async"))
    assert once == awaited
    assert operation.title in (ast.get_docstring(known[verb]) or "").replace("'", '"')


def in_xml(operation: Operation) -> bool:
    return operation.version == "v2"


def test_only_these_go_by_item() -> None:
    assert sorted(str(one) for one in BY_ITEM) == [
        "POST v2/secapi/mch/addInstitutionsub",
        "POST v2/secapi/mch/modifyInstitutionsub",
        "POST v2/secapi/mch/queryInstitutionsub",
        "POST v3/applyment4sub/applyment/",
        "POST v3/ecommerce/applyments/",
    ]


def verbs() -> Iterator[str]:
    """Each verb of each node in the stubs."""
    for path in PACKAGE.glob("_tree/*/*.pyi"):
        for node in module(path.relative_to(PACKAGE).as_posix()).values():
            yield from forms(node)


def test_no_node_has_a_verb_that_the_catalogue_lacks() -> None:
    found = [name for name in verbs() if name in ("get", "post", "put", "patch")]
    found += [name for name in verbs() if name == "delete"]
    assert len(found) == len(OPERATIONS) - len(BY_ITEM)
    assert {*verbs()} <= _chain.METHODS | {"__call__"}


def test_calling_a_node_is_for_those_with_a_post_and_a_body() -> None:
    posts = [one for one in OPERATIONS if one.method == "POST" and one.body]
    calls = [name for name in verbs() if name == "__call__"]
    assert len(calls) == len([one for one in posts if one not in BY_ITEM])


def test_paginate_is_for_lists() -> None:
    lists = [
        one
        for one in OPERATIONS
        if one.method == "GET" and (one.paginated or "page_token" in one.query)
    ]
    for name in ("paginate", "paginate_async"):
        assert len([one for one in verbs() if one == name]) == len(lists) > 60


def test_the_options_of_a_typed_verb_are_those_of_any_verb() -> None:
    base = module("_tree/base.pyi")
    known = {*attributes(base["Options"]), *attributes(base["BodyOptions"])}
    assert known | WORDS == OPTIONS


def test_a_typed_node_offers_what_any_node_does() -> None:
    base = module("_tree/base.pyi")["TypedNode"]
    public = {name for name in dir(Node) if not name.startswith("_")}
    assert public - _chain.METHODS <= {*methods(base)}
    assert {"__getitem__", "chain"} <= {*methods(base)}


# What is generated, and when.


def test_the_stubs_are_up_to_date() -> None:
    assert stubs.generate() == stubs.present()


@pytest.mark.parametrize("seed", ["0", "7"])
def test_the_order_of_a_hash_changes_nothing(seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wechatpay_chain.catalogue.stubs", "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_names_what_differs_and_writing_mends_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(stubs, "PACKAGE", tmp_path)
    tree = tmp_path / "_tree/v3"
    assert stubs.main([]) == 0
    assert stubs.main(["--check"]) == 0
    changed, gone = tree / "pay.pyi", tmp_path / "types/v3/refund.pyi"
    changed.write_text(stubs.MARK)
    gone.unlink()
    (tree / "withdrawn.pyi").write_text(stubs.MARK)
    (tree / "by_hand.pyi").write_text("# mine\n")
    assert stubs.main(["--check"]) == 1
    said = capsys.readouterr().err
    for name in ("_tree/v3/pay", "types/v3/refund", "_tree/v3/withdrawn"):
        assert f"{name}.pyi is not what the catalogue says" in said
    assert "by_hand" not in said
    assert stubs.main([]) == 0
    assert stubs.main(["--check"]) == 0
    assert (tree / "by_hand.pyi").exists()
    assert not (tree / "withdrawn.pyi").exists()


def test_an_argument_that_nobody_knows_is_refused() -> None:
    assert stubs.main(["--chek"]) == 2


def test_a_generated_file_says_so_in_its_first_line() -> None:
    by_hand = {"base.pyi"}
    for path in (p for home in stubs.HOMES for p in (PACKAGE / home).rglob("*.pyi")):
        first = path.read_text("utf-8").partition("\n")[0]
        assert (stubs.MARK.strip() == first) == (path.name not in by_hand), path


def test_catalogue_and_stubs_are_small() -> None:
    parts = (PACKAGE / part for part in ("catalogue", "_tree", "types"))
    files = [path for part in parts for path in part.rglob("*") if path.is_file()]
    size = sum(p.stat().st_size for p in files if p.suffix != ".pyc")
    assert size < 6_000_000
