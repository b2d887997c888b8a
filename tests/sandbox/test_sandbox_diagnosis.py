"""A wrong text is found from its signature alone, and named; a right one never is."""

from __future__ import annotations

import hashlib
import json
import random
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from wechatpay_chain import Request
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.signatures.diagnosis import differences, visible

FIELDS = {"reason": "用户投诉/x", "service_id": "500001", "appid": "wx1", "none": None}
COMPACT = json.dumps(FIELDS, ensure_ascii=False, separators=(",", ":"))
PATH = "/v3/payscore/serviceorder/ORD%7C1*2/cancel"
ORIGIN = "https://sandbox.invalid"


@dataclass
class Text:
    """The five lines as they should be, to be spoilt by a test."""

    method: str = "POST"
    target: str = f"{PATH}?lang=en&b=1%202"
    timestamp: str = "1717225200"
    nonce: str = "0123456789abcdefABCDEF0123456789"
    body: bytes = COMPACT.encode()

    def with_(self, **changes: Any) -> bytes:
        """The text with some lines changed."""
        lines = {**vars(self), **changes}
        head = [lines[name] for name in ("method", "target", "timestamp", "nonce")]
        body = lines["body"]
        data = body.encode() if isinstance(body, str) else body
        return "".join(f"{line}\n" for line in head).encode() + data + b"\n"

    @property
    def lines(self) -> list[bytes]:
        """The five lines."""
        return self.with_().removesuffix(b"\n").split(b"\n", 4)


POST = Text()
GET = Text("GET", "/v3/certificates", body=b"")
LIST = Text("GET", "/v3/payscore/serviceorder?b=1%202&a=x%2Fy&c=3", body=b"")
SPACED = json.dumps(FIELDS, ensure_ascii=False)
ESCAPED = json.dumps(FIELDS, separators=(",", ":"))


def dumped(**options: Any) -> str:
    return json.dumps(FIELDS, **{"ensure_ascii": False, **options})


