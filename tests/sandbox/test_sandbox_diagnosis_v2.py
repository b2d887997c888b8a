"""APIv2: which key, which hash and which text a wrong sign was made with."""

from __future__ import annotations

import hashlib
import hmac
import random
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from wechatpay_chain.crypto.field_mistakes import FIELD_MISTAKES, Change
from wechatpay_chain.sandbox.signatures.diagnosis import Mistake
from wechatpay_chain.sandbox.signatures.diagnosis_v2 import MISTAKES_V2, check

KEY = "sandbox-v2-key-00000000000000000"
V3_KEY = "sandbox-v3-key-00000000000000000"
OTHERS = {"the APIv3 key of this merchant": V3_KEY, "that of merchant 1900000002": "k"}
FIELDS = {
    "mch_id": "1900000001",
    "appid": "wxd678efh567hg6787",
    "nonce_str": "N0",
    "attach": "",
    "Detail": "<a> ",
    "body": "用户 & 户",
    "sign_type": "MD5",
}
MADE = ("appid", "body", "mch_id", "nonce_str", "sign_type")


def lines(*names: str, **changes: str) -> str:
    """``name=value`` of some fields, in that order."""
    fields = {**FIELDS, **changes}
    return "&".join(f"{name}={fields[name]}" for name in names)


RIGHT = lines("Detail", *MADE)
KEYED = f"{RIGHT}&key={KEY}"


def md5(text: str, encoding: str = "utf-8") -> str:
    return hashlib.md5(text.encode(encoding)).hexdigest().upper()


def mac(text: str, key: str, name: str = "sha256") -> str:
    return hmac.new(key.encode(), text.encode(), name).hexdigest().upper()


def joined(pairs: list[tuple[str, str]], joint: str = "&") -> str:
    return joint.join(f"{name}={value}" for name, value in pairs) + f"&key={KEY}"


PAIRS = [(name, FIELDS[name]) for name in ("Detail", *MADE)]

#: The sign, and the ids of what is wrong with it.
CASES: list[tuple[str, str]] = [
    ("sign_lower_case", md5(KEYED).lower()),
    ("sign_algorithm", mac(KEYED, KEY)),
    ("sign_algorithm", mac(KEYED, KEY, "md5")),
    ("sign_algorithm", hashlib.sha256(KEYED.encode()).hexdigest().upper()),
    ("sign_algorithm", hashlib.sha1(KEYED.encode()).hexdigest().upper()),
    ("key_of_another", md5(f"{RIGHT}&key={V3_KEY}")),
    ("key_of_another", md5(f"{RIGHT}&key=k")),
    ("key_white_space", md5(f"{KEYED}\n")),
    ("key_white_space", md5(f"{RIGHT}&key= {KEY}")),
    ("key_hashed", md5(f"{RIGHT}&key={md5(KEY)}")),
    ("key_hashed", md5(f"{RIGHT}&key={md5(KEY).lower()}")),
    ("key_left_out", md5(RIGHT)),
    ("key_without_name", md5(RIGHT + KEY)),
    ("key_without_ampersand", md5(f"{RIGHT}key={KEY}")),
    ("key_in_upper_case_name", md5(f"{RIGHT}&KEY={KEY}")),
    ("key_first", md5(f"key={KEY}&{RIGHT}")),
    (
        "key_sorted",
        md5(f"{lines('Detail', 'appid', 'body')}&key={KEY}&{lines(*MADE[2:])}"),
    ),
    (
        "fields_empty_included",
        md5(f"{lines('Detail', 'appid', 'attach', *MADE[1:])}&key={KEY}"),
    ),
    (
        "fields_empty_as_text",
        md5(
            f"{lines('Detail', 'appid', 'attach', *MADE[1:], attach='null')}&key={KEY}"
        ),
    ),
    (
        "fields_unsorted",
        md5(joined([pair for pair in FIELDS.items() if pair[1]])),
    ),
    (
        "fields_sorted_without_case",
        md5(f"{lines('appid', 'body', 'Detail', *MADE[2:])}&key={KEY}"),
    ),
    ("fields_left_out", md5(f"{lines('Detail', *MADE[:4])}&key={KEY}")),
    ("fields_left_out", md5(f"{lines(*MADE)}&key={KEY}")),
    (
        "fields_of_names_in_lower_case",
        md5(joined(sorted((name.lower(), value) for name, value in PAIRS))),
    ),
    ("values_encoded", md5(joined([(name, quote(value)) for name, value in PAIRS]))),
    ("values_escaped", md5(joined([(name, escape(value)) for name, value in PAIRS]))),
    (
        "values_in_cdata",
        md5(joined([(name, f"<![CDATA[{value}]]>") for name, value in PAIRS])),
    ),
    ("values_stripped", md5(joined([(name, value.strip()) for name, value in PAIRS]))),
    ("values_quoted", md5(joined([(name, f'"{value}"') for name, value in PAIRS]))),
    ("values_left_out", md5("&".join(name for name, _ in PAIRS) + f"&key={KEY}")),
    ("names_left_out", md5("&".join(value for _, value in PAIRS) + f"&key={KEY}")),
    ("joined_otherwise", md5(joined(PAIRS, ""))),
    ("encoding_gbk", md5(KEYED, "gb18030")),
    # Two at a time.
    ("sign_algorithm key_of_another", mac(f"{RIGHT}&key={V3_KEY}", V3_KEY)),
    ("sign_algorithm key_left_out", mac(RIGHT, KEY)),
    ("sign_lower_case sign_algorithm", mac(KEYED, KEY).lower()),
    (
        "key_of_another fields_unsorted",
        md5(joined([pair for pair in FIELDS.items() if pair[1]]).replace(KEY, V3_KEY)),
    ),
    (
        "sign_lower_case fields_left_out",
        md5(f"{lines('Detail', *MADE[:4])}&key={KEY}").lower(),
    ),
]


