"""The ways in which requests are signed, read and answered: APIv3, and APIv2 beside it.

A dialect turns a request into a :class:`~.routing.Call` for a route, and an answer or a
refusal into a response. What happens between is the same for all.
"""

from __future__ import annotations

from typing import Any, Protocol

from .._messages import Request, Response
from .checks.admission import Admission
from .recording.journal import Exchange
from .refusals import Refusal
from .routing import Answer, Call, Router
from .signatures.authentication import Authenticator
from .signatures.signing import Sealer


class Dialect(Protocol):
    """What the gateway asks of one."""

    def speaks(self, request: Request) -> bool:
        """Whether *request* is of this kind."""
        ...

    def admit(self, exchange: Exchange) -> Call:
        """The authentic, valid call for ``exchange.route``. Raises :class:`Refusal`.

        Notes route and merchant in *exchange* as soon as they are known.
        """
        ...

    def answer(self, exchange: Exchange, answer: Answer) -> Response:
        """The response that carries *answer*."""
        ...

    def refuse(self, exchange: Exchange, refusal: Refusal) -> Response:
        """The response that carries *refusal*."""
        ...


class V3:
    """APIv3: signature in ``Authorization``, JSON, a signed answer."""

    def __init__(
        self,
        authenticator: Authenticator,
        router: Router,
        admission: Admission,
        sealer: Sealer,
    ) -> None:
        self._authenticator = authenticator
        self._router = router
        self._admission = admission
        self._sealer = sealer

    def speaks(self, request: Request) -> bool:
        """Whatever no other dialect speaks, so that every path gets an answer."""
        del request
        return True

    def admit(self, exchange: Exchange) -> Call:
        """Authenticate, route, parse, validate, in that order (protocol section 10)."""
        request = exchange.request
        merchant = self._authenticator.check(request)
        exchange.mchid = merchant.mchid
        exchange.route, path = self._router.find(request.method, request.path)
        return self._admission.admit(merchant, exchange, path)

    def answer(self, exchange: Exchange, answer: Answer) -> Response:
        """A signed response."""
        return self._seal(exchange, answer.status, answer.data)

    def refuse(self, exchange: Exchange, refusal: Refusal) -> Response:
        """The documented shape: code, message, detail."""
        return self._seal(exchange, refusal.status, refusal.body, refusal.number)

    def _seal(
        self, exchange: Exchange, status: int, data: Any, number: int = 0
    ) -> Response:
        route, headers = exchange.route, exchange.request.headers
        return self._sealer.seal(
            status,
            data,
            # The key with which the client asks the answer to be signed.
            wanted=headers.get("Wechatpay-Serial", ""),
            kind="gateway" if route is None else route.kind,
            number=number,
        )
