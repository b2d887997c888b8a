"""``workwx_sign``: the second signature of WeCom's red packets and payments."""

from __future__ import annotations

import re
from hashlib import md5
from typing import Any

import pytest

from wechatpay_chain import ConnectError, EncodeError, Response
from wechatpay_chain.middleware.workwx import WorkWxSigner, workwx_sign

SECRET = "192006250b4c09247ec02edce69f6a2d"
RED_PACKET = {
    "act_name": "XXX",
    "mch_billno": "11111234567890",
    "mch_id": "10000098",
    "nonce_str": "qFKEgfig76DF9912fewmkp",
    "re_openid": "oxTWIuGaIt6gTKsQRLau2M0yL16E",
    "total_amount": "100",
    "wxappid": "wx123456789",
}
PAYMENT = {
    "amount": "100",
    "appid": "wxe062425f740c8888",
    "desc": "六月出差报销费用",
    "openid": "ohO4Gt7wVPxIT1A9GjFaMYMiZY1s",
    "partner_trade_no": "100000982017072019616",
    "ww_msg_type": "NORMAL_MSG",
}
ANSWER = (
    b"<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code></xml>"
)


def made(fields: dict[str, str], tail: str) -> str:
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    return md5(f"{text}&{tail}".encode()).hexdigest().upper()


@pytest.fixture
def client(server, make) -> Any:
    server.strict = False
    server.otherwise = Response(200, {"Content-Type": "text/xml"}, ANSWER)
    found = make(secret=server.keys["apiv2_key"])
    found.xml_stack.before("sign", WorkWxSigner(SECRET, mchid=found.mchid))
    return found


def sent(server: Any) -> dict[str, str]:
    text = server.request.body.decode()
    return dict(re.findall(r"<(\w+)><!\[CDATA\[(.*?)\]\]>", text, re.S))


def test_a_red_packet_has_both_signatures(call, server, client) -> None:
    given = {**RED_PACKET, "wishing": "恭喜发财", "remark": "x"}
    call(client.v2.mmpaymkttransfers.sendworkwxredpack.post, given)
    fields = sent(server)
    assert fields["workwx_sign"] == made(RED_PACKET, f"secret={SECRET}")
    assert fields["workwx_sign"] == "8B8D04AFC9FD08094CC5A0C2FA8BB60C"
    sign = fields.pop("sign")
    assert sign == made(fields, f"key={server.keys['apiv2_key']}")


def test_a_payment_covers_its_own_fields(call, server, client) -> None:
    given = {**PAYMENT, "check_name": "NO_CHECK", "spbill_create_ip": "10.2.3.10"}
    call(client.v2.mmpaymkttransfers.promotion.paywwsptrans2pocket.post, given)
    fields = sent(server)
    covered = {name: fields[name] for name in [*PAYMENT, "mch_id", "nonce_str"]}
    assert fields["workwx_sign"] == made(covered, f"secret={SECRET}")
    assert fields["mch_id"] == client.mchid


def test_other_calls_pass_as_they_are(call, server, client) -> None:
    call(client.v2.mmpaymkttransfers.sendredpack.post, {"mch_billno": "1"})
    assert "workwx_sign" not in sent(server)


def test_each_attempt_has_a_nonce_of_its_own(call, server, make) -> None:
    server.strict = False
    server.otherwise = Response(200, {"Content-Type": "text/xml"}, ANSWER)
    client = make(secret=server.keys["apiv2_key"], retry=2)
    client.xml_stack.before("sign", WorkWxSigner(SECRET, mchid=client.mchid))
    server.will(ConnectError("no route"))
    given = {k: v for k, v in RED_PACKET.items() if k != "nonce_str"}
    call(client.v2.mmpaymkttransfers.sendworkwxredpack.post, given)
    signs = [
        re.search(r"<workwx_sign><!\[CDATA\[(\w+)", r.body.decode())[1]  # type: ignore[index]
        for r in server.requests
    ]
    assert len(set(signs)) == 2


def test_a_field_that_it_covers_is_needed(call, server, client) -> None:
    given = {**RED_PACKET, "act_name": ""}
    del given["wxappid"]
    with pytest.raises(EncodeError, match="act_name, wxappid missing"):
        call(client.v2.mmpaymkttransfers.sendworkwxredpack.post, given)
    assert server.requests == []


def test_no_secret_is_shown() -> None:
    layer = WorkWxSigner(SECRET, mchid="1900000109")
    assert SECRET not in f"{layer!r}{vars(layer)}"


def test_empty_values_are_left_out() -> None:
    assert workwx_sign({"a": "1", "b": ""}, "s") == made({"a": "1"}, "secret=s")
