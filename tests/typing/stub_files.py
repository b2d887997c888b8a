"""Reading stubs: their classes, what these hold, and where they come from."""

from __future__ import annotations

import ast
from copy import deepcopy
from functools import cache
from pathlib import Path

import wechatpay_chain

PACKAGE = Path(wechatpay_chain.__file__).parent


@cache
def module(place: str) -> dict[str, ast.ClassDef]:
    """The classes of a stub."""
    body = ast.parse((PACKAGE / place).read_text("utf-8")).body
    return {one.name: one for one in body if isinstance(one, ast.ClassDef)}


@cache
def homes(place: str) -> dict[str, str]:
    """Where a stub imports its classes from, by name."""
    found = ast.walk(ast.parse((PACKAGE / place).read_text("utf-8")))
    return {
        alias.name: f"{one.module}.pyi"
        for one in found
        if isinstance(one, ast.ImportFrom) and one.level == 1
        for alias in one.names
    }


@cache
def attributes(node: ast.ClassDef) -> dict[str, str]:
    """The annotated attributes of a class, as text."""
    return {
        one.target.id: ast.unparse(one.annotation)
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }


def methods(node: ast.ClassDef) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {one.name: one for one in node.body if isinstance(one, kinds)}


def forms(node: ast.ClassDef) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The methods of a node with those of its generic bases, as they are for it."""
    out = methods(node)
    for given in node.bases:
        if isinstance(given, ast.Subscript):
            base = module("_tree/base.pyi")[ast.unparse(given.value)]
            (generic,) = (one for one in base.bases if isinstance(one, ast.Subscript))
            filled = dict(zip(names(generic), parts(given)))
            for name, method in methods(base).items():
                assert name not in out, (node.name, name)
                out[name] = Filled(filled).visit(deepcopy(method))
    return out


def parts(subscript: ast.Subscript) -> list[ast.expr]:
    inner = subscript.slice
    return inner.elts if isinstance(inner, ast.Tuple) else [inner]


def names(subscript: ast.Subscript) -> list[str]:
    return [ast.unparse(part) for part in parts(subscript)]


class Filled(ast.NodeTransformer):
    """Puts types in the places of type variables."""

    def __init__(self, types: dict[str, ast.expr]) -> None:
        self._types = types

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._types.get(node.id, node)
