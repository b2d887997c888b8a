"""The layer ``check``: is the request what the catalogue says of its endpoint?

What is certain is told as a ``CheckWarning``; ``check="strict"`` refuses all that the
catalogue is sure of. Endpoints that it does not know pass, except for another verb on a
path that it does know and, if strict, a path that is one misspelt segment away.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING, Literal, get_args

from .. import _uri
from .._flow import Flow
from .._messages import Request, Response
from ..errors import CheckError, CheckWarning, Problem

if TYPE_CHECKING:
    from ..catalogue import Operation

#: What the option ``check`` may be.
Mode = Literal["warn", "strict", "off"]
MODES: tuple[Mode, ...] = get_args(Mode)

#: Problems that the text of one error or warning names; ``.problems`` has all.
_NAMED = 20
#: Code between the caller and this layer: ours, and a loop that runs a task.
_BETWEEN = ("wechatpay_chain", "asyncio")


class Checker:
    """Looks at the payload before it is bytes; ``data=`` is the caller's own affair."""

    name = "check"

    def __init__(self, mode: Mode = "warn") -> None:
        self._mode: Mode = mode
        #: Nothing is to be told of an endpoint whose plan is quiet.
        self.by_catalogue: bool = mode != "strict"

    def __call__(self, request: Request) -> Flow[Response]:
        operation = request.operation
        if self._mode != "off":
            if operation is None:
                _look_up(request, self._mode)
            elif self._mode == "strict":
                _refuse(request, operation)
            elif not operation.plan.is_sound(request.template, request.payload):
                _tell(
                    request,
                    operation.plan.certain(request.template, request.payload),
                )
        response: Response = yield request
        return response


def _look_up(request: Request, mode: Mode) -> None:
    """Look for what was meant by a call that the catalogue does not know."""
    from ..catalogue.nearest import misspelt, wrong_verb  # not with each program

    path = _uri.from_root(request.base_url, request.template.partition("?")[0])
    problem = wrong_verb(request.method, path)
    if problem is None and mode == "strict":
        problem = misspelt(path)
    if problem is None:
        return
    if mode == "strict":
        raise CheckError(_text(request, [problem]), problems=[problem])
    _tell(request, [problem])


def _refuse(request: Request, operation: Operation) -> None:
    """Raise ``CheckError`` for what is sure, and warn of the rest."""
    findings = list(operation.plan.findings(request))
    problems = [finding.problem for finding in findings if finding.sure]
    if problems:
        raise CheckError(_text(request, problems), problems=problems)
    _tell(request, [finding.problem for finding in findings])


def _tell(request: Request, problems: list[Problem]) -> None:
    """Warn of *problems* at the line that made the call."""
    if problems:
        warnings.warn(_text(request, problems), CheckWarning, stacklevel=_distance())


def _text(request: Request, problems: list[Problem]) -> str:
    named = "; ".join(map(str, problems[:_NAMED]))
    more = len(problems) - _NAMED
    rest = f"; and {more} more" if more > 0 else ""
    return f"{request.label}: {named}{rest}"


def _distance() -> int:
    """How many frames out from :func:`_tell` the line stands that made the call.

    A guest of ``@around`` stands between it and here, so that the first line that is
    not ours need not be it: only outside of the verb that line is looked for.
    """
    frames = [*_frames(sys._getframe(1))]
    names = [frame.f_globals.get("__name__", "") for frame in frames]
    verb = next((at for at, name in enumerate(names) if name == _CLIENT), 0)
    outside = (at for at in range(verb, len(names)) if _is_outside(names[at]))
    return next(outside, len(names) - 1) + 1


def _is_outside(module: str) -> bool:
    return module.partition(".")[0] not in _BETWEEN


#: Where every call comes through, sync and async.
_CLIENT = "wechatpay_chain.client"


def _frames(frame: FrameType | None) -> Iterable[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