#: What was signed where the text of :data:`POST` should have been, by what it is named.
POSTED: list[tuple[str, bytes]] = [
    ("method_case", POST.with_(method="post")),
    ("method_case", POST.with_(method="Post")),
    ("method_other", POST.with_(method="GET")),
    ("query_left_out", POST.with_(target=PATH)),
    ("host_prefix", POST.with_(target=ORIGIN + POST.target)),
    ("host_prefix", POST.with_(target="sandbox.invalid" + POST.target)),
    ("path_decoded", POST.with_(target=POST.target.replace("%7C", "|"))),
    ("path_encoded_twice", POST.with_(target=POST.target.replace("%7C", "%257C"))),
    ("path_encoded_otherwise", POST.with_(target=POST.target.replace("*", "%2A"))),
    ("path_encoded_otherwise", POST.with_(target=POST.target.replace("%7C", "%7c"))),
    (
        "path_template",
        POST.with_(target=POST.target.replace("ORD%7C1*2", "{out_order_no}")),
    ),
    ("path_without_slash", POST.with_(target=POST.target[1:])),
    ("path_trailing_slash", POST.with_(target=POST.target.replace("?", "/?"))),
    ("path_beginning_left_out", POST.with_(target=POST.target[3:])),
    ("path_lower_case", POST.with_(target=POST.target.replace(PATH, PATH.lower()))),
    ("query_decoded", POST.with_(target=POST.target.replace("%20", " "))),
    ("query_plus", POST.with_(target=POST.target.replace("%20", "+"))),
    ("query_encoded_twice", POST.with_(target=POST.target.replace("%20", "%2520"))),
    ("query_reordered", POST.with_(target=f"{PATH}?b=1%202&lang=en")),
    ("query_shortened", POST.with_(target=f"{PATH}?lang=en")),
    ("timestamp_other", POST.with_(timestamp="1717225201")),
    ("timestamp_other", POST.with_(timestamp="1717254000")),
    ("timestamp_signed_in_milliseconds", POST.with_(timestamp="1717225200123")),
    ("timestamp_left_out", POST.with_(timestamp="")),
    ("nonce_left_out", POST.with_(nonce="")),
    ("nonce_case", POST.with_(nonce=POST.nonce.upper())),
    ("nonce_hyphens", POST.with_(nonce="01234567-89ab-cdef-ABCD-EF0123456789")),
    ("body_left_out", POST.with_(body="")),
    ("body_json_spaced", POST.with_(body=dumped())),
    ("body_json_compact_ascii", POST.with_(body=ESCAPED)),
    ("body_json_spaced_ascii", POST.with_(body=json.dumps(FIELDS))),
    (
        "body_json_compact_sorted",
        POST.with_(body=dumped(sort_keys=True, separators=(",", ":"))),
    ),
    ("body_json_indent2", POST.with_(body=dumped(indent=2))),
    ("body_json_indent4", POST.with_(body=dumped(indent=4))),
    ("body_json_compact_slashes", POST.with_(body=COMPACT.replace("/", r"\/"))),
    ("body_line_ends", POST.with_(body=COMPACT + "\n")),
    ("body_python", POST.with_(body=str(FIELDS))),
    ("body_json_twice", POST.with_(body=json.dumps(COMPACT))),
    ("body_without_nulls", POST.with_(body=COMPACT.replace(',"none":null', ""))),
    ("body_bom", POST.with_(body="\ufeff" + COMPACT)),
    ("body_gbk", POST.with_(body=COMPACT.encode("gb18030"))),
    (
        "body_hash",
        POST.with_(body=hashlib.sha256(COMPACT.encode()).hexdigest()),
    ),
    ("body_base64", POST.with_(body=b64encode(COMPACT.encode()))),
    ("last_lf_missing", POST.with_()[:-1]),
    ("body_line_missing", b"\n".join([*POST.lines[:4], b""])),
    ("crlf", POST.with_().replace(b"\n", b"\r\n")),
    ("backslash_n", POST.with_().replace(b"\n", rb"\n")),
    ("lf_missing", b"".join(POST.lines)),
    (
        "nonce_before_timestamp",
        b"\n".join([POST.lines[at] for at in (0, 1, 3, 2, 4)] + [b""]),
    ),
    (
        "url_before_method",
        b"\n".join([POST.lines[at] for at in (1, 0, 2, 3, 4)] + [b""]),
    ),
    ("answer_lines", b"\n".join([*POST.lines[2:], b""])),
    ("hashed_twice", hashlib.sha256(POST.with_()).hexdigest().encode()),
]

#: The same for requests without a body.
GOT: list[tuple[str, Text, bytes]] = [
    ("body_placeholder", GET, GET.with_(body="{}")),
    ("body_placeholder", GET, GET.with_(body="null")),
    ("query_mark_only", GET, GET.with_(target="/v3/certificates?")),
    ("path_left_out", GET, GET.with_(target="/")),
    ("last_lf_missing", GET, GET.with_()[:-1]),
    ("lf_added", GET, GET.with_() + b"\n"),
    ("body_of_query", LIST, LIST.with_(body="b=1%202&a=x%2Fy&c=3")),
    (
        "query_reordered",
        LIST,
        LIST.with_(target=LIST.target.partition("?")[0] + "?a=x%2Fy&b=1%202&c=3"),
    ),
    (
        "query_encoded_otherwise",
        LIST,
        LIST.with_(target=LIST.target.replace("%2F", "%2f")),
    ),
    ("query_shortened", LIST, LIST.with_(target=LIST.target.replace("&c=3", ""))),
]

