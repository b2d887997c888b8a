"""What only WeChat Pay can say of a configuration: one signed call, and what came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._secret import Secret
from ..client import WeChatPay
from ..errors import (
    APIError,
    ClockSkew,
    ConfigurationError,
    ConnectError,
    DecryptionError,
    InvalidSignature,
    MissingHeaders,
    NotFound,
    TransportError,
    UnknownSerial,
    WeChatPayError,
)
from ..middleware.certificate_download import open_certificates
from ..middleware.clocks import CLOCK_WINDOW, apart, sent_at, utc
from .findings import Finding, of_error

_MESSAGE = "wxpay doctor"
_NTP = "set the clock of this machine by NTP"
_IDENTITY = (
    "private_key, serial and mchid must be of one merchant API certificate: compare "
    "them with apiclient_cert.pem and the merchant console"
)
_NETWORK = "check the network, firewall, proxies and base_url"
_PUBLIC_KEY = "take pub_key.pem and its id anew from the merchant console"


def call(options: Secret[dict[str, Any]]) -> Iterator[Finding]:
    """Send one ``v3/security/echo`` and look at what comes of it."""
    sealed = Secret({**options.reveal(), "retry": 1})
    with WeChatPay._of(sealed) as client:
        try:
            reply = client.v3.security.echo.post(
                {"echo_message": _MESSAGE, "encrypted_echo_message": _MESSAGE}
            )
        except WeChatPayError as error:
            yield from _failure(error, client)
            return
        yield from _clock(reply.headers, client, even=True)
        yield Finding("signature", "right", "WeChat Pay takes requests of this client")
        yield Finding("answer", "right", f"signed by {reply.serial}, and verified")
        yield _echo(reply.data)
        yield from _certificates(client)


def _failure(error: WeChatPayError, client: WeChatPay) -> Iterator[Finding]:
    text = " ".join(str(error).split())
    if isinstance(error, APIError):
        skewed = list(_clock(error.response.headers, client))
        yield from skewed
        if not skewed or error.status_code != 401:
            yield _refusal(error, text)
        return
    for kind, name, mend in (
        (ClockSkew, "clock_off", _NTP),
        (UnknownSerial, "certs_lacks_the_key", "give the key that it names in certs"),
        (InvalidSignature, "certs_of_another", _PUBLIC_KEY),
        (MissingHeaders, "answer_unsigned", f"something else answers: {_NETWORK}"),
        (DecryptionError, "echo_not_opened", _IDENTITY),
        (ConnectError, "unreachable", _NETWORK),
        (TransportError, "no_answer", _NETWORK),
    ):
        if isinstance(error, kind):
            yield Finding(name, "wrong", text, mend)
            return
    yield of_error(error, "call_failed")


def _refusal(error: APIError, text: str) -> Finding:
    if error.status_code == 401:
        return Finding("signature_refused", "wrong", text, _IDENTITY)
    if error.is_code("PARAM_ERROR") and "Wechatpay-Serial" in text:
        return Finding("certs_id_unknown", "wrong", text, _PUBLIC_KEY)
    if error.is_code("PARAM_ERROR") and "encrypted_echo_message" in text:
        return Finding("certs_of_another", "wrong", text, _PUBLIC_KEY)
    return Finding("call_refused", "wrong", text, "ask WeChat Pay, with the Request-ID")


def _clock(headers: Any, client: WeChatPay, *, even: bool = False) -> Iterator[Finding]:
    """The clock of this machine against ``Date``; *even*: say so where it is right."""
    theirs, ours = sent_at(headers), int(client._settings.clock())
    if theirs is None:
        return
    if abs(ours - theirs) > CLOCK_WINDOW // 2:
        state: Any = "wrong" if abs(ours - theirs) > CLOCK_WINDOW else "unsure"
        found = f"the local clock, {utc(ours)}, is {apart(ours, theirs)} WeChat Pay's"
        yield Finding("clock_off", state, found, _NTP)
    elif even:
        yield Finding("clock", "right", f"{abs(ours - theirs)} s from WeChat Pay's")


def _echo(data: Any) -> Finding:
    if data.get("encrypted_echo_message") == _MESSAGE == data.get("echo_message"):
        return Finding("encryption", "right", "sensitive fields go both ways")
    return Finding(
        "echo_differs", "wrong", "another message came back than was sent", _NETWORK
    )


def _certificates(client: WeChatPay) -> Iterator[Finding]:
    """Whether the APIv3 key is this merchant's, where certificates can tell."""
    key = client._settings.apiv3_key
    if key is None:
        return
    try:
        found = open_certificates(client.v3.certificates.get().content, key)
    except NotFound:
        yield Finding(
            "apiv3_key_untested", "unsure",
            "this merchant has no platform certificates to try apiv3_key on",
            "a notification that opens will prove it",
        )  # fmt: skip
    except ConfigurationError as error:
        yield of_error(error, "apiv3_key_wrong")
    except WeChatPayError as error:
        yield from _failure(error, client)
    else:
        if found:
            yield Finding("apiv3_key", "right", "it opens the platform certificates")
