"""APIv2 (protocol section 16): flat XML, a ``sign`` inside it, and nearly always 200.

The other dialect of the same gateway: payments and refunds are the same records, by
whichever API they were made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ... import catalogue, crypto
from ..._messages import Body, Headers, Request, Response
from ...catalogue.model import Field, Operation
from ...middleware import xml_body
from ..checks.admission import Admission
from ..recording.journal import Exchange
from ..refusals import Internal, Refusal, refused
from ..routing import Answer, Call, Router
from ..signatures import diagnosis_v2
from ..signatures.diagnosis import Mistake
from ..signatures.signing import Download
from ..world import Merchant, World
from .answers import flat, says
from .refusals import failure
from .requests import form

#: What may hold the merchant number, most usual first.
MCHIDS = ("mch_id", "mchid", "combine_mch_id")
#: How a door says which client certificate a connection showed: its serial.
CERTIFICATE = "Wechatpay-Sandbox-Certificate"

_PREFIX = "/v2"
_TYPE = "text/xml; charset=utf-8"
#: A page that a browser is sent on to, where the request names none.
_PAGE = "https://payapp.weixin.qq.com/sandbox"
#: What XML 1.0 cannot hold, and what a request line can.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class V2:
    """The dialect. *strict*: whether a client certificate (API证书) is asked for."""

    def __init__(
        self,
        world: World,
        router: Router,
        admission: Admission,
        strict: Callable[[], bool],
    ) -> None:
        self._world = world
        self._router = router
        self._admission = admission
        self._strict = strict

    def speaks(self, request: Request) -> bool:
        """Whether the path is one of APIv2's, or near one, or the body is XML."""
        first = request.path[1:].partition("/")[0]
        if first in ("v3", "hk", "global"):
            return False
        known = first in catalogue.segments("v2") or first == "v2"
        return known or request.body.lstrip()[:4] == b"<xml"

    def admit(self, exchange: Exchange) -> Call:
        """Find, parse, authenticate, validate, in that order."""
        request = exchange.request
        _check_path(request)
        path = f"{_PREFIX}{request.path}"
        exchange.route, _ = self._router.find(request.method, path)
        given = form(request)
        operation = _operation(exchange)
        merchant = self._authenticate(given.fields, operation)
        if operation is not None and operation.cert:
            self._check_certificate(exchange, merchant)
        exchange.mchid = merchant.mchid
        return self._admission.admit_form(merchant, exchange, given)

    def _authenticate(
        self, fields: Mapping[str, str], operation: Operation | None
    ) -> Merchant:
        merchants = self._world.merchants
        number = next((fields[name] for name in MCHIDS if name in fields), "")
        merchant = merchants.get(number)
        if merchant is None:
            sentence = f"there is no merchant {number[:64]!r}; mch_id names the signer"
            raise refused(
                "MCH_NOT_EXISTS",
                "merchant_unknown",
                sentence,
                number=Internal.NO_PERMISSION,
            )
        if "sign" not in _asked(operation) and "sign" not in fields:
            return merchant  # a page that anybody may open
        others = {"the APIv3 key of this merchant": merchant.apiv3_key}
        others.update(
            (f"the APIv2 key of merchant {other.mchid}", other.secret)
            for other in list(merchants.values())
            if other is not merchant
        )
        try:
            diagnosis_v2.check(
                fields, merchant.secret, others, default=_default(operation)
            )
        except Mistake as mistake:
            raise _sign_error(mistake) from None
        return merchant

    def _check_certificate(self, exchange: Exchange, merchant: Merchant) -> None:
        """Raise :class:`Refusal` for another certificate, or none where one must be.

        A connection to the sandbox has no TLS: the client says that it has one, or
        whatever stands before a door says it in a header.
        """
        request = exchange.request
        shown = request.headers.get(CERTIFICATE)
        if shown is not None:
            fits = crypto.normal_serial(shown) == crypto.normal_serial(merchant.serial)
            if not fits:
                text = f"{shown[:64]} is not the certificate of {merchant.mchid}"
                raise _certificate_error("certificate_differs", text)
        elif not request.mutual:
            text = f"{exchange.route} asks for the merchant's client certificate"
            if self._strict():
                raise _certificate_error("certificate_missing", text)
            exchange.notes.append(f"{text}; WeChat Pay will not do without")

    def answer(self, exchange: Exchange, answer: Answer) -> Response:
        """The fields of *answer* as signed XML; a file as it is."""
        operation = _operation(exchange)
        if isinstance(answer.data, Download):
            return self._send(exchange, 200, answer.data.content, answer.data)
        if operation is not None and operation.redirect:
            return self._send(exchange, 302, b"")
        success = {"return_code": "SUCCESS", "return_msg": "OK"}
        success["result_code"] = "SUCCESS"
        fields = {name: one for name, one in success.items() if says(operation, name)}
        made = flat(answer.data or {})
        made = {name: value for name, value in made.items() if name not in fields}
        return self._send(exchange, 200, self._signed(exchange, {**fields, **made}))

    def refuse(self, exchange: Exchange, refusal: Refusal) -> Response:
        """A failure of the communication, or one of the business, with our own word.

        ``sandbox_id`` and ``sandbox_message`` are ours, as ``detail.sandbox`` is.
        """
        ours = {"id": "refused", "message": refusal.message}
        ours.update(refusal.detail.get("sandbox", {}))
        fields = failure(refusal, _operation(exchange), exchange.mchid is not None)
        fields.update((f"sandbox_{name}", _text(one)) for name, one in ours.items())
        # Endpoints bear their prefix in the names of routes, and not in a URL.
        fields = {
            name: _ILLEGAL.sub("?", value.replace(f" {_PREFIX}/", " /"))
            for name, value in fields.items()
        }
        status = refusal.status if refusal.status in (404, 413) else 200
        if status == 404 and exchange.route is not None:
            status = 200
        if fields["return_code"] == "SUCCESS":
            body = self._signed(exchange, fields)
        else:
            body = xml_body.dump(fields)
        return self._send(exchange, status, body, number=refusal.number)

    def _signed(self, exchange: Exchange, fields: dict[str, str]) -> bytes:
        """*fields* as XML, with who is answered, a nonce and the ``sign``."""
        operation = _operation(exchange)
        merchant = self._world.merchants[exchange.mchid or ""]
        given = form(exchange.request).fields
        for name in ("appid", "sub_appid", "sub_mch_id", *MCHIDS):
            if name in given and says(operation, name):
                fields.setdefault(name, given[name])
        if says(operation, "nonce_str"):
            fields["nonce_str"] = self._world.ids.nonce("answer v2")
        fields.pop("sign", None)
        if says(operation, "sign"):
            kind = given.get("sign_type") or _default(operation)
            make = crypto.sign_md5 if kind == "MD5" else crypto.sign_hmac
            fields["sign"] = make(fields, merchant.secret)
        return xml_body.dump(fields)

    def _send(
        self,
        exchange: Exchange,
        status: int,
        body: bytes,
        file: Download | None = None,
        *,
        number: int = 0,
    ) -> Response:
        kind = "gateway" if exchange.route is None else exchange.route.kind
        headers = {
            "Request-ID": self._world.ids.request_id(number),
            "Wechatpay-Sandbox": kind,
            "Content-Length": str(len(body)),
        }
        if status == 302:
            query = form(exchange.request).fields
            headers["Location"] = query.get("redirect_uri") or _PAGE
        else:
            headers["Content-Type"] = _TYPE if file is None else file.content_type
        return Response(status, Headers(headers), Body(body))