#: Two mistakes at a time, in the order of the table.
PAIRS: list[tuple[str, bytes]] = [
    ("query_left_out body_json_spaced", POST.with_(target=PATH, body=SPACED)),
    ("query_left_out body_left_out", POST.with_(target=PATH, body="")),
    ("query_left_out host_prefix", POST.with_(target=ORIGIN + PATH)),
    ("body_json_compact_ascii method_case", POST.with_(method="post", body=ESCAPED)),
    (
        "path_decoded body_json_spaced_ascii",
        POST.with_(target=POST.target.replace("%7C", "|"), body=json.dumps(FIELDS)),
    ),
    ("query_left_out last_lf_missing", POST.with_(target=PATH)[:-1]),
    (
        "body_line_ends nonce_case",
        POST.with_(nonce=POST.nonce.upper(), body=COMPACT + "\n"),
    ),
    ("body_json_indent2 last_lf_missing", POST.with_(body=dumped(indent=2))[:-1]),
]

CASES = [
    *((name, POST, text) for name, text in POSTED),
    *GOT,
    *((names, POST, text) for names, text in PAIRS),
]


def ask(hand: Any, text: Text, signed: bytes | None, **more: Any) -> Any:
    """Send *text*, signed over something else; what ``detail.sandbox`` says."""
    response = hand.gateway.handle(request(hand, text, signed, **more))
    assert response.status_code == 401
    return json.loads(response.content)["detail"]["sandbox"]


def request(hand: Any, text: Text, signed: bytes | None, **more: Any) -> Request:
    made: Request = hand.request(
        text.method,
        text.target,
        text.body,
        message=signed,
        **{"timestamp": text.timestamp, "nonce": text.nonce, **more},
    )
    return made


def test_at_least_forty_mistakes_are_told_apart() -> None:
    assert len({name for name, _, _ in CASES if " " not in name}) >= 40


@pytest.mark.parametrize(
    ("names", "text", "signed"),
    CASES,
    ids=[f"{one[0]}-{n}" for n, one in enumerate(CASES)],
)
def test_wrong_text_is_named_exactly(
    hand: Any, names: str, text: Text, signed: bytes
) -> None:
    found = ask(hand, text, signed)
    assert found["id"] == "wrong_message"
    assert " ".join(found["mistakes"]) == names
    assert found["signed"] == visible(signed)
    assert found["expected"] == visible(text.with_())
    assert found["signed_sha256"] == hashlib.sha256(signed).hexdigest()
    assert found["message"].startswith("the key is right, another text was signed: ")


def test_the_text_that_the_table_spoils_is_taken(hand: Any) -> None:
    for number, one in enumerate((POST, GET, LIST)):
        text = Text(**{**vars(one), "nonce": f"N{number}"})
        response = hand.gateway.handle(request(hand, text, text.with_()))
        assert response.status_code != 401


def test_sentence_holds_every_clause_in_the_order_of_the_lines(hand: Any) -> None:
    message = ask(hand, POST, POST.with_(method="post", body=""))["message"]
    assert message.index("method: 'post' was signed") < message.index("body: left out")


def test_whole_multipart_body_is_named(hand: Any) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    meta = b'{"filename":"a.png","sha256":"00"}'
    part = b'Content-Disposition: form-data; name="%b"\r\n\r\n'
    whole = b"--b\r\n" + part % b"meta" + meta + b"\r\n--b\r\n" + part % b"file"
    upload = Text("POST", "/v3/merchant/media/upload", body=whole + b"PNG\r\n--b--\r\n")
    right = Text("POST", upload.target, body=meta)
    found = ask(hand, upload, upload.with_(), headers=kind)
    assert found["mistakes"] == ["body_multipart"]
    assert found["expected"] == visible(right.with_())
    response = hand.gateway.handle(request(hand, upload, right.with_(), headers=kind))
    assert response.status_code != 401


