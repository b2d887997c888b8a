"""What the parts of one call cost, without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from account import ANSWER, BODY, ORDERS, Account
from clients import build
from measure import Contender, Effort, race
from report import Row, Target

from wechatpay_chain import Headers, MemoryTransport, Request, Response, _uri, crypto
from wechatpay_chain._drivers import SyncDriver
from wechatpay_chain._flow import Entry, Step
from wechatpay_chain._messages import Body
from wechatpay_chain._reply import reply
from wechatpay_chain.middleware import json_body

BASE_URL = "http://127.0.0.1"
TEMPLATE = "v3/payscore/serviceorder/{out_order_no}/cancel"

OURS = "everything but RSA and HTTP"


def pieces(account: Account, effort: Effort) -> list[Row]:
    """Measure each part on its own."""
    rows = [_row(name, function, effort) for name, function in _parts(account).items()]
    with _ours(account) as ours:
        rows.append(_row(OURS, ours, effort, Target("µs", 60)))
    return rows


def _row(
    name: str, function: Callable[[], Any], effort: Effort, *targets: Target
) -> Row:
    result = race([Contender(name, _repeated(function))], effort)[0]
    return Row("part", result, targets=targets)


def _repeated(function: Callable[[], Any]) -> Callable[[int], None]:
    def repeat(times: int) -> None:
        for _ in range(times):
            function()

    return repeat


def _answer_headers(account: Account) -> dict[str, str]:
    """What nginx sends."""
    return {
        "Server": "nginx",
        "Date": "Sat, 01 Jun 2024 07:00:00 GMT",
        "Content-Type": "application/json",
        "Content-Length": str(len(ANSWER)),
        "Connection": "keep-alive",
        **account.answer_headers(),
    }


def _parts(account: Account) -> dict[str, Callable[[], Any]]:
    client = build(account, BASE_URL)
    driver = SyncDriver(MemoryTransport(lambda request: _NOTHING))
    request = Request("POST", f"{BASE_URL}/v3/x")
    layers = tuple(Entry(f"layer {at}", _pass) for at in range(6))
    template = _uri.parse(TEMPLATE)
    answer = Response(200, Headers(_answer_headers(account)), Body(ANSWER))
    public_key = account.wechat_key.public_key()
    message, signature = b"x" * 300, crypto.sign(b"x" * 300, account.wechat_key)
    return {
        "build a chain": lambda: client.v3.payscore.serviceorder._out_order_no_.cancel,
        "expand a template": lambda: _uri.expand(
            template, {"out_order_no": next(ORDERS)}
        ),
        "the driver without a layer": lambda: driver.run((), request),
        "the driver with six empty layers": lambda: driver.run(layers, request),
        "encode the body": lambda: json_body.dump(BODY),
        "decode the answer": lambda: json_body.load(ANSWER),
        "make the reply": lambda: reply(answer),
        "sign": lambda: crypto.sign(message, account.private_key),
        "verify": lambda: crypto.verify(message, signature, public_key),
    }


_NOTHING = Response(204)


def _pass(request: Request) -> Step:
    return (yield request)


@contextmanager
def _ours(account: Account) -> Iterator[Callable[[], Any]]:
    """The whole call through every layer, the two RSA operations answered at once.

    The transport is memory: it only makes the response, headers parsed, as a real one
    does. The texts that are signed and verified are still built.
    """
    pairs = tuple(_answer_headers(account).items())
    transport = MemoryTransport(
        lambda request: Response(200, Headers(pairs), Body(ANSWER))
    )
    client = build(account, BASE_URL, transport=transport)

    def call() -> Any:
        cancel = client.v3.payscore.serviceorder._out_order_no_.cancel
        return cancel.post(BODY, out_order_no=next(ORDERS)).data

    # Plain functions: a mock object would cost as much as a layer.
    instead = {"sign": _sign, "verify": _verify}
    with mock.patch.multiple(crypto, **instead):
        yield call


def _sign(message: bytes, key: object) -> str:
    return _SIGNATURE


def _verify(message: bytes, signature: str, key: object) -> bool:
    return True


_SIGNATURE = "A" * 344
