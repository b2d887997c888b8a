"""What became of an answer since it was signed: found by its digest, by a fixed id."""

from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wechatpay_chain.crypto.answer_mistakes import ANSWER_MISTAKES, Answer, search

TEXT = '{"b":"用户/x","a":[1,null]}'
SENT = TEXT.encode()
NONCE = "Ab0123456789"


def holds(body: bytes, nonce: str = NONCE) -> Callable[[bytes], bool]:
    """What a signature over *body* holds; the text is written by hand."""
    text = b"1717225200\n" + nonce.encode() + b"\n" + body + b"\n"
    digest = hashlib.sha256(text).digest()
    return lambda candidate: hashlib.sha256(candidate).digest() == digest


CASES: list[tuple[str, bytes, bytes]] = [
    ("answer_line_ends", SENT, SENT + b"\n"),
    ("answer_line_ends", SENT, b" " + SENT + b"\r\n"),
    ("answer_line_ends", SENT + b"\n", SENT),
    ("answer_line_ends", b'{\r\n "a": 1}', b'{\n "a": 1}'),
    ("answer_line_ends", b'{\n "a": 1}', b'{\r\n "a": 1}'),
    ("answer_rewritten", SENT, json.dumps(json.loads(SENT)).encode()),
    ("answer_rewritten", SENT, json.dumps(json.loads(SENT), indent=2).encode()),
    ("answer_rewritten", TEXT.replace("/", r"\/").encode(), SENT),
    ("answer_empty", b"", b"{}"),
    ("answer_empty", b"", b"null"),
    ("answer_body_lost", b"{}", b""),
    ("answer_bom", SENT, b"\xef\xbb\xbf" + SENT),
    ("answer_bom", b"\xef\xbb\xbf" + SENT, SENT),
    ("answer_misread", SENT, SENT.decode("latin-1").encode()),
    ("answer_misread", "户".encode("gb18030"), "户".encode()),
    ("answer_misread", SENT, TEXT.encode("gb18030")),
    ("answer_quoted", SENT, str(SENT).encode()),
    ("answer_quoted", b"it's\n\t\\", str(b"it's\n\t\\").encode()),
    ("answer_quoted", SENT, json.dumps(TEXT).encode()),
    ("answer_base64", SENT, b64encode(SENT)),
    ("answer_base64_undone", b64encode(SENT), SENT),
    ("answer_compressed", SENT, gzip.compress(SENT, mtime=0)),
]


@pytest.mark.parametrize(
    ("name", "sent", "here"),
    CASES,
    ids=[f"{one[0]}-{n}" for n, one in enumerate(CASES)],
)
def test_alteration_is_named_with_what_was_sent(
    name: str, sent: bytes, here: bytes
) -> None:
    found = search(Answer("1717225200", NONCE, here), holds(sent))
    assert found is not None
    assert found.mistake.id == name
    assert found.there.body == sent


@pytest.mark.parametrize("nonce", [NONCE.lower(), NONCE.upper(), f" {NONCE} "])
def test_changed_nonce_is_named(nonce: str) -> None:
    signed = {NONCE.lower(): NONCE.upper(), NONCE.upper(): NONCE.lower()}
    right = signed.get(nonce, NONCE)
    found = search(Answer("1717225200", nonce, SENT), holds(SENT, right))
    assert found is not None
    assert found.mistake.id == "answer_nonce"
    assert found.there.nonce == right


def test_milliseconds_are_named() -> None:
    found = search(Answer("1717225200123", NONCE, SENT), holds(SENT))
    assert found is not None
    assert found.mistake.id == "answer_timestamp"


def test_every_mistake_is_shown_by_a_case() -> None:
    named = {name for name, _, _ in CASES} | {"answer_nonce", "answer_timestamp"}
    assert named == {one.id for one in ANSWER_MISTAKES}


@given(body=st.binary(max_size=60), other=st.binary(max_size=60))
@settings(deadline=None)
def test_what_is_found_is_what_was_signed(body: bytes, other: bytes) -> None:
    found = search(Answer("1717225200", NONCE, other), holds(body))
    assert found is None or found.there.body == body


@pytest.mark.parametrize(
    "body",
    [
        b"b'" + b"[" * 5000 + b"'",
        b'"' + b"\\",
        b"\x1f\x8b broken",
        b"b'\\xzz'",
        b"[" * 100_000,
        b"\xff\xfe",
        b" " * (1 << 19),
        gzip.compress(b"0" * (1 << 22), mtime=0),
    ],
)
def test_no_body_makes_it_fail(body: bytes) -> None:
    assert search(Answer("x", "\ud800", body), holds(b"other")) is None


def test_clause_gives_lengths_and_no_content() -> None:
    here = Answer("1717225200", NONCE, SENT + b"\n")
    found = search(here, holds(SENT))
    assert found is not None
    clause = found.mistake.clause(found.there, here)
    assert f"{len(SENT)} bytes, {len(SENT) + 1} are here" in clause
    assert repr(found) == "<AnswerFound answer_line_ends>"
    assert repr(here) == f"<Answer of {len(SENT) + 1} bytes>"
