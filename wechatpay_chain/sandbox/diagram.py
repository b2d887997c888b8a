"""``python -m wechatpay_chain.sandbox.diagram PAGE``: state diagrams, from the tables.

A page says where by ``<!-- diagram: orders -->`` and ``<!-- end of diagram -->``. With
``--write`` what stands between is replaced; with ``--check``, the default, a stale
diagram is an error.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .lifecycles import orders as lifecycle
from .lifecycles import permissions as permission_lifecycle
from .lifecycles import trades as trade_lifecycle

_PLACE = re.compile(
    r"(<!-- diagram: (\w+) -->\n)(.*?)(<!-- end of diagram -->)", re.DOTALL
)


def orders() -> str:
    """The life of a PayScore order, as a Mermaid diagram."""
    edges = lifecycle.ORDER.edges(lifecycle.Event.QUERY)
    return _mermaid(edges, lifecycle.State)


def permissions() -> str:
    """The life of an authorisation, as a Mermaid diagram."""
    edges = permission_lifecycle.PERMISSION.edges(
        permission_lifecycle.PermissionEvent.QUERY
    )
    return _mermaid(edges, permission_lifecycle.PermissionState)


def payments() -> str:
    """The life of a payment, as a Mermaid diagram."""
    edges = trade_lifecycle.TRADE.edges(trade_lifecycle.TradeEvent.QUERY)
    return _mermaid(edges, trade_lifecycle.TradeState)


def refunds() -> str:
    """The life of a refund, as a Mermaid diagram."""
    edges = trade_lifecycle.REFUND.edges(trade_lifecycle.RefundEvent.QUERY)
    return _mermaid(edges, trade_lifecycle.RefundState)


_DIAGRAMS: Mapping[str, Callable[[], str]] = {
    "orders": orders,
    "permissions": permissions,
    "payments": payments,
    "refunds": refunds,
}


def _mermaid(edges: Iterable[tuple[Any, Any, str]], states: Iterable[Any]) -> str:
    """One arrow per pair of states, in the order of *states*; what ends goes last."""
    order = [None, *states]
    arrows: dict[tuple[Any, Any], list[str]] = {}
    for before, after, label in edges:
        arrows.setdefault((before, after), []).append(label)
    lines = ["stateDiagram-v2"]
    for before, after in sorted(arrows, key=lambda pair: [*map(order.index, pair)]):
        labels = ", ".join(arrows[before, after])
        lines.append(f"    {before or '[*]'} --> {after}: {labels}")
    going = {before for before, after in arrows if before is not after}
    lines += [f"    {state} --> [*]" for state in order[1:] if state not in going]
    return "\n".join(lines)


def drawn(page: str) -> str:
    """*page*, with its diagrams as the tables have them.

    Raises ``LookupError`` for a diagram that is not known.
    """

    def draw(found: re.Match[str]) -> str:
        diagram = _DIAGRAMS.get(found[2])
        if diagram is None:
            known = ", ".join(_DIAGRAMS)
            raise LookupError(f"no diagram {found[2]!r}; there are {known}")
        return f"{found[1]}\n```mermaid\n{diagram()}\n```\n\n{found[4]}"

    return _PLACE.sub(draw, page)


def _stale(pages: Iterable[Path], *, write: bool) -> Iterator[Path]:
    for page in pages:
        text = page.read_text("utf-8")
        expected = drawn(text)
        if text != expected:
            if write:
                page.write_text(expected, "utf-8")
            yield page


def main(arguments: Sequence[str] | None = None) -> int:
    """Check or write; the status for the shell: 0, or 1 where a page is stale."""
    parser = argparse.ArgumentParser(
        prog="python -m wechatpay_chain.sandbox.diagram",
        description="Keep the state diagrams of a page as the tables have them.",
    )
    parser.add_argument("page", nargs="+", type=Path)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="the default")
    how.add_argument("--write", action="store_true", help="bring the page up to date")
    given = parser.parse_args(arguments)
    try:
        stale = list(_stale(given.page, write=given.write))
    except (LookupError, OSError) as error:
        parser.error(str(error))
    for page in stale:
        said = "rewritten" if given.write else "stale; --write brings it up to date"
        sys.stdout.write(f"{page}: {said}\n")
    return 1 if stale and not given.write else 0


if __name__ == "__main__":
    sys.exit(main())
