"""The main job as a story: a PayScore order is created, confirmed, cancelled, queried.

Told once for all: as direct merchant and as partner, by plain calls and awaited ones.
Every step checks what it got; nothing here prints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .. import (
    Flow,
    Node,
    Reply,
    Request,
    Response,
    WeChatPayError,
    crypto,
    expression,
    send,
)
from ..client import WeChatPay
from ..sandbox import Gateway
from ..sandbox.lifecycles.orders import WIRE

ROLES = ("direct", "partner")
MODES = ("sync", "async")
REASON = "用户投诉"
#: The shorter of the two need-confirm services, for the sake of the reader.
SERVICE = "500001"
#: What a direct merchant's cancel answers (PayScore, 取消支付分订单).
FIVE_FIELDS = {"appid", "mchid", "out_order_no", "service_id", "order_id"}


class Failed(Exception):
    """An expectation did not hold."""


class Act(NamedTuple):
    """A call to make: *verb* of *node*, ``post`` or ``get``."""

    node: Node
    verb: str
    body: dict[str, Any]
    placeholders: dict[str, str]


@dataclass(frozen=True)
class Step:
    """What happened: a signed call and its answer, or an act of the user."""

    name: str
    state: str
    #: How a program writes it; ``None`` where the user acted.
    call: str | None = None
    #: The text that was signed; ``None`` where the user acted.
    signed: str | None = None
    status: int | None = None
    verified: bool | None = None
    serial: str | None = None
    #: What the answer is, in a word or two.
    body: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON, less what does not apply."""
        return {key: value for key, value in asdict(self).items() if value is not None}


#: A story yields calls, receives replies, and hands each step to a listener.
Story = Generator[Act, Reply, None]


class Teller:
    """Plays the story on a gateway of its own."""

    def __init__(self, gateway: Gateway, tell: Callable[[Step], None]) -> None:
        self._gateway = gateway
        self._listener = tell
        self._untold: Exception | None = None
        self._sent: list[Request] = []
        self._client: WeChatPay = gateway.client()
        self._client.stack.after("sign", self._watch, "watch")
        self._place = ""
        self._suffix = ""

    def play(self, role: str, mode: str, out_order_no: str) -> None:
        """Play it as *role* in *mode*.

        Raises :class:`Failed`, or what the listener raised.
        """
        story = self._story(role == "partner", out_order_no)
        self._suffix = "_async" if mode == "async" else ""
        try:
            if mode == "async":
                asyncio.run(_awaited(story))
            else:
                _plain(story)
        except Exception as error:  # whatever it is, the reader gets one line of it
            if error is self._untold:
                raise
            what = str(error)
            if not isinstance(error, (Failed, WeChatPayError)):
                what = f"{type(error).__name__}: {error}"
            raise Failed(f"{role}, {mode}, {self._place}: {what}") from error

    def _tell(self, step: Step) -> None:
        try:
            self._listener(step)
        except Exception as error:
            self._untold = error  # the story held; a full disk is no failure of it
            raise

    def _watch(self, request: Request) -> Flow[Response]:
        """A layer between ``sign`` and the transport: sees what goes out."""
        self._sent.append(request)
        return (yield from send(request))

    def _story(self, partner: bool, out_order_no: str) -> Story:
        gateway = self._gateway
        orders = self._client["v3/payscore/serviceorder"]
        whose = {"appid": gateway.appid}
        if partner:
            orders = self._client["v3/payscore/partner/serviceorder"]
            whose = {"sub_mchid": gateway.sub_mchid}
        whose["service_id"] = SERVICE
        number = {"out_order_no": out_order_no}

        self._place = "create"
        body = gateway.given.create_body(partner=partner, **whose, **number)
        created = yield (act := Act(orders, "post", body, {}))
        self._answered(act, created, 200, "CREATED", out_order_no)

        self._place = "user confirms"
        gateway.user.confirm(out_order_no)
        self._happened("CONFIRMED", out_order_no)

        self._place = "cancel"
        cancel = orders._out_order_no_.cancel
        act = Act(cancel, "post", {**whose, "reason": REASON}, number)
        reply = yield act
        self._answered(act, reply, 204 if partner else 200, "REVOKED", out_order_no)
        if partner:
            _expect("body", reply.content, b"")
            _expect("data", reply.data, None)
        else:
            _expect("fields", set(reply.data), FIVE_FIELDS)
            for name in FIVE_FIELDS:
                _expect(name, reply[name], created[name])

        self._place = "query"
        found = yield (act := Act(orders, "get", {**whose, **number}, {}))
        self._answered(act, found, 200, "REVOKED", out_order_no)
        _expect("state", found["state"], "REVOKED")
        _expect("order_id", found["order_id"], created["order_id"])

    def _answered(
        self, act: Act, reply: Reply, status: int, state: str, number: str
    ) -> None:
        """Check an answer and tell of it."""
        request = self._sent.pop()
        signed = _signed(request, self._gateway)
        _expect("status", reply.status_code, status)
        _expect("signature of the answer", _verdict(reply, self._gateway), "holds")
        self._state(state, number)
        self._tell(
            Step(
                self._place,
                state,
                f"{expression(str(act.node))}.{act.verb}{self._suffix}",
                signed,
                reply.status_code,
                reply.verified,
                reply.serial,
                f"{len(reply.data)} fields" if reply.data else "no body",
            )
        )

    def _happened(self, state: str, number: str) -> None:
        self._state(state, number)
        self._tell(Step(self._place, state))

    def _state(self, state: str, number: str) -> None:
        _expect("state of the order", str(self._gateway.orders[number].state), state)


def _plain(story: Story) -> None:
    try:
        act = next(story)
        while True:
            verb = getattr(act.node, act.verb)
            act = story.send(verb(act.body, **act.placeholders))
    except StopIteration:
        return


async def _awaited(story: Story) -> None:
    try:
        act = next(story)
        while True:
            verb = getattr(act.node, f"{act.verb}_async")
            act = story.send(await verb(act.body, **act.placeholders))
    except StopIteration:
        return


def _signed(request: Request, gateway: Gateway) -> str:
    """The text under the request's signature, once the signature has been checked."""
    from ..sandbox.signatures.authentication import parse, rebuilt

    claim = parse(request.headers.get("Authorization"))
    message = rebuilt(request, claim)
    key = gateway.merchant.public_key
    _expect("signature sent", crypto.verify(message, claim.signature, key), True)
    return message.decode()


def _verdict(reply: Reply, gateway: Gateway) -> str:
    """Whether WeChat Pay signed *reply*: the client's word, and a look of our own."""
    headers = reply.headers
    serial = headers.get("Wechatpay-Serial")
    if not reply.verified or reply.serial != serial:
        return "not verified"
    if serial != gateway.public_key_id:
        return f"made by {serial}"
    message = crypto.response_message(
        headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"], reply.content
    )
    key = gateway.credentials["certs"][serial]
    good = crypto.verify(message, headers["Wechatpay-Signature"], key)
    return "holds" if good else "does not hold"


def _expect(what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise Failed(f"{what}: expected {wanted!r}, got {got!r}")


def wire(state: str) -> str:
    """A state as the API shows it: ``DOING/USER_CONFIRM``."""
    shown = next(seen for name, seen in WIRE.items() if name == state)
    return "/".join(part for part in shown if part)
