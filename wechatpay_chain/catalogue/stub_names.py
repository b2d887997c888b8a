"""Names of generated classes: derived from path and verb, so that they stay."""

from __future__ import annotations

import re
from collections.abc import Iterable
from keyword import iskeyword

_WORD = re.compile(r"[-_. {}]+")


def camel(text: str) -> str:
    """*text* as part of a class name.

    >>> camel("out-trade-no"), camel("{out_trade_no}"), camel("serviceorder")
    ('OutTradeNo', 'OutTradeNo', 'Serviceorder')
    """
    return "".join(word[:1].upper() + word[1:] for word in _WORD.split(text))


def module(segment: str) -> str:
    """The module that holds what is below *segment*.

    >>> module("fund-app"), module("global")
    ('fund_app', 'global_')
    """
    name = segment.replace("-", "_")
    return f"{name}_" if iskeyword(name) else name


def shorten(parts: list[str]) -> str:
    """The words of a path, less a placeholder that repeats the word before it.

    >>> shorten(["transactions", "out-trade-no", "{out_trade_no}", "close"])
    'TransactionsOutTradeNoClose'
    """
    words: list[str] = []
    for part in parts:
        word = camel(part)
        if not (part.startswith("{") and words and words[-1] == word):
            words.append(word)
    return "".join(words)


class Names:
    """Hands out names, each to one thing only."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*taken}

    def take(self, *wanted: str) -> str:
        """The first of *wanted* that is free, or the last one with a number."""
        numbered = (f"{wanted[-1]}{number}" for number in range(2, 1000))
        name = next(n for n in (*wanted, *numbered) if n not in self._taken)
        self._taken.add(name)
        return name


def of_paths(templates: Iterable[str], root: str) -> dict[str, str]:
    """A name for each template below *root*, ``v3/payscore``.

    Paths that differ in a hyphen or a repeated placeholder only are told apart by
    their full text.
    """
    names = Names()
    out: dict[str, str] = {}
    for template in sorted(templates):
        below = template.removeprefix(root).strip("/")
        parts = below.split("/") if below else [root.rpartition("/")[2]]
        full = "_".join(part.strip("{}").replace("-", "") for part in parts)
        out[template] = names.take(
            shorten(parts), "".join(map(camel, parts)), full[:1].upper() + full[1:]
        )
    return out
