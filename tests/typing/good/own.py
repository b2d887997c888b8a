"""Layers, policies and front-end parameters of your own, as the documents show them."""

from __future__ import annotations

from collections.abc import Mapping

from wechatpay_chain import (
    Flow,
    Request,
    Response,
    Retry,
    RetryPolicy,
    SignatureError,
    Step,
    TransportError,
    WeChatPay,
    middleware,
    send,
)
from wechatpay_chain.invocations import (
    H5,
    App,
    BusinessView,
    Jsapi,
    MiniProgram,
    Native,
)

codes: list[int] = []


@middleware
def counted(request: Request) -> Flow[Response]:
    """A generator that uses the helpers."""
    response = yield from send(request)
    codes.append(response.status_code)
    return response


@middleware
def marked(request: Request) -> Step:
    """One that yields requests only."""
    return (yield request.with_header("X-Trace", "1"))


class Tenant:
    """A layer with state of its own."""

    name = "tenant"

    def __init__(self, number: str) -> None:
        self.number = number

    def __call__(self, request: Request) -> Flow[Response]:
        """A call."""
        return (yield from send(request.with_header("X-Tenant", self.number)))


class Patient(Retry):
    """The default policy, with one half overridden."""

    def decide(
        self, request: Request, result: Response | TransportError | SignatureError
    ) -> bool:
        """Repeat 409 as well, where a repeat is safe."""
        if isinstance(result, Response) and result.status_code == 409:
            return "out_trade_no" in request.template
        return super().decide(request, result)


class Never:
    """A policy from the ground up."""

    def after_error(
        self, request: Request, error: TransportError | SignatureError, attempt: int
    ) -> float | None:
        """No second attempt after an error."""
        return None

    def after_response(
        self, request: Request, response: Response, attempt: int
    ) -> float | None:
        """Nor after an answer."""
        return None


def given(client: WeChatPay) -> WeChatPay:
    """They go where such things go."""
    policy: RetryPolicy = Never()
    client.with_options(retry=policy)
    client.v3.security.echo.post(
        {"echo_message": "hi"}, middleware=[counted, marked, Tenant("7")]
    )
    client.stack.push(Tenant("8"))
    return client.with_options(retry=Patient(3), middleware=[Tenant("9"), marked])


def button(client: WeChatPay, appid: str, prepay_id: str) -> Jsapi:
    """What a page gets."""
    return client.invoke.jsapi(appid, prepay_id)


def others(client: WeChatPay, text: str) -> Mapping[str, object]:
    """What other front ends get."""
    program: MiniProgram = client.invoke.mini_program(text, text)
    app: App = client.invoke.app(text, text)
    view: BusinessView = client.invoke.payscore_use(text)
    h5: H5 = client.invoke.h5(text)
    code: Native = client.invoke.native(text)
    return {"1": program, "2": app, "3": view, "4": h5, **code}
