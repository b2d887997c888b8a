"""Fields that stand for each other: of which at least, or exactly, one is needed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import Problem
from .model import Field, Operation
from .schema import Finding
from .values import Fault

#: Numbers of which one may do where the documents of APIv2 require several, and those
#: that stand for each other.
_EITHER_OR = re.compile(
    r"(?:out|sub)_\w+_no|\w*(?:transaction|refund|order|query|contract)_id|(?:sub_)?openid"
)
_PARTNERS = {
    "transaction_id": "out_trade_no",
    "refund_id": "out_refund_no",
    "openid": "sub_openid",
}
_PARTNERS.update({other: name for name, other in _PARTNERS.items()})


def softened(
    found: Iterable[Finding], fields: Mapping[str, Field], given: Mapping[Any, Any]
) -> Iterator[Finding]:
    """The findings of APIv2: one of two numbers that are called required may do."""
    for finding in found:
        name, rule, _, _ = finding.problem
        if rule != "required" or not _has_others(name, fields):
            yield finding
        elif _PARTNERS.get(name) not in given:
            yield finding._replace(sure=False)


def _has_others(name: str, fields: Mapping[str, Field]) -> bool:
    """Whether *name* is a number for which another one of *fields* may stand."""
    if not _EITHER_OR.fullmatch(name):
        return False
    others = (one for one, field in fields.items() if field.required and one != name)
    return any(_EITHER_OR.fullmatch(one) for one in others)


def unmet(
    operation: Operation, given: Mapping[Any, Any], *, query: bool
) -> Iterator[Problem]:
    """What is wrong with the choice among *given*: the body, or the query."""
    mark = "?" if query else ""
    for group in (*operation.any_of, *operation.one_of):
        if _in_query(operation, group) != query:
            continue
        chosen = [name for name in group if given.get(name) not in (None, "")]
        wanted = " or ".join(map(repr, group))
        if not chosen:
            yield Problem(f"{mark}{group[0]}", "required", "neither", wanted)
        elif len(chosen) > 1 and group in operation.one_of:
            both = " and ".join(map(repr, chosen))
            yield Problem(f"{mark}{chosen[1]}", "choice", both, f"either {wanted}")


def described(operation: Operation) -> Iterator[str]:
    """What the help says of each group.

    >>> from wechatpay_chain.catalogue import find
    >>> list(described(find("POST", "v3/refund/domestic/refunds")))
    ['transaction_id or out_trade_no is needed']
    """
    for group in operation.any_of:
        yield f"{' or '.join(group)} is needed"
    for group in operation.one_of:
        yield f"exactly one of {', '.join(group)} is needed"


def misplaced(operation: Operation) -> Iterator[Fault]:
    """What is wrong with the data: a choice is among optional fields of one place."""
    body = (operation.body and operation.body.fields) or {}
    for key in ("any_of", "one_of"):
        for group in getattr(operation, key):
            fields = operation.query if _in_query(operation, group) else body
            found = [fields[name] for name in group if name in fields]
            if len(group) < 2 or len(found) < len(group):
                yield Fault(key, f"{', '.join(group)} are not fields of one place")
            elif any(field.required for field in found):
                yield Fault(key, f"{', '.join(group)} are not all optional")


def _in_query(operation: Operation, group: tuple[str, ...]) -> bool:
    return group[0] in operation.query
