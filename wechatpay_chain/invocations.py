"""``client.invoke``: what a front end hands to WeChat to open it (调起支付).

Plain dicts, ready for JSON, to be made for each page view: they carry the time. Nothing
is sent. What a front end reports back proves nothing: query, or wait for the
notification. Protocol sections 12 (payments) and 13 (PayScore).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypedDict
from urllib.parse import quote

from . import crypto
from .errors import ConfigurationError, EncodeError

if TYPE_CHECKING:
    from ._options import Settings
    from ._secret import Secret

#: ``"RSA"`` for orders of APIv3; of APIv2, the type that the order was signed with.
SignType = Literal["RSA", "MD5", "HMAC-SHA256"]

#: Characters that a ``queryString`` may have (section 13).
_LONGEST = 2048
_KINDS = ("RSA", "MD5", "HMAC-SHA256")


class MiniProgram(TypedDict):
    """For ``wx.requestPayment`` of a mini program."""

    timeStamp: str
    nonceStr: str
    package: str
    signType: str
    paySign: str


class Jsapi(MiniProgram):
    """For ``WeixinJSBridge.invoke("getBrandWCPayRequest", ...)``."""

    appId: str


class App(TypedDict):
    """For ``PayReq`` of the SDKs for Android, iOS and HarmonyOS."""

    appid: str
    partnerid: str
    prepayid: str
    package: str
    noncestr: str
    timestamp: str
    sign: str


class H5(TypedDict):
    """The address to open in the phone's browser."""

    h5_url: str


class Native(TypedDict):
    """The text of the QR code to show."""

    code_url: str


class BusinessView(TypedDict):
    """For ``openBusinessView``: a page takes the text, a mini program the object."""

    businessType: str
    queryString: str
    extraData: dict[str, str]