def refused(fields: dict[str, str], **options: Any) -> Mistake:
    with pytest.raises(Mistake) as caught:
        check(fields, KEY, OTHERS, **options)
    assert caught.value.identifier in MISTAKES_V2
    return caught.value


@pytest.mark.parametrize(
    ("names", "sign"), CASES, ids=[f"{one[0]}-{n}" for n, one in enumerate(CASES)]
)
def test_wrong_sign_is_named_exactly(names: str, sign: str) -> None:
    mistake = refused({**FIELDS, "sign": sign})
    assert mistake.identifier == "wrong_sign"
    assert " ".join(mistake.more["mistakes"]) == names
    assert mistake.more["expected"] == f"{RIGHT}&key=***"


def test_every_mistake_has_a_case() -> None:
    named = {name for names, _ in CASES for name in names.split()}
    assert named == FIELD_MISTAKES.keys()


@pytest.mark.parametrize(("names", "sign"), CASES)
def test_no_key_is_shown(names: str, sign: str) -> None:
    mistake = refused({**FIELDS, "sign": sign})
    shown = f"{mistake} {mistake.more}"
    assert KEY not in shown
    assert V3_KEY not in shown


@pytest.mark.parametrize(
    ("sign", "sign_type"),
    [
        (md5(KEYED), "MD5"),
        (mac(KEYED.replace("=MD5", "=HMAC-SHA256"), KEY), "HMAC-SHA256"),
    ],
)
def test_right_sign_is_accepted(sign: str, sign_type: str) -> None:
    check({**FIELDS, "sign_type": sign_type, "sign": sign}, KEY, OTHERS)


def test_default_algorithm_is_what_the_endpoint_says() -> None:
    fields = {"a": "1", "sign": mac(f"a=1&key={KEY}", KEY)}
    check(fields, KEY, OTHERS, default="HMAC-SHA256")
    assert refused(fields).more["mistakes"] == ["sign_algorithm"]


@pytest.mark.parametrize(
    ("changes", "identifier", "field"),
    [
        ({}, "sign_missing", "sign"),
        ({"sign": ""}, "sign_missing", "sign"),
        ({"sign": "A" * 32, "sign_type": "RSA"}, "sign_type_unknown", "sign_type"),
        ({"sign": "A" * 31}, "sign_malformed", "sign"),
        ({"sign": "Z" * 32}, "sign_malformed", "sign"),
        ({"sign": "签名"}, "sign_malformed", "sign"),
        ({"sign": "A" * 32}, "wrong_sign", "sign"),
    ],
)
def test_sign_that_is_none_is_told_apart(
    changes: dict[str, str], identifier: str, field: str
) -> None:
    mistake = refused({**FIELDS, **changes})
    assert (mistake.identifier, mistake.field) == (identifier, field)


def test_key_that_is_that_of_another_too_is_not_blamed() -> None:
    with pytest.raises(Mistake) as caught:
        check({"a": "1", "sign": "A" * 32}, KEY, {"merchant 1900000002": KEY})
    assert caught.value.more["mistakes"] == []


def test_repr_of_a_change_has_no_key() -> None:
    change = Change("key_of_another", "key", KEY, (("owner", "x"),))
    assert repr(change) == "<Change key_of_another>"


def test_unknown_sign_is_left_unnamed() -> None:
    mistake = refused({**FIELDS, "sign": "A" * 32})
    assert mistake.more["mistakes"] == []
    assert "no mistake that is known explains it" in mistake.sentence


def test_fields_without_any_value_are_signed_with_the_key_alone() -> None:
    check({"a": "", "sign": md5(f"key={KEY}")}, KEY, {})


def test_no_right_sign_is_refused_and_no_random_one_named() -> None:
    source = random.Random(7)
    for _ in range(1000):
        names = source.sample("abcdefgXYZ", source.randrange(1, 8))
        fields = {name: "".join(source.choices("户 &=<x0", k=3)) for name in names}
        text = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
        check({**fields, "sign": md5(f"{text}&key={KEY}")}, KEY, OTHERS)
    for _ in range(20):
        sign = f"{source.getrandbits(128):032X}"
        assert refused({**FIELDS, "sign": sign}).more["mistakes"] == []


@pytest.mark.parametrize(("count", "names"), [(5, ["encoding_gbk"]), (5000, [])])
def test_search_gives_up_where_there_is_too_much_text(
    count: int, names: list[str]
) -> None:
    fields = {f"f{number:04}": "户" * 100 for number in range(count)}
    text = "&".join(f"{name}={one}" for name, one in fields.items())
    sign = md5(f"{text}&key={KEY}", "gb18030")
    assert refused({**fields, "sign": sign}).more["mistakes"] == names
