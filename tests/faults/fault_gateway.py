"""A gateway that fails, and remembers what it did for which call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from deck import Deck

from wechatpay_chain import Headers, Request, Response, crypto
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.faults.lines import Played
from wechatpay_chain.sandbox.lifecycles.orders import Event
from wechatpay_chain.sandbox.signatures.keys import KeySet

#: The header by which the client side names each of its calls.
CALL = "X-Campaign-Call"
#: The header by which the gateway asks the proxy to lose an answer.
LOSE = "X-Campaign-Lose"

#: What takes the place of the answer, with and without the work being done.
CARDS = {
    "429": 3,
    "500 before": 2,
    "500 after": 2,
    "page before": 2,
    "page after": 2,
    "probe": 3,
    "lost": 3,
}
#: Of so many answers.
SIZE = 300
_PAGES = (502, 503, 504)
_PROBE = "WECHATPAY/SIGNTEST/"


class FaultyGateway(Gateway):
    """Answers, fails by its *deck*, and keeps a record of what each call has done."""

    def __init__(self, deck: Deck, clock: Callable[[], float]) -> None:
        self._pairs = KeySet.shared()
        super().__init__(mode="migrating", clock=clock, keys=self._pairs)
        self.deck = deck
        #: The platform certificate that the ring of every client holds.
        self._first_serial = self.certificate_serial
        #: Whether who verifies by public key is answered under the certificate.
        self.switched = False
        #: Calls of which an attempt arrived that was not refused, and those that
        #: changed an order.
        self.received: set[str] = set()
        self.applied: set[str] = set()

    def play(self, request: Request) -> Played:
        """Answer, or fail, before or after the work is done."""
        return Played(request, self._answer(request))

    def _answer(self, request: Request) -> Response:
        with self.lock:
            call = request.headers.get(CALL)
            fault = self.deck.deal()
            if call is not None and fault != "429":
                self.received.add(call)
            if fault in ("429", "500 before", "page before"):
                self.deck.done(fault)
                return self._instead(fault)
            before = self._steps(request)
            response = super().play(request).response
            assert response is not None
            if call is not None and self._steps(request) != before:
                self.applied.add(call)
            return self._after(fault, request, self._resign(request, response))

    def entries(self) -> list[tuple[str, bool, str, int, int]]:
        """Every order: number, partner's or not, state, creations, cancellations."""
        with self.lock:
            return [
                (
                    order.out_order_no,
                    order.sub_mchid is not None,
                    str(order.state),
                    sum(step.event is Event.CREATE for step in order.steps),
                    sum(step.event is Event.CANCEL for step in order.steps),
                )
                for order in self.orders
            ]

    def _steps(self, request: Request) -> int:
        """How often the order that *request* means has changed."""
        parts = request.path.split("/")
        if parts[-1] == "cancel":
            number = parts[-2]
        elif request.method == "POST":
            number = json.loads(request.body)["out_order_no"]
        else:
            return 0
        return len(self.orders[number].steps) if number in self.orders else 0

    def _after(
        self, fault: str | None, request: Request, response: Response
    ) -> Response:
        if fault is None:
            return response
        if fault == "probe" and not response.ok:
            self.deck.put_back(fault)
            return response
        self.deck.done(fault)
        if fault == "probe":
            forged = _PROBE + response.headers["Wechatpay-Signature"][len(_PROBE) :]
            return _with(response, {"Wechatpay-Signature": forged})
        if fault == "lost":
            return _with(response, {LOSE: "1"})
        return self._instead(fault)

    def _instead(self, fault: str) -> Response:
        """The answer that says less than it should."""
        if fault == "429":
            return _answer(429, {"code": "FREQUENCY_LIMITED", "message": "频率超限"})
        if fault.startswith("500"):
            return _answer(500, {"code": "SYSTEM_ERROR", "message": "系统错误"})
        return _answer(_PAGES[self.deck.below(len(_PAGES))])

    def _resign(self, request: Request, response: Response) -> Response:
        """The answer under the other kind of key, once that was switched."""
        wanted = request.headers.get("Wechatpay-Serial")
        if not (self.switched and response.ok and wanted == self.public_key_id):
            return response
        headers = response.headers
        message = crypto.response_message(
            headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"], response.content
        )
        return _with(
            response,
            {
                "Wechatpay-Serial": self._first_serial,
                "Wechatpay-Signature": crypto.sign(message, self._pairs.platform),
            },
        )


def _with(response: Response, headers: dict[str, str]) -> Response:
    return response.replace(headers=response.headers.merge(headers))


def _answer(status: int, data: Any = None) -> Response:
    """An error answer: JSON, or where there is no *data* a page of HTML."""
    if data is None:
        body, kind = b"<html><h1>Out of order</h1></html>", "text/html"
    else:
        body, kind = json.dumps(data).encode(), "application/json"
    headers = {"Content-Type": kind, "Content-Length": str(len(body))}
    return Response(status, Headers(headers), body)  # type: ignore[arg-type]