class Invocations:
    """Makes the parameters, with the keys of one client."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def jsapi(
        self,
        appid: str,
        prepay_id: str,
        *,
        package: str | None = None,
        sign_type: SignType = "RSA",
    ) -> Jsapi:
        """Make the parameters for a page within WeChat.

        *appid*: the one that the user is using, which for partners is ``sub_appid``
        where the order names one. *package*: the whole text, where the documents add
        to ``prepay_id=...``. *sign_type*: for orders of APIv2, the type that the order
        was signed with. Raises ``EncodeError``.
        """
        signed = self._requested(appid, prepay_id, package, sign_type)
        return {"appId": appid, **signed}

    def mini_program(
        self,
        appid: str,
        prepay_id: str,
        *,
        package: str | None = None,
        sign_type: SignType = "RSA",
    ) -> MiniProgram:
        """Make those for ``wx.requestPayment``; arguments as for :meth:`jsapi`."""
        return self._requested(appid, prepay_id, package, sign_type)

    def app(
        self,
        appid: str,
        prepay_id: str,
        partnerid: str | None = None,
        *,
        package: str = "Sign=WXPay",
        sign_type: SignType = "RSA",
    ) -> App:
        """Make those for an app.

        *partnerid*: the merchant that *appid* belongs to, if not the client's own.
        """
        _check_prepay_id(prepay_id)
        number = self._settings.mchid if partnerid is None else partnerid
        made: App = {
            "appid": _text("appid", appid),
            "partnerid": _text("partnerid", number),
            "prepayid": prepay_id,
            "package": _text("package", package),
            "noncestr": self._settings.nonce(),
            "timestamp": self._now(),
            "sign": "",
        }
        if _check_kind(sign_type) == "RSA":
            # The bare number here, unlike everywhere else.
            lines = appid, made["timestamp"], made["noncestr"], prepay_id
            made["sign"] = self._sign_lines(*lines)
        else:
            made["sign"] = self._sign_fields(made, sign_type)
        return made

    def h5(self, h5_url: str, redirect_url: str | None = None) -> H5:
        """Make the address for a browser, which comes back to *redirect_url*."""
        url = _text("h5_url", h5_url)
        if redirect_url is not None:
            # The documents add it as the last parameter of several.
            joint = "&" if "?" in url else "?"
            back = quote(_text("redirect_url", redirect_url), safe="")
            url += f"{joint}redirect_url={back}"
        return {"h5_url": url}

    def native(self, code_url: str) -> Native:
        """Give the text of a QR code: ``code_url`` as it is, unsigned."""
        return {"code_url": _text("code_url", code_url)}

    def payscore_use(self, package: str, *, signed: bool = False) -> BusinessView:
        """Make what opens the page to confirm a PayScore order (确认订单).

        *package* comes with the answer to create. *signed*: the older form, which
        takes the APIv2 key.
        """
        fields = {"package": _text("package", package)}
        return self._view("wxpayScoreUse", fields, signed=signed)

    def payscore_enable(
        self,
        apply_permissions_token: str | None = None,
        *,
        signed: bool = False,
        service_id: str | None = None,
        out_request_no: str | None = None,
    ) -> BusinessView:
        """Make what opens the page to authorise a PayScore service (授权服务).

        *signed*: the older form, which takes *service_id* and *out_request_no* instead
        of a token, and the APIv2 key.
        """
        token = {"apply_permissions_token": apply_permissions_token}
        older = {"service_id": service_id, "out_request_no": out_request_no}
        wanted, strange = (older, token) if signed else (token, older)
        for name, value in strange.items():
            if value is not None:
                raise EncodeError(f"{name}: not part of the form with signed={signed}")
        fields = {name: _text(name, value) for name, value in wanted.items()}
        return self._view("wxpayScoreEnable", fields, signed=signed)

    def payscore_detail(self, service_id: str, out_order_no: str) -> BusinessView:
        """Make what opens a PayScore order (订单详情); signed with the APIv2 key."""
        fields = {
            "service_id": _text("service_id", service_id),
            "out_order_no": _text("out_order_no", out_order_no),
        }
        return self._view("wxpayScoreDetail", fields, signed=True)

    def _requested(
        self, appid: str, prepay_id: str, package: str | None, sign_type: SignType
    ) -> MiniProgram:
        """What page and mini program have in common."""
        _check_prepay_id(prepay_id)
        usual = f"prepay_id={prepay_id}"
        text = usual if package is None else _text("package", package)
        if usual not in text.split("&"):
            raise EncodeError("package: it names another prepay_id than prepay_id does")
        made: MiniProgram = {
            "timeStamp": self._now(),
            "nonceStr": self._settings.nonce(),
            "package": text,
            "signType": _check_kind(sign_type),
            "paySign": "",
        }
        appid = _text("appid", appid)
        if sign_type == "RSA":
            lines = appid, made["timeStamp"], made["nonceStr"], text
            made["paySign"] = self._sign_lines(*lines)
        else:
            fields = {"appId": appid, **made}
            del fields["paySign"]
            made["paySign"] = self._sign_fields(fields, sign_type)
        return made

    def _view(self, kind: str, fields: dict[str, str], *, signed: bool) -> BusinessView:
        """One of PayScore: the sign is over raw values, the text is percent-encoded."""
        if signed:
            fields = {
                "mch_id": self._settings.mchid,
                **fields,
                "timestamp": self._now(),
                "nonce_str": self._settings.nonce(),
                "sign_type": "HMAC-SHA256",
            }
            fields["sign"] = self._sign_fields(fields, "HMAC-SHA256")
        text = "&".join(f"{k}={quote(v, safe='')}" for k, v in fields.items())
        if len(text) > _LONGEST:
            raise EncodeError(
                f"queryString: it may have {_LONGEST} characters, this one {len(text)}"
            )
        return {"businessType": kind, "queryString": text, "extraData": fields}

    def _now(self) -> str:
        return str(int(self._settings.clock()))

    def _sign_lines(self, *lines: str) -> str:
        message = crypto.lines_message(*lines)
        return crypto.sign(message, self._settings.private_key)

    def _sign_fields(self, fields: Mapping[str, object], kind: SignType) -> str:
        secret = _need(self._settings.secret)
        make = crypto.sign_md5 if kind == "MD5" else crypto.sign_hmac
        return make(fields, secret)

    def __repr__(self) -> str:
        return f"<Invocations of merchant {self._settings.mchid}>"


def _need(secret: Secret[bytes] | None) -> Secret[bytes]:
    if secret is None:
        raise ConfigurationError(
            "this form is signed with the APIv2 key (APIv2密钥): pass secret="
        )
    return secret


def _check_kind(kind: SignType) -> SignType:
    if kind not in _KINDS:
        raise EncodeError(f"sign_type: {', '.join(_KINDS)} expected")
    return kind


def _check_prepay_id(prepay_id: str) -> None:
    if _text("prepay_id", prepay_id).startswith("prepay_id="):
        raise EncodeError("prepay_id: the bare number expected, without prepay_id=")


def _text(name: str, value: object) -> str:
    """*value*, which must be one line of text: another line would be signed as one."""
    if not isinstance(value, str):
        raise EncodeError(f"{name}: text expected, got {type(value).__name__}")
    if not value or not value.isprintable():
        raise EncodeError(f"{name}: one line of text expected, and not an empty one")
    return value
