"""The names by which programs annotate what a call takes and gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..model import Operation
from ..stub_calls import call
from ..stub_names import module, of_paths
from ..stub_shapes import Shapes


@dataclass(frozen=True)
class Typed:
    """The types of one operation; ``""`` where there is none."""

    #: The import that the names need.
    source: str
    body: str
    query: str
    data: str


def typed(
    operations: Iterable[Operation], version: str, segment: str
) -> Mapping[str, Typed]:
    """The types of all *operations* of one segment, by ``str(operation)``.

    They are those that the stubs have: the same program names them.
    """
    found = list(operations)
    root = f"{'hk/v3' if version == 'hk' else version}/{segment}"
    names = of_paths({one.template for one in found}, root)
    shapes = Shapes()
    calls = [call(one, shapes, names[one.template]) for one in found]
    shapes.settle()
    prefix = f"{module(segment)}."
    source = f"from wechatpay_chain.types.{version} import {module(segment)}"

    def text(kind: str) -> str:
        return shapes.text(kind, prefix)

    return {
        str(one.operation): Typed(
            source, text(one.body), text(one.query), text(one.data)
        )
        for one in calls
    }