class TestForms:
    """A signature of the right key, in another form."""

    @pytest.mark.parametrize(
        ("spelling", "spell"),
        [
            ("hex", lambda raw: raw.hex()),
            ("base64url", lambda raw: urlsafe_b64encode(raw).decode()),
            ("base64 without padding", lambda raw: b64encode(raw).decode().rstrip("=")),
        ],
    )
    def test_spelling_is_named(
        self, hand: Any, spelling: str, spell: Callable[[bytes], str]
    ) -> None:
        raw = self.made(hand, POST.with_())
        found = ask(hand, POST, None, signature=spell(raw))
        assert found["id"] == "signature_spelling"
        assert f"spelt in {spelling};" in found["message"]
        assert found["mistakes"] == ["signature_spelling"]

    @pytest.mark.parametrize(
        ("name", "algorithm"),
        [("SHA-1", hashes.SHA1()), ("SHA-512", hashes.SHA512()), ("MD5", hashes.MD5())],
    )
    def test_hash_is_named(self, hand: Any, name: str, algorithm: Any) -> None:
        raw = self.made(hand, POST.with_(), algorithm)
        found = ask(hand, POST, None, signature=b64encode(raw).decode())
        assert found["id"] == "wrong_hash"
        assert name in found["message"]
        assert found["mistakes"] == ["wrong_hash"]
        assert "signed" not in found

    def test_another_hash_over_another_text_names_both(self, hand: Any) -> None:
        raw = self.made(hand, POST.with_(target=PATH), hashes.SHA1())
        found = ask(hand, POST, None, signature=b64encode(raw).decode())
        assert found["id"] == "wrong_hash"
        assert found["mistakes"] == ["wrong_hash", "query_left_out"]
        assert "SHA-1" in found["message"]
        assert "query: left out" in found["message"]

    def test_pss_is_named(self, hand: Any) -> None:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        key = hand.gateway.credentials["private_key"]
        raw = key.sign(POST.with_(), pss, hashes.SHA256())
        found = ask(hand, POST, None, signature=b64encode(raw).decode())
        assert found["id"] == "signature_pss"

    @pytest.mark.parametrize("salt", [32, padding.PSS.MAX_LENGTH])
    def test_pss_over_another_text_names_both(self, hand: Any, salt: Any) -> None:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
        key = hand.gateway.credentials["private_key"]
        raw = key.sign(POST.with_(target=PATH), pss, hashes.SHA256())
        found = ask(hand, POST, None, signature=b64encode(raw).decode())
        assert found["id"] == "signature_pss"
        assert found["mistakes"] == ["signature_pss", "query_left_out"]

    def made(self, hand: Any, text: bytes, algorithm: Any = None) -> bytes:
        key = hand.gateway.credentials["private_key"]
        raw: bytes = key.sign(text, padding.PKCS1v15(), algorithm or hashes.SHA256())
        return raw


class TestNonces:
    def test_replay_is_refused_with_its_own_sentence(
        self, hand: Any, outcome: Any
    ) -> None:
        again = request(hand, GET, GET.with_())
        assert hand.gateway.handle(again).status_code != 401
        response = hand.gateway.handle(again)
        assert outcome(response) == (401, "SIGN_ERROR", "nonce_replayed")
        detail = json.loads(response.content)["detail"]
        assert detail["field"] == "nonce_str"
        assert GET.nonce in detail["sandbox"]["message"]

    def test_refused_request_uses_up_no_nonce(self, hand: Any) -> None:
        ask(hand, GET, GET.with_(body="{}"))
        assert hand.gateway.handle(request(hand, GET, GET.with_())).status_code != 401

    @pytest.mark.parametrize("change", [{"timestamp": "1717225201"}, {"nonce": "N1"}])
    def test_another_timestamp_or_nonce_is_another_request(
        self, hand: Any, change: dict[str, str]
    ) -> None:
        hand.gateway.handle(request(hand, GET, GET.with_()))
        other = Text(**{**vars(GET), **change})
        assert (
            hand.gateway.handle(request(hand, other, other.with_())).status_code != 401
        )

    def test_nonce_of_an_earlier_request_is_recognised(self, hand: Any) -> None:
        hand.gateway.handle(request(hand, GET, GET.with_()))
        fresh = Text(**{**vars(LIST), "nonce": "N2"})
        found = ask(hand, fresh, fresh.with_(nonce=GET.nonce))
        assert found["mistakes"] == ["nonce_of_earlier_request"]

    def test_repeat_by_the_client_has_a_nonce_of_its_own(
        self, gateway: Gateway, call: Any
    ) -> None:
        client = gateway.client()
        for _ in range(3):
            assert call(client.v3.security.echo.post, {"echo_message": "hi"}).verified


