"""The layer ``raise_errors``: an error answer becomes an ``APIError``.

Outermost, so that a user's layer still sees the response (protocol section 10).
"""

from __future__ import annotations

from .._flow import Flow, read
from .._messages import Request, Response
from .._shapes import mapping
from ..errors import APIError, Outcome
from . import json_body
from .account import Account


class Raiser:
    """Raises for every status that is not 2xx.

    *account* is what the client is set to: a 401 is explained by it.
    """

    name = "raise_errors"

    def __init__(self, account: Account | None = None) -> None:
        self._account = account

    def __call__(self, request: Request) -> Flow[Response]:
        response: Response = yield request
        if response.ok:
            return response
        yield from read(response)  # unread where there is no layer ``decode``
        raise api_error(request, response, self._account)


def api_error(
    request: Request, response: Response, account: Account | None = None
) -> APIError:
    """The error that an answer stands for; an HTML or empty page still gives one."""
    status = response.status_code
    data = mapping(response.data) or {}
    message = data.get("message")
    code = data.get("code")
    return APIError.for_status(status)(
        message if isinstance(message, str) else _summary(response),
        status_code=status,
        code=code if isinstance(code, str) else None,
        detail=data.get("detail"),
        request_id=response.request_id,
        response=response,
        explanation=_explanation(response, account) if status == 401 else None,
        request=request.sent(),
        outcome=outcome(status, code if isinstance(code, str) else None),
    )


def _explanation(response: Response, account: Account | None) -> str | None:
    from .explaining import explain  # a table of mistakes that most clients never need

    return explain(response, account)


#: Codes that leave open whether it was done, whatever the status: the documents say to
#: query, or to repeat under the same number (sections 10 and 16). APIv2 says
#: ``PROCESSING`` of a red packet (现金红包) that is still on its way.
UNSURE = ("SYSTEM_ERROR", "BANK_ERROR", "USERPAYING", "BIZERR_NEED_RETRY", "PROCESSING")


def outcome(status: int, code: str | None) -> Outcome:
    """What an error answer says of the operation.

    A 4xx with WeChat's own code says that nothing was done. A 5xx, a redirect, and a
    page without a code, which a proxy may have written, say nothing.
    """
    if not 400 <= status < 500 or code is None:
        return "unknown"
    return "unknown" if APIError(code=code).is_code(*UNSURE) else "refused"


def says_refused(response: Response) -> bool:
    """Whether an answer, as it came, says that nothing was done; unread it does not."""
    data = mapping(json_body.lenient(response.body.content or b"")) or {}
    code = data.get("code")
    known = code if isinstance(code, str) else None
    return outcome(response.status_code, known) == "refused"


def _summary(response: Response) -> str:
    """What to say of a page without ``code`` and ``message``."""
    if 300 <= response.status_code < 400:
        return "a redirect, which a signed request never follows"
    kind = response.headers.get("Content-Type", "no content type")
    return f"{len(response.content)} bytes of {kind.partition(';')[0]}, no error code"