def _text(value: Any) -> str:
    """A member of ours as text: what is nested as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _check_path(request: Request) -> None:
    if request.path.startswith(f"{_PREFIX}/"):
        there = request.path.removeprefix(_PREFIX)[:256]
        raise refused(
            "RESOURCE_NOT_EXISTS",
            "prefix_in_url",
            f"v2/ selects the XML form of a call and is no part of the URL: {there}",
            number=Internal.NO_SUCH_ROUTE,
        )


def _operation(exchange: Exchange) -> Operation | None:
    route = exchange.route
    if route is None:
        return None
    return catalogue.find(route.method, route.template[1:])


def _asked(operation: Operation | None) -> Mapping[str, Field]:
    """The fields of a request, as far as they are known."""
    if operation is None or operation.body is None:
        return {} if operation is None else operation.query
    return operation.body.fields or {}


def _default(operation: Operation | None) -> str:
    """The algorithm of a ``sign`` without ``sign_type``."""
    field = _asked(operation).get("sign_type")
    only = field is not None and field.enum == ("HMAC-SHA256",)
    return "HMAC-SHA256" if only else "MD5"


def _sign_error(mistake: Mistake) -> Refusal:
    said: dict[str, Any] = {"id": mistake.identifier, "message": mistake.sentence}
    return Refusal(
        "SIGN_ERROR",
        detail={"sandbox": {**said, **mistake.more}},
        number=Internal.AUTHORIZATION,
    )


def _certificate_error(identifier: str, sentence: str) -> Refusal:
    return refused(
        "NO_AUTH",
        identifier,
        sentence,
        message="证书校验失败",
        number=Internal.NO_PERMISSION,
    )