class TestUnknown:
    def test_unknown_text_is_left_unnamed(self, hand: Any) -> None:
        found = ask(hand, POST, b"something else")
        assert found["id"] == "wrong_message"
        assert found["mistakes"] == []
        assert "no mistake that is known explains it" in found["message"]
        assert "signed" not in found

    def test_text_that_the_client_tells_is_compared_line_by_line(
        self, hand: Any
    ) -> None:
        signed = POST.with_(target="/v9/other", body=COMPACT.replace("wx1", "wx2"))
        told = {"Wechatpay-Sandbox-Signed": b64encode(signed).decode()}
        found = ask(hand, POST, signed, headers=told)
        assert found["signed"] == visible(signed)
        assert found["differences"] == differences(POST.with_(), signed)
        assert [one.partition(":")[0] for one in found["differences"]] == [
            "url",
            "body",
        ]
        assert "'/v9/other' signed" in found["differences"][0]

    def test_text_that_is_told_but_was_not_signed_is_not_believed(
        self, hand: Any
    ) -> None:
        told = {"Wechatpay-Sandbox-Signed": b64encode(b"a lie").decode()}
        found = ask(hand, POST, b"something else", headers=told)
        assert "is not it either" in found["message"]
        assert "signed" not in found

    @pytest.mark.parametrize("value", ["", "!", "户"])
    def test_header_that_is_no_base64_is_passed_over(
        self, hand: Any, value: str
    ) -> None:
        told = {"Wechatpay-Sandbox-Signed": value}
        assert ask(hand, POST, b"else", headers=told)["mistakes"] == []


CHARS = "abcXYZ019-_.~%2F|户 {}[]\"'\\/?&=+"


def random_text(source: random.Random) -> Text:
    """A request that is made of anything that a request line and a body may hold."""
    path = quote("".join(source.choices(CHARS, k=source.randrange(20))), safe="|*'/")
    query = quote("".join(source.choices(CHARS, k=source.randrange(20))), safe="&=+'")
    fields = {
        "".join(source.choices(CHARS, k=5)): "".join(source.choices(CHARS, k=9))
        for _ in range(source.randrange(5))
    }
    body = source.choice([b"", json.dumps(fields).encode(), b"\n", b"\xff\x00"])
    return Text(
        source.choice(["GET", "POST", "PUT", "PATCH", "DELETE"]),
        f"/v3/{path}" + (f"?{query}" if source.random() < 0.7 else ""),
        nonce=f"{source.getrandbits(128):032x}",
        body=body,
    )


def test_no_mistake_is_named_in_a_thousand_right_messages(
    gateway: Gateway, hand: Any
) -> None:
    source = random.Random(4)
    for _ in range(1000):
        text = random_text(source)
        response = gateway.handle(request(hand, text, text.with_()))
        assert response.status_code != 401, text


def test_what_is_named_is_what_was_signed(hand: Any) -> None:
    """One byte of the text is changed at random: a name is right, or there is none."""
    source = random.Random(5)
    for _ in range(100):
        text = random_text(source)
        spoilt = bytearray(text.with_())
        spoilt[source.randrange(len(spoilt))] ^= 1 << source.randrange(8)
        signed = bytes(spoilt)
        found = ask(hand, text, signed)
        assert found["signed_sha256"] == hashlib.sha256(signed).hexdigest()
        if found["mistakes"]:
            assert found["signed"] == visible(signed)


def test_random_text_is_never_named(hand: Any) -> None:
    source = random.Random(6)
    for _ in range(100):
        text = random_text(source)
        assert ask(hand, text, source.randbytes(len(text.with_())))["mistakes"] == []
