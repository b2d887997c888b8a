"""One accepted request for each endpoint that keeps state, and ways to spoil it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

from payscore_calls import BODIES

from wechatpay_chain import Headers, Request, crypto
from wechatpay_chain.middleware import xml_body
from wechatpay_chain.middleware.multipart import build
from wechatpay_chain.sandbox import Clock, Gateway
from wechatpay_chain.sandbox.world import START

USER = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
_URL = "https://merchant.example/notify"
_NUMBERS = count()


@dataclass
class Call:
    """What an endpoint is asked: names as in the catalogue, values as they may be."""

    method: str
    template: str
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    #: The name of an upload's file.
    file: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def request(self, gateway: Gateway) -> Request:
        """The signed request."""
        if self.template.startswith("/v2/"):
            return self._v2(gateway)
        target = self.template
        for name, value in self.path.items():
            target = target.replace(f"{{{name}}}", quote(value, safe=""))
        if self.query:
            target += "?" + urlencode(self.query)
        given: dict[str, str] = {}
        covered = body = b"" if self.body is None else json.dumps(self.body).encode()
        if self.file:
            parts = build({"file": (self.file, b"\x89PNG")}, None)
            covered, body = parts.meta, parts.body
            given["Content-Type"] = parts.content_type
        given["Authorization"] = _authorization(gateway, self.method, target, covered)
        url = f"https://sandbox.invalid{target}"
        return Request(self.method, url, Headers(given), body)

    def _v2(self, gateway: Gateway) -> Request:
        fields = {"mch_id": gateway.mchid, "nonce_str": f"n{next(_NUMBERS)}"}
        fields.update({name: str(value) for name, value in self.body.items()})
        fields["sign"] = crypto.sign_md5(fields, gateway.merchant.secret)
        url = f"https://sandbox.invalid{self.template.removeprefix('/v2')}"
        return Request("POST", url, Headers({}), xml_body.dump(fields))


def _authorization(gateway: Gateway, method: str, target: str, body: bytes) -> str:
    credentials = gateway.credentials
    values = {
        "mchid": credentials["mchid"],
        "timestamp": str(int(gateway.clock())),
        "nonce": f"n0nce{next(_NUMBERS)}",
    }
    text = crypto.request_message(
        method, target, values["timestamp"], values["nonce"], body
    )
    signature = crypto.sign(text, credentials["private_key"])
    return crypto.authorization(
        **values, serial=credentials["serial"], signature=signature
    )


class Scene:
    """Orders, authorisations and payments that the calls are about."""

    def __init__(self, **options: Any) -> None:
        # A day early: a bill is there on the day after.
        clock = Clock(START - 24 * 3600)
        self.gateway = gateway = Gateway(clock=clock, **options)
        for partner in (False, True):
            gateway.given.payment("SUCCESS", partner=partner)
        gateway.advance(days=1)
        for service in (None, gateway.service_id):
            gateway.user.authorize(service_id=service)
        self.calls: list[Call] = [
            *self._orders(),
            *self._permissions(),
            *self._payments(),
            *self._combined(),
            *self._refunds(),
            *self._v2(),
            *self._others(),
        ]

    def _role(self, partner: bool) -> dict[str, str]:
        gateway = self.gateway
        own = {"service_id": gateway.service_id}
        extra = {"sub_mchid": gateway.sub_mchid} if partner else {}
        return {**own, **(extra or {"appid": gateway.appid})}

    def _orders(self) -> Iterator[Call]:
        given = self.gateway.given
        for partner in (False, True):
            base = f"/v3/payscore{'/partner' if partner else ''}/serviceorder"
            body = given.create_body(partner=partner)
            yield Call("POST", base, body=body)
            on_delivery = {
                **given.create_body(partner=partner),
                "shopping_info": {
                    "goods": [{"name": "茶", "picture": "x", "amount": 1, "count": 1}]
                },
            }
            there = base.replace("serviceorder", "servicepayondeliveryorder")
            yield Call("POST", there, body=on_delivery)
            number = given.order(partner=partner)
            query = {**self._role(partner), "out_order_no": number}
            yield Call("GET", base, query=query)
            for act, body in BODIES.items():
                late = act in ("modify", "pay", "sync")
                state = "PAYING" if late else "CONFIRMED"
                path = {"out_order_no": given.order(state=state, partner=partner)}
                whole = {**self._role(partner), **deepcopy(body)}
                if act.startswith("send-"):
                    whole.pop("appid", None)
                yield Call("POST", f"{base}/{{out_order_no}}/{act}", path, body=whole)
            yield Call("POST", f"{base}/direct-complete", body=self._at_once(partner))

    def _at_once(self, partner: bool) -> dict[str, Any]:
        body = self.gateway.given.create_body(
            partner=partner,
            openid=USER,
            service_id=self.gateway.no_confirm_service_id,
            time_range={"start_time": "20240601140000", "end_time": "20240601150000"},
            post_payments=[{"name": "服务费", "amount": 100}],
            total_amount=100,
        )
        del body["risk_fund"]
        return body

    def _permissions(self) -> Iterator[Call]:
        gateway = self.gateway
        service = {"service_id": gateway.no_confirm_service_id}
        app, reason = {"appid": gateway.appid}, {"reason": "不再使用"}
        sub = {"sub_mchid": gateway.sub_mchid}
        for partner in (False, True):
            base = f"/v3/payscore{'/partner' if partner else ''}/permissions"
            own = {**service, **(sub if partner else {})}
            code = f"CODE{int(partner)}"
            apply = {**own, **app, "authorization_code": code, "notify_url": _URL}
            yield Call("POST", base, body=apply)
            client = gateway.client()
            token = client[base[1:]].post(apply)["apply_permissions_token"]
            gateway.user.authorize(token=token)
            place = {"authorization_code": code}
            by_code = f"{base}/authorization-code/{{authorization_code}}"
            yield Call("GET", by_code, place, own)
            yield Call("POST", f"{by_code}/terminate", place, body={**own, **reason})
            assess = f"{base}/assess-user-risk-level"
            yield Call("POST", assess, body={**own, **app, "openid": USER})
        base, user = "/v3/payscore/permissions", {"openid": USER}
        yield Call("GET", f"{base}/openid/{{openid}}", user, {**service, **app})
        ends = {**service, **app, **reason}
        yield Call("POST", f"{base}/openid/{{openid}}/terminate", user, body=ends)
        whole = {**service, **app, **sub, **user}
        base = "/v3/payscore/partner/permissions"
        yield Call("GET", f"{base}/search", query=whole)
        yield Call("POST", f"{base}/terminate", body={**whole, **reason})
        yield Call(
            "POST",
            f"{base}/apply-for-scene",
            body={
                **{**service, **app, **sub, "authorization_code": "CODE3"},
                **{"scene": "TRANSACTION", "notify_url": _URL},
                "transaction_scene_info": {"mchid": gateway.mchid, **sub},
            },
        )
        yield Call(
            "GET",
            "/v3/payscore/partner/servicequotas/service-id/{service_id}",
            service,
            {**sub, **app, "risk_level_version": 1},
        )
        yield Call(
            "GET", "/v3/payscore/user-service-state", query={**service, **app, **user}
        )
        yield Call(
            "POST",
            "/v3/payscore/users/{openid}/permissions/{service_id}/terminate",
            {**service, **user},
            body={**app, **reason},
        )

    def _payments(self) -> Iterator[Call]:
        gateway = self.gateway
        for partner in (False, True):
            base = f"/v3/pay{'/partner' if partner else ''}/transactions"
            for form in ("jsapi", "app", "h5", "native"):
                body = gateway.given.payment_body(form, partner=partner)
                body["attach"], body["detail"] = "a", {"cost_price": 1}
                yield Call("POST", f"{base}/{form}", body=body)
            whose = {"mchid": gateway.mchid}
            if partner:
                whose = {"sp_mchid": gateway.mchid, "sub_mchid": gateway.sub_mchid}
            number = gateway.given.payment("SUCCESS", partner=partner)
            by_number = f"{base}/out-trade-no/{{out_trade_no}}"
            yield Call("GET", by_number, {"out_trade_no": number}, whose)
            paid = {"transaction_id": gateway.payments[number].transaction_id or ""}
            yield Call("GET", f"{base}/id/{{transaction_id}}", paid, whose)
            place = {"out_trade_no": gateway.given.payment(partner=partner)}
            yield Call("POST", f"{by_number}/close", place, body=whose)

    def _combined(self) -> Iterator[Call]:
        gateway = self.gateway
        base = "/v3/combine-transactions"
        for form in ("jsapi", "app", "h5", "native"):
            body = self._whole(form)
            yield Call("POST", f"{base}/{form}", body=body)
        gateway.client()[f"{base[1:]}/native"].post(self._whole("WHOLE"))
        place = {"combine_out_trade_no": "WHOLE-WHOLE"}
        by_number = f"{base}/out-trade-no/{{combine_out_trade_no}}"
        yield Call("GET", by_number, place)
        part = {
            "mchid": gateway.mchid,
            "sub_mchid": gateway.sub_mchid,
            "out_trade_no": "PART-WHOLE",
        }
        body = {"combine_appid": gateway.appid, "sub_orders": [part]}
        yield Call("POST", f"{by_number}/close", place, body=body)

    def _whole(self, form: str) -> dict[str, Any]:
        gateway = self.gateway
        part = {
            "mchid": gateway.mchid,
            "sub_mchid": gateway.sub_mchid,
            "out_trade_no": f"PART-{form}",
            "description": "充电宝",
            "attach": "a",
            "amount": {"total_amount": 100, "currency": "CNY"},
        }
        body: dict[str, Any] = {
            "combine_appid": gateway.appid,
            "combine_mchid": gateway.mchid,
            "combine_out_trade_no": f"WHOLE-{form}",
            "notify_url": _URL,
            "scene_info": {"payer_client_ip": "127.0.0.1"},
            "sub_orders": [part],
        }
        if form == "h5":
            body["scene_info"].update(device_id="WEB-1", h5_info={"type": "iOS"})
        if form == "jsapi":
            body["combine_payer_info"] = {"openid": USER}
        return body

    def _refunds(self) -> Iterator[Call]:
        gateway = self.gateway
        base = "/v3/refund/domestic/refunds"
        for partner in (False, True):
            number = gateway.given.payment("SUCCESS", partner=partner)
            yield Call("POST", base, body=gateway.given.refund_body(number))
        number = gateway.given.refund("ABNORMAL")
        yield Call("GET", f"{base}/{{out_refund_no}}", {"out_refund_no": number})
        yield Call(
            "POST",
            f"{base}/{{refund_id}}/apply-abnormal-refund",
            {"refund_id": gateway.refunds[number].refund_id},
            body={"out_refund_no": number, "type": "MERCHANT_BANK_CARD"},
        )

    def _v2(self) -> Iterator[Call]:
        gateway = self.gateway
        order = {
            **{"appid": gateway.appid, "body": "充电宝", "out_trade_no": "V2-1"},
            **{"total_fee": 100, "spbill_create_ip": "127.0.0.1"},
            **{"notify_url": _URL, "trade_type": "NATIVE", "product_id": "1"},
        }
        yield Call("POST", "/v2/pay/unifiedorder", body=order)
        paid = {"out_trade_no": gateway.given.payment("SUCCESS")}
        app = {"appid": gateway.appid}
        yield Call("POST", "/v2/pay/orderquery", body={**app, **paid})
        open_one = {"out_trade_no": gateway.given.payment()}
        yield Call("POST", "/v2/pay/closeorder", body={**app, **open_one})
        money = {"total_fee": 100, "refund_fee": 50, "out_refund_no": "V2-R1"}
        yield Call("POST", "/v2/secapi/pay/refund", body={**app, **paid, **money})
        refund = {"out_refund_no": gateway.given.refund()}
        yield Call("POST", "/v2/pay/refundquery", body={**app, **refund})
        day = {"bill_date": "20240531"}
        yield Call("POST", "/v2/pay/downloadbill", body={**app, **day})
        flow = {**app, **day, "account_type": "Basic"}
        yield Call("POST", "/v2/pay/downloadfundflow", body=flow)

    def _others(self) -> Iterator[Call]:
        gateway = self.gateway
        client, day = gateway.client(), {"bill_date": "2024-05-31"}
        for kind in ("tradebill", "fundflowbill"):
            yield Call("GET", f"/v3/bill/{kind}", query={**day, "tar_type": "GZIP"})
        sub = {"sub_mchid": gateway.sub_mchid, "account_type": "BASIC"}
        flow = {**day, **sub, "algorithm": "AEAD_AES_256_GCM"}
        yield Call("GET", "/v3/bill/sub-merchant-fundflowbill", query=flow)
        url = client.v3.bill.tradebill.get(day)["download_url"]
        token = {"token": url.partition("token=")[2].partition("&")[0]}
        yield Call("GET", "/v3/billdownload/file", query=token)
        yield Call("GET", "/v3/certificates")
        yield Call("POST", "/v3/security/echo", body={"echo_message": "hi"})
        images = "/v3/merchant-service/images"
        for target, file in (
            ("/v3/merchant/media/upload", "a.png"),
            ("/v3/merchant/media/video_upload", "a.mp4"),
            ("/v3/marketing/favor/media/image-upload", "a.png"),
            (f"{images}/upload", "a.png"),
        ):
            yield Call("POST", target, file=file)
        sent = client[f"{images[1:]}/upload"].post(files={"file": ("a.png", b"\x89")})
        place = {"media_id": sent["media_id"]}
        yield Call("GET", f"{images}/{{media_id}}", place)
