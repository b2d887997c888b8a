"""``python -m wechatpay_chain.sandbox.coverage``: how every endpoint is answered.

Prints the page docs/sandbox-coverage.md; ``--write`` writes it, ``--check`` says
whether it is up to date.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from .. import catalogue
from ..catalogue.model import Operation
from .gateway import Gateway
from .routing import VERSIONS

#: The page, from the root of the project.
PAGE = Path("docs", "sandbox-coverage.md")

_HEAD = """\
# What the sandbox answers

Every endpoint that the [catalogue](catalogue.md) knows, {total} of them, has
an answer in the [sandbox](sandbox.md).

```python
from wechatpay_chain.sandbox import Gateway

client = Gateway(seed=1).client()
reply = client.v3.marketing.favor.stocks._stock_id_.get(
    {{"stock_creator_mchid": "1900000001"}}, stock_id="STOCK-1"
)
assert reply.verified and reply["stock_id"] == "STOCK-1"
assert reply.headers["Wechatpay-Sandbox"] == "example"
```

| kind | endpoints | |
| --- | --- | --- |
| stateful | {stateful} | behaves: what one call does, the next one sees |
| example | {example} | checks the request, answers an example with its numbers |

This page is made by `python -m wechatpay_chain.sandbox.coverage --write`.
"""


class Line(NamedTuple):
    """One endpoint and how it is answered."""

    operation: Operation
    kind: str

    @property
    def segment(self) -> str:
        """The first segments of its path: ``v3/payscore``."""
        parts = self.operation.template.split("/")
        return "/".join(parts[: 3 if parts[0] == "hk" else 2])

    def __str__(self) -> str:
        operation = self.operation
        path = f"`{operation.method} /{operation.template}`"
        return f"| {path} | {operation.title.replace('|', '/')} | {self.kind} |"


def lines(gateway: Gateway | None = None) -> list[Line]:
    """Every endpoint of the catalogue, as *gateway* answers it.

    >>> {line.kind for line in lines()} == {"stateful", "example"}
    True
    """
    router = (gateway or Gateway(seed=1)).router
    return [
        Line(operation, router.of(operation).kind)
        for version in VERSIONS
        for operation in catalogue.operations(version)
    ]


def page() -> str:
    """The text of the page."""
    found = lines()
    stateful = sum(line.kind == "stateful" for line in found)
    counts = {"stateful": stateful, "example": len(found) - stateful}
    return "\n".join([_HEAD.format(total=len(found), **counts), *_tables(found)])


def _tables(found: list[Line]) -> Iterator[str]:
    ordered = sorted(found, key=lambda line: line.operation.template)
    for segment, group in groupby(ordered, key=lambda line: line.segment):
        yield f"## {segment}\n"
        yield "| endpoint | | kind |\n| --- | --- | --- |"
        yield from map(str, group)
        yield ""


def main(arguments: list[str] | None = None) -> int:
    """Print, write or check the page; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m wechatpay_chain.sandbox.coverage",
        description="How the sandbox answers each endpoint, as a page.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help=f"write {PAGE}")
    what.add_argument("--check", action="store_true", help=f"is {PAGE} up to date?")
    given = parser.parse_args(arguments)
    text = page()
    if given.write:
        PAGE.write_text(text, "utf-8")
    elif not given.check:
        sys.stdout.write(text)
    elif not PAGE.exists() or PAGE.read_text("utf-8") != text:
        sys.stderr.write(f"{PAGE} is stale: {parser.prog} --write makes it anew\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
