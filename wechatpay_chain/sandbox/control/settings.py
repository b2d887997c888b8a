"""How a gateway goes about things, as plain data: for the control API.

A plan is a word, ``"immediate"``, or a word with what it takes,
``{"after": {"seconds": 60}}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..._shapes import mapping
from ..products.deductions import After, Fails, Manual
from ..products.refund_plans import Abnormal, Closed, Refused

if TYPE_CHECKING:
    from ..gateway import Gateway

#: Plans by the attribute of a gateway that takes them, and by word.
PLANS: dict[str, dict[str, type[Any]]] = {
    "deduction": {"manual": Manual, "after": After, "fails": Fails},
    "refunding": {
        "manual": Manual,
        "after": After,
        "abnormal": Abnormal,
        "closed": Closed,
        "refused": Refused,
    },
}
#: The plan that is a word in Python too.
_IMMEDIATE = "immediate"


def shown(gateway: Gateway) -> dict[str, Any]:
    """The settings of *gateway*."""
    found = {name: _plain(getattr(gateway, name)) for name in PLANS}
    return {**found, "validation": gateway.validation.mode}


def change(gateway: Gateway, given: Mapping[str, Any]) -> None:
    """Set those that are *given*, or none.

    Raises ``ValueError`` for what is no plan.
    """
    plans = {name: _plan(name, value) for name, value in given.items() if name in PLANS}
    if "validation" in given:  # which refuses by itself what it is not
        gateway.validation.mode = given["validation"]
    for name, plan in plans.items():
        setattr(gateway, name, plan)


def _plain(plan: Any) -> Any:
    if isinstance(plan, str):
        return plan
    word = type(plan).__name__.lower()
    given = {name: value for name, value in asdict(plan).items() if value is not None}
    return {word: given} if given else word


def _plan(name: str, value: Any) -> Any:
    if value == _IMMEDIATE:
        return value
    found: Mapping[Any, Any] = mapping(value) or {str(value): {}}
    if len(found) != 1:
        raise ValueError(f'{name}: one plan expected, as in {{"after": ...}}')
    ((word, given),) = found.items()
    known = PLANS[name]
    options = mapping(given)
    if word not in known or options is None:
        words = ", ".join([_IMMEDIATE, *known])
        raise ValueError(f"{name}: one of {words} expected, got {str(value)[:64]}")
    takes = known[word].__dataclass_fields__
    for option in options:
        if option not in takes:
            known_ones = ", ".join(takes) or "nothing"
            raise ValueError(
                f"{name}: {word} takes {known_ones}, and no {str(option)[:64]}"
            )
    try:
        return known[word](**options)
    except ValueError as error:
        raise ValueError(f"{name}: {word}: {error}") from None
