"""The public surface: what it names, that it is documented, that its examples run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any, get_origin

import pytest

import wechatpay_chain

#: Imported by name, for the decorator ``middleware`` hides the package ``middleware``.
SURFACES = [
    importlib.import_module(f"wechatpay_chain{name}")
    for name in (
        "",
        ".crypto",
        ".errors",
        ".middleware",
        ".notifications",
        ".stores",
        ".transports",
    )
]

#: Parts that are loaded with an extra; their own tests run their examples.
OPTIONAL = ("wechatpay_chain.cli", "wechatpay_chain.contrib", "wechatpay_chain.sandbox")


def ours(module: ModuleType, name: str) -> bool:
    value = getattr(module, name)
    home = getattr(value, "__module__", "") or ""
    return not inspect.ismodule(value) and home.startswith("wechatpay_chain")


def modules() -> Iterator[str]:
    yield "wechatpay_chain"
    for found in pkgutil.walk_packages(wechatpay_chain.__path__, "wechatpay_chain."):
        if not found.name.startswith(OPTIONAL) and not found.name.endswith("__main__"):
            yield found.name


@pytest.mark.parametrize("module", SURFACES, ids=lambda module: module.__name__)
def test_all_is_sorted_and_complete(module: ModuleType) -> None:
    names = list(module.__all__)
    assert names == sorted(set(names), key=lambda name: (not name.isupper(), name))
    public = {name for name in vars(module) if name[0] != "_" and ours(module, name)}
    assert public <= set(names)
    for name in names:
        assert hasattr(module, name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'WeChatPai'"):
        wechatpay_chain.WeChatPai


def test_the_exceptions_are_exported_twice() -> None:
    errors = set(importlib.import_module("wechatpay_chain.errors").__all__)
    assert errors <= set(wechatpay_chain.__all__)


def documented() -> Iterator[tuple[str, Any]]:
    """Every public class and function, and the public members of each class."""
    for module in SURFACES:
        for name in module.__all__:
            value = getattr(module, name)
            if get_origin(value) is not None:
                continue  # an alias of types, which Python 3.10 takes for a class
            if inspect.isclass(value) or inspect.isroutine(value):
                yield f"{module.__name__}.{name}", value
            if inspect.isclass(value):
                for member in members(value):
                    yield f"{module.__name__}.{name}.{member}", getattr(value, member)


def members(value: type) -> list[str]:
    """The public methods and properties that *value* itself defines."""
    kinds = (FunctionType, property, classmethod, staticmethod)
    return [
        name
        for name, found in vars(value).items()
        if name[0] != "_" and isinstance(found, kinds)
    ]


def test_every_public_name_has_a_docstring() -> None:
    missing = [name for name, value in documented() if not inspect.getdoc(value)]
    assert missing == []


@pytest.mark.parametrize("name", sorted(modules()))
def test_every_module_says_what_lives_in_it(name: str) -> None:
    assert (importlib.import_module(name).__doc__ or "").strip()


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    homes = map(importlib.import_module, modules())
    return [test for home in homes for test in finder.find(home) if test.examples]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_the_examples_of_the_docstrings_run(example: doctest.DocTest) -> None:
    said: list[str] = []
    doctest.DocTestRunner().run(example, out=said.append)
    assert said == []


def test_there_are_examples() -> None:
    assert len(examples()) > 10


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert wechatpay_chain.__version__ == version("wechatpay-chain")
