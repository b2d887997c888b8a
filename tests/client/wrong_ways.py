"""The table of wrong ways to sign: how it is done, and which words must name it."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from wrong_signers import (
    BODY,
    PKCS1,
    by_hand,
    cancel,
    inside,
    listing,
    plain,
    recoded,
    set_to,
    swapped,
    unsigned,
    upload,
)

from wechatpay_chain.sandbox.signatures.keys import pair

PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)

#: What no explanation of a wrong text may say, and what none of a wrong key may.
KEY_WORDS = ("do not belong together", "another key", "serial_no")
TEXT_WORDS = ("method:", "url:", "query:", "timestamp:", "nonce:", "body:", "lines:")


@dataclass
class Way:
    """One way to sign wrongly: how, which words name it, which must not occur."""

    how: Callable[..., Any]
    says: tuple[str, ...]
    send: Callable[..., Any] = cancel
    never: tuple[str, ...] = KEY_WORDS


def key_way(how: Callable[..., Any], *says: str, **more: Any) -> Way:
    return Way(how, says, never=("the key is right", *TEXT_WORDS), **more)


WAYS: dict[str, Way] = {
    # Line 1.
    "method in lower case": Way(
        by_hand(lambda g: g.text(method="post")), ("method: 'post' was signed",)
    ),
    "another method": Way(
        by_hand(lambda g: g.text(method="GET")), ("method: 'GET' was signed, 'POST'",)
    ),
    # Line 2.
    "query left out": Way(
        by_hand(lambda g: g.text(target=g.path)), ("query: left out", "'lang=en' was")
    ),
    "host in front of the path": Way(
        by_hand(lambda g: g.text(target=g.request.url)),
        ("url: scheme or host, 'https://sandbox.wechatpay.invalid'",),
    ),
    "path decoded": Way(
        by_hand(lambda g: g.text(target=unquote(g.request.target))),
        ("url: the path was signed decoded", "ORD|1*2", "ORD%7C1*2"),
    ),
    "path encoded twice": Way(
        by_hand(lambda g: g.text(target=g.request.target.replace("%", "%25"))),
        ("url: the path was signed percent-encoded twice", "ORD%257C1*2"),
    ),
    "path encoded otherwise": Way(
        by_hand(lambda g: g.text(target=g.request.target.replace("*", "%2A"))),
        ("url: the path was signed in another percent-encoding", "%7C1%2A2"),
    ),
    "template not expanded": Way(
        by_hand(lambda g: g.text(target=f"/{g.request.template}?lang=en")),
        ("url: the template was signed", "{out_order_no}"),
    ),
    "version left out": Way(
        by_hand(lambda g: g.text(target=g.request.target.replace("/v3", "", 1))),
        ("url: the beginning of the path was left out",),
    ),
    "slash at the end": Way(
        by_hand(lambda g: g.text(target=g.path + "/?lang=en")),
        ("url:", "a slash at the end"),
    ),
    "path left out": Way(
        by_hand(lambda g: g.text(target="")), ("url: the path was left out",), plain
    ),
    "question mark without a query": Way(
        by_hand(lambda g: g.text(target="/v3/x?")), ("query:", "question mark"), plain
    ),
    "plus for a space": Way(
        by_hand(lambda g: g.text(target=g.request.target.replace("%20", "+"))),
        ("query: a space is written otherwise", "'b=1+2", "'b=1%202"),
        listing,
    ),
    "query sorted": Way(
        by_hand(lambda g: g.text(target="/v3/x?a=x%2Fy&b=1%202")),
        ("query: signed in another order",),
        listing,
    ),
    "query decoded": Way(
        by_hand(lambda g: g.text(target="/v3/x?b=1 2&a=x/y")),
        ("query: signed decoded",),
        listing,
    ),
    "a parameter added later": Way(
        by_hand(lambda g: g.text(target="/v3/x?b=1%202")),
        ("query: only a part was signed, 'b=1%202'",),
        listing,
    ),
    # Line 3 and 4.
    "milliseconds in the text": Way(
        by_hand(lambda g: g.text(timestamp=g.timestamp + "123")),
        ("timestamp: '1717225200123' was signed, with milliseconds",),
    ),
    "the time taken twice": Way(
        by_hand(lambda g: g.text(timestamp=str(int(g.timestamp) - 1))),
        ("timestamp: '1717225199' was signed, '1717225200' is in the header",),
    ),
    "nonce in another case": Way(
        by_hand(lambda g: g.text(nonce=g.nonce.upper())), ("nonce:", "the case counts")
    ),
    "nonce with hyphens": Way(
        by_hand(
            lambda g: g.text(nonce="01234567-89ab-cdef-ABCD-EF0123456789"),
        ),
        ("nonce:", "with hyphens"),
    ),
    # Line 5.
    "body left out": Way(
        by_hand(lambda g: g.text(body=b"")),
        ("body: left out of the signed text, 75 bytes were sent",),
    ),
    "body with spaces": Way(
        by_hand(recoded(ensure_ascii=False)), ("body: the same JSON", "with spaces")
    ),
    "body escaped to ASCII": Way(
        by_hand(recoded(separators=(",", ":"))),
        ("body: the same JSON", "without spaces", r"escaped as \u"),
    ),
    "body sorted": Way(
        by_hand(recoded(separators=(",", ":"), ensure_ascii=False, sort_keys=True)),
        ("body: the same JSON", "members sorted"),
    ),
    "body indented": Way(
        by_hand(recoded(indent=2)), ("body: the same JSON", "indented", r"\u")
    ),
    "slashes escaped": Way(
        by_hand(lambda g: g.text(body=g.body.replace(b"/", rb"\/"))),
        ("body: the same JSON", r"slashes escaped as \/"),
    ),
    "body as Python writes it": Way(
        by_hand(lambda g: g.text(body=str(json.loads(g.body)).encode())),
        ("body: the text of a Python object",),
    ),
    "body encoded twice": Way(
        by_hand(lambda g: g.text(body=json.dumps(g.body.decode()))),
        ("body: the JSON was encoded twice",),
    ),
    "body with LF": Way(
        by_hand(lambda g: g.text(body=g.body + b"\r\n")), ("body:", "line ends")
    ),
    "body in GBK": Way(
        by_hand(lambda g: g.text(body=g.body.decode().encode("gbk"))),
        ("body: signed in the encoding GBK",),
    ),
    "braces for no body": Way(
        by_hand(lambda g: g.text(body=b"{}")),
        ("body: none was sent, and a text of 2 bytes was signed",),
        plain,
    ),
    "the whole of an upload": Way(
        by_hand(lambda g: g.text(body=g.request.body)),
        ("body: the whole multipart body of", "its part meta"),
        upload,
    ),
    # How the lines are put together.
    "last LF missing": Way(
        by_hand(lambda g: g.text()[:-1]), ("lines: the LF after the last one",)
    ),
    "last LF missing without a body": Way(
        by_hand(lambda g: g.text()[:-1]), ("lines: the LF after the last one",), plain
    ),
    "CRLF": Way(
        by_hand(lambda g: g.text().replace(b"\n", b"\r\n")),
        ("lines: they end in CRLF",),
    ),
    "backslash and n": Way(
        by_hand(lambda g: g.text().replace(b"\n", rb"\n")), ("lines: a backslash and",)
    ),
    "the lines of an answer": Way(
        by_hand(lambda g: g.text().split(b"\n", 2)[2]), ("lines: the three of an",)
    ),
    "hashed twice": Way(
        by_hand(lambda g: hashlib.sha256(g.text()).hexdigest().encode()),
        ("lines: a hash of the text was signed",),
    ),
    # Two at a time.
    "no query, and a body with spaces": Way(
        by_hand(
            lambda g: g.text(target=g.path, body=json.dumps(BODY, ensure_ascii=False))
        ),
        ("query: left out", "body: the same JSON", "with spaces"),
    ),
    "full URL without query": Way(
        by_hand(lambda g: g.text(target=g.request.url.partition("?")[0])),
        ("url: scheme or host", "query: left out"),
    ),
    "lower case and CRLF": Way(
        by_hand(lambda g: g.text(method="post").replace(b"\n", b"\r\n")),
        ("method: 'post'", "lines: they end in CRLF"),
    ),
    "a text that nobody knows": Way(
        by_hand(lambda g: b"something else"),
        ("the key is right", "no mistake that is known", "'/v3/x'"),
        plain,
        (*KEY_WORDS, *TEXT_WORDS),
    ),
    # The signature itself.
    "SHA-1": key_way(
        by_hand(scheme=(PKCS1, hashes.SHA1())), "names SHA-1", "with SHA-256"
    ),
    "MD5": key_way(by_hand(scheme=(PKCS1, hashes.MD5())), "names MD5"),
    "SHA-512 without the query": Way(
        by_hand(lambda g: g.text(target=g.path), scheme=(PKCS1, hashes.SHA512())),
        ("names SHA-512", "query: left out"),
    ),
    "PSS": key_way(by_hand(scheme=(PSS, hashes.SHA256())), "has PSS padding"),
    "base64url": key_way(by_hand(spell=urlsafe_b64encode), "base64url"),
    "hex": key_way(by_hand(spell=lambda raw: raw.hex().encode()), "spelt in hex"),
    "no padding of base64": key_way(
        by_hand(spell=lambda raw: b64encode(raw).rstrip(b"=")), "without padding"
    ),
    "HMAC for RSA": key_way(
        by_hand(
            signature=lambda gateway, given: b64encode(
                hmac.digest(b"key", given.text(), "sha256")
            ).decode()
        ),
        "has 32 bytes, the RSA key of this client makes 256",
    ),
    "nothing like a signature": key_way(by_hand(signature="签名"), "is not base64"),
    # Whose it is.
    "another key": key_way(
        by_hand(key=pair("nobody knows it")), "was not made with the private key"
    ),
    "another key by option": key_way(
        set_to(private_key=lambda _: pair("nobody knows it")),
        "key, serial_no and mchid do not belong together",
    ),
    "another serial": key_way(
        set_to(serial="5A" * 20), "serial_no " + "5A" * 20, "is not the certificate of"
    ),
    "another serial by hand": key_way(
        by_hand(serial_no="5A" * 20), "serial_no 5A5A", "the client is set to serial"
    ),
    "a serial with colons": key_way(
        by_hand(serial_no="5A:5B:5C"), "at most 40 hex digits and nothing else"
    ),
    "the id of WeChat's key": key_way(
        by_hand(serial_no=lambda gateway, _: gateway.public_key_id),
        "is a key of WeChat Pay's",
        "apiclient_cert.pem",
    ),
    "another mchid": key_way(set_to(mchid="1900000002"), "belong to mchid 1900000002"),
    "the mchid of the sub-merchant": key_way(
        by_hand(mchid="1900000109"),
        "the client is set to mchid 1900000001",
        "mchid 1900000109 is the sub_mchid of this request",
        send=lambda client, call: call(client.v3.x.get, {"sub_mchid": "1900000109"}),
    ),
    # The header.
    "nothing signed": key_way(
        unsigned,
        "has no header Authorization; is a layer 'sign' in the stack?",
    ),
    "another scheme": key_way(
        by_hand(edit=lambda text: text.replace("RSA2048", "RSA4096", 1)),
        "Authorization: the scheme is 'WECHATPAY2-SHA256-RSA4096'",
    ),
    "no quotes": key_way(
        by_hand(edit=lambda text: text.replace('"', "")), "has no double quotes"
    ),
    "a parameter by another name": key_way(
        by_hand(edit=lambda text: text.replace("serial_no", "serial")),
        "'serial' is none of the five parameters; did you mean serial_no?",
    ),
    "a parameter missing": key_way(
        by_hand(edit=lambda text: text.partition(",serial_no")[0]),
        "Authorization: signature, serial_no missing",
    ),
    "milliseconds in both": key_way(
        by_hand(
            lambda g: g.text(timestamp=g.timestamp + "123"), timestamp="1717225200123"
        ),
        "timestamp 1717225200123 has milliseconds",
    ),
    "a nonce too long": key_way(
        set_to(nonce=lambda: "a" * 33), "is not 1 to 32 characters"
    ),
    # A layer that comes after the signature.
    "query added later": Way(
        inside(lambda r: r.replace(url=r.url + "&v=2")),
        (
            "query: 'lang=en' was signed, 'lang=en&v=2' was sent",
            "further in than 'sign'",
        ),
    ),
    "body written anew later": Way(
        inside(lambda r: r.with_body(json.dumps(json.loads(r.body)).encode())),
        ("body: 75 bytes were signed", "the same JSON written anew"),
    ),
    "a member added later": Way(
        inside(lambda r: r.with_body(r.body[:-1] + b',"trace":1}')),
        ("body: 75 bytes were signed, 85 bytes were sent; 'trace' added",),
    ),
    "method changed later": Way(
        inside(lambda r: r.replace(method="PUT")), ("method: 'POST' was signed, 'PUT'",)
    ),
    "path changed later": Way(
        inside(lambda r: r.replace(url=r.url.replace("/v3/", "/v4/"))),
        ("url: '/v3/payscore/serviceorder/ORD%7C1*2/cancel?lang=en' was signed",),
    ),
    "nonce changed later": Way(
        inside(lambda r: swapped(r, 'nonce_str="d', 'nonce_str="e')),
        ("nonce:", "was signed", "was sent", "further in than 'sign'"),
        plain,
    ),
    "serial changed later": Way(
        inside(lambda r: swapped(r, 'serial_no="5', 'serial_no="A')),
        ("serial_no: 5", "was signed, A"),
        never=TEXT_WORDS,
    ),
    "Authorization taken away later": key_way(
        inside(lambda r: r.replace(headers=r.headers.without("authorization"))),
        "Authorization was signed but not sent",
    ),
}
