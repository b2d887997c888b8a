"""How strictly the rules of the documents are taken: all, none, or all but some.

The catalogue is made from documents, and documents err. What an endpoint's behaviour
rests on stays required in every mode.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..refusals import Problem
from . import given

if TYPE_CHECKING:
    from ..routing import Router

#: What can be wrong with a value, by name.
RULES = (
    *("required", "unknown", "type", "null", "enum", "range", "length", "items"),
    *("pattern", "repeated", "placeholder", "encrypted", "url", "file", "body"),
)
MODES = ("strict", "warn", "off")

#: What a stateful endpoint can do without.
_NEEDLESS = frozenset(
    {"unknown", "length", "placeholder", "encrypted", "url", "file", "body"}
)
_INDEX = re.compile(r"/[0-9]+(?=/|$)")


class Validation:
    """What becomes of a problem: it refuses the request, is noted, or is let pass.

    - ``"strict"``: it refuses, where the documents agree; else it is noted.
    - ``"warn"``: it is noted, in :attr:`~.journal.Exchange.notes`.
    - ``"off"``: it is let pass.

    What is no JSON, and what a stateful endpoint cannot work with, refuses always.
    """

    def __init__(self, mode: str, router: Router) -> None:
        self._router = router
        self._silenced: set[tuple[str, str, str]] = set()
        self.mode = mode

    @property
    def mode(self) -> str:
        """``"strict"``, ``"warn"`` or ``"off"``; may be set at any time."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        given.one_of("validation", mode, MODES)
        self._mode = mode

    def silence(self, endpoint: str, field: str, rule: str) -> None:
        """Let one rule pass: ``silence("POST /v3/...", "/amount/total", "range")``.

        *field* is as a problem names it, ``*`` stands for the number of an item. Raises
        ``LookupError`` for an endpoint, and ``ValueError`` for a rule, that there is
        not, or that the endpoint cannot work without.
        """
        method, _, template = endpoint.partition(" ")
        route = self._router.route(method, template)
        if rule not in RULES:
            raise ValueError(f"rule: one of {', '.join(RULES)} expected, got {rule!r}")
        if route.kind == "stateful" and rule not in _NEEDLESS:
            raise ValueError(f"{endpoint} is stateful and needs {rule!r} to hold")
        self._silenced.add((endpoint, field, rule))

    def verdict(self, endpoint: str, problem: Problem, *, stateful: bool) -> str:
        """``"refuse"``, ``"note"`` or ``"pass"``."""
        rule = problem.rule
        if not rule or (stateful and problem.sure and rule not in _NEEDLESS):
            return "refuse"
        places = {problem.field, _INDEX.sub("/*", problem.field)}
        if self._mode == "off" or any(
            (endpoint, place, rule) in self._silenced for place in places
        ):
            return "pass"
        return "refuse" if self._mode == "strict" and problem.sure else "note"

    def __repr__(self) -> str:
        return f"<Validation {self.mode}, {len(self._silenced)} silenced>"
