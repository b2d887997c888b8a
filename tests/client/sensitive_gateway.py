"""A gateway that takes every endpoint with sensitive fields, and opens them itself.

It goes by the places as the catalogue writes them (``receivers[].name``), and decrypts
with ``cryptography`` alone, so that a mistake of the package cannot repeat itself here.
"""

from __future__ import annotations

import copy
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from wechatpay_chain import Request, Response, catalogue
from wechatpay_chain.catalogue import Operation
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.checks.validation import Fields
from wechatpay_chain.sandbox.refusals import Problem
from wechatpay_chain.sandbox.routing import Answer, Call, Route

OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)

#: Each operation that has sensitive fields in its request or its answer.
SENSITIVE = [
    one
    for one in catalogue.operations()
    if (one.concealed or one.revealed) and one.encoding in ("json", None)
]


def change(value: Any, place: str, how: Callable[[str], str]) -> Any:
    """*value* with ``how(text)`` at *place*, as the catalogue writes places."""
    head, _, rest = place.partition(".")
    name = head.partition("[")[0]
    if not isinstance(value, dict) or value.get(name) is None:
        return value
    inner = value[name]
    if head.endswith("[]"):
        made = [change(one, rest, how) if rest else how(one) for one in inner]
    else:
        made = change(inner, rest, how) if rest else how(inner)
    return {**value, name: made}


class Anything(Fields):
    """Whatever is sent is right: what it holds is looked at by the tests."""

    def __call__(self, value: Any, place: str = "") -> Iterator[Problem]:
        del value, place
        yield from ()


class SensitiveGateway(Gateway):
    """Answers :attr:`answer`, in which it encrypts what is to be encrypted."""

    def __init__(self, mode: str) -> None:
        #: The last request as it came, and its query and body as they were meant.
        self.came: Request | None = None
        self.query: dict[str, str] = {}
        self.body: Any = None
        #: The keys that requests have named.
        self.serials: list[str | None] = []
        #: Every request, those for certificates included.
        self.requests: list[Request] = []
        #: Raised in place of an answer, in turn.
        self.failures: list[Exception] = []
        self.answer: Any = {}
        #: How many requests are answered that it has no time.
        self.busy = 0
        super().__init__(mode=mode, validation="off")

    def _routes(self) -> Iterator[Route]:
        anything = Anything()
        known = {(one.method, f"/{one.template}") for one in SENSITIVE}
        for route in super()._routes():
            if (route.method, route.template) not in known:
                yield route
        for one in SENSITIVE:
            yield Route(
                one.method,
                "/" + one.template.removeprefix("v2/"),
                self._serve(one),
                anything,
                anything,
                None if one.body is None else anything,
            )

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        if self.busy:
            self.busy -= 1
            return Response(500)
        if request.path != "/v3/certificates":
            self.came = request
            if self.failures:
                raise self.failures.pop(0)
        return super().handle(request)

    def _serve(self, operation: Operation) -> Callable[[Call], Answer]:
        def behave(call: Call) -> Answer:
            self.serials.append(call.headers.get("Wechatpay-Serial"))
            self.query, self.body = dict(call.query), call.body
            for place, _ in operation.concealed:
                in_query = place in operation.query
                value: Any = self.query if in_query else self.body
                value = change(value, place, self.opened)
                if in_query:
                    self.query = value
                else:
                    self.body = value
            answer = copy.deepcopy(self.answer)
            for place, _ in operation.revealed:
                answer = change(answer, place, self.sealed)
            return Answer(200, answer)

        return behave

    def opened(self, text: str) -> str:
        """What WeChat Pay reads, with the key that the request names."""
        if not re.fullmatch("[A-Za-z0-9+/]{342}==", text):
            return text  # nothing was encrypted here
        serial = self.serials[-1]
        assert serial is not None
        key = self._wechat.find(serial)
        assert key is not None
        return key.decrypt(b64decode(text), OAEP).decode()

    def sealed(self, text: str) -> str:
        """What the merchant alone can read."""
        data = text.encode()
        return b64encode(self.merchant.public_key.encrypt(data, OAEP)).decode()

    @property
    def sent(self) -> str:
        """All of the last request that anybody on the way could read."""
        assert self.came is not None
        return self.came.url + "\n" + self.came.body.decode()


def loads(content: bytes) -> Any:
    """JSON, as anybody reads it."""
    return json.loads(content)
