"""The layers of the APIv2 (XML) stack, under the same names (protocol section 16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from .. import _uri, crypto
from .._flow import Flow, read, send
from .._messages import Headers, Request, Response
from .._names import MCHIDS
from .._secret import Secret
from .._shapes import mapping
from ..errors import (
    APIError,
    ConfigurationError,
    DecodeError,
    EncodeError,
    InvalidSignature,
    SignatureError,
)
from . import xml_body
from .coding import check_headers, raw
from .multipart import build_form
from .raising import api_error, outcome
from .signing import check_host

if TYPE_CHECKING:
    from ..catalogue.model import Field, Operation

#: Routes whose answers carry no ``sign`` (section 16): by prefix.
UNSIGNED_XML = (
    "/pay/downloadbill",
    "/pay/downloadfundflow",
    "/billcommentsp/batchquerycomment",
    "/mmpaymkttransfers/",
    "/risk/getpublickey",
    "/xdc/apiv2getsignkey/",
    "/sandboxnew/pay/downloadbill",
    "/sandboxnew/pay/getsignkey",
)

_XML = "text/xml; charset=utf-8"


class XmlEncoder:
    """Checks the fields; they become bytes in ``sign``, which adds to them."""

    name = "encode"

    def __init__(self, defaults: Headers) -> None:
        self._defaults = defaults

    def __call__(self, request: Request) -> Flow[Response]:
        check_headers(request.headers)
        headers = self._defaults.merge(request.headers.pairs())
        payload = request.payload
        if payload is not None and payload.kind == "raw":
            content_type, changes = raw(payload.value)
            if content_type:
                headers = headers.merge((("Content-Type", content_type),))
            return (
                yield from send(
                    request.replace(headers=headers, payload=None, **changes)
                )
            )
        if payload is not None:
            empty: dict[str, str] = {}
            given = empty if payload.value is None else payload.value
            fields = xml_body.fields(given)
            request = request.replace(payload=replace(payload, value=fields))
            if "Content-Type" not in headers and payload.files is None:
                headers = headers.merge((("Content-Type", _XML),))
        return (yield from send(request.replace(headers=headers)))


class XmlSigner:
    """Adds the merchant number, ``nonce_str`` and ``sign``, and nothing else.

    To the XML, to the parts of an upload, and to a query that is to be signed.
    """

    name = "sign"

    def __init__(
        self, *, mchid: str, secret: Secret[bytes] | None, nonce: Callable[[], str]
    ) -> None:
        self._mchid = mchid
        self._secret = secret
        self._nonce = nonce

    def __call__(self, request: Request) -> Flow[Response]:
        payload = request.payload
        if payload is None:
            if "sign" not in _members(request.operation) or request.body:
                return (yield from send(request))
            check_host(request)
            return (yield from send(self._with_query(request)))
        check_host(request)
        fields = self._signed(request, payload.value)
        if payload.files is not None:
            upload = build_form(payload.files, fields)
            signed = request.with_body(upload.body, upload.content_type)
            return (yield from send(signed))
        return (
            yield from send(request.replace(body=xml_body.dump(fields), payload=None))
        )

    def _with_query(self, request: Request) -> Request:
        path, _, query = request.url.partition("?")
        given = dict(parse_qsl(query, keep_blank_values=True))
        signed = self._signed(request, given)
        return request.replace(url=f"{path}?{_uri.query(signed)}")

    def _signed(self, request: Request, given: Mapping[str, str]) -> dict[str, str]:
        """The fields of *given*, with what the documents of the endpoint ask for."""
        secret = _need(self._secret)
        fields = {name: value for name, value in given.items() if name != "sign"}
        operation = request.operation
        members = _members(operation)
        number = next((one for one in MCHIDS if one in members), MCHIDS[0])
        fields.setdefault(number, self._mchid)
        if operation is None or not (
            operation.nonceless
            or operation.upload
            or (operation.body is None and "nonce_str" not in members)
        ):
            fields.setdefault("nonce_str", self._nonce())
        kind = fields.get("sign_type") or _usual(members.get("sign_type"))
        if kind not in ("MD5", "HMAC-SHA256"):
            raise EncodeError(
                f"xml.sign_type: MD5 or HMAC-SHA256 expected, got {kind!r}"
            )
        make = crypto.sign_md5 if kind == "MD5" else crypto.sign_hmac
        fields["sign"] = make(fields, secret)
        return fields


def _usual(sign_type: Field | None) -> str:
    """The algorithm where none is named: MD5 but where the documents know another."""
    only = sign_type is not None and sign_type.enum == ("HMAC-SHA256",)
    return "HMAC-SHA256" if only else "MD5"


def _members(operation: Operation | None) -> Mapping[str, Field]:
    """What the documents list for the body, or for the query where there is none."""
    if operation is None:
        return {}
    if operation.body is None:
        return operation.query
    return operation.body.fields or {}


class XmlVerifier:
    """Checks ``sign`` where WeChat signs: a success, outside the unsigned routes."""

    name = "verify"

    def __init__(self, *, secret: Secret[bytes] | None) -> None:
        self._secret = secret

    def __call__(self, request: Request) -> Flow[Response]:
        response = yield from send(request)
        if not response.ok or request.route.startswith(UNSIGNED_XML):
            return response
        content = yield from read(response)
        fields = _parse(request, content)
        if fields.get("return_code") == "FAIL":
            return response  # a transport failure (通信失败) is not signed
        if "sign" not in fields:
            if _is_unsigned(request.operation):
                return response
            raise SignatureError(
                "the answer carries no sign; it may come from a proxy or a portal",
                outcome="unknown",
            )
        if not crypto.verify_fields(fields, _need(self._secret)):
            raise InvalidSignature(
                "the sign of the answer does not match: check the APIv2 key (secret)",
                outcome="unknown",
            )
        return response.replace(verified=True)


class XmlDecoder:
    """Parses the fields into ``response.data``; a bill that is no XML is a file."""

    name = "decode"

    def __call__(self, request: Request) -> Flow[Response]:
        response = yield from send(request)
        if request.stream and request.route.startswith(UNSIGNED_XML) and response.ok:
            return response
        content = yield from read(response)
        if not content:
            return response
        if not xml_body.is_xml(content):
            if response.ok and not request.route.startswith(UNSIGNED_XML):
                raise DecodeError(f"{request.method} {request.path}: XML expected")
            return response
        try:
            return response.replace(data=xml_body.load(content))
        except ValueError as error:
            if not response.ok:
                return response  # an HTML error page
            raise DecodeError(f"{request.method} {request.path}: {error}") from None


class XmlRaiser:
    """Raises for a bad status, ``return_code`` or ``result_code``."""

    name = "raise_errors"

    def __call__(self, request: Request) -> Flow[Response]:
        response = yield from send(request)
        if not response.ok:
            yield from read(response)
            raise api_error(request, response)
        data = mapping(response.data)
        if data is None:
            return response
        for code, reason in (
            ("return_code", ("return_code", "return_msg")),
            ("result_code", ("err_code", "err_code_des")),
        ):
            if data.get(code, "SUCCESS") != "SUCCESS":
                raise _failure(request, response, *map(data.get, reason))
        return response


def _failure(
    request: Request, response: Response, code: str | None, text: str | None
) -> APIError:
    # A failed return_code has its reason as text; a business failure has a code.
    known = text if code == "FAIL" else code
    return APIError(
        text or "the operation failed",
        status_code=response.status_code,
        code=code,
        request_id=response.request_id,
        response=response,
        request=request.sent(),
        outcome=outcome(400, known or "FAIL"),
    )


def _is_unsigned(operation: Operation | None) -> bool:
    """Whether the documents of the endpoint list an answer, and no ``sign`` in it."""
    answer = None if operation is None else operation.answer
    return bool(answer and answer.fields and "sign" not in answer.fields)


def _need(secret: Secret[bytes] | None) -> Secret[bytes]:
    if secret is None:
        raise ConfigurationError("APIv2 needs its key: pass secret= (32 characters)")
    return secret


def _parse(request: Request, content: bytes) -> dict[str, str]:
    try:
        return xml_body.load(content)
    except ValueError as error:
        raise DecodeError(f"{request.method} {request.path}: {error}") from None
