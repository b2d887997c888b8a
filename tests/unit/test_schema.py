"""What a value is checked for, by itself; and the plans of all operations."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from wechatpay_chain import Request, catalogue
from wechatpay_chain._lookup import known
from wechatpay_chain._messages import Payload
from wechatpay_chain.catalogue import Field, Operation
from wechatpay_chain.catalogue.amounts import Money, is_money
from wechatpay_chain.catalogue.places import Places, parsed, places
from wechatpay_chain.catalogue.schema import check_members, check_value, got
from wechatpay_chain.crypto import Encrypted

TEXT = Field(type="string")
NUMBER = Field(type="integer")


def found(field: Field, value: Any, **options: Any) -> list[tuple[str, str, str, str]]:
    return [tuple(one.problem) for one in check_value(field, value, "x", **options)]


FITS: list[tuple[Field, Any]] = [
    (Field(), object()),
    (TEXT, "x"),
    (NUMBER, 5),
    (Field(type="integer", format="numeric"), "5"),
    (Field(type="number"), 0.5),
    (Field(type="number"), 5),
    (Field(type="boolean"), False),
    (Field(type="array"), ("x",)),
    (Field(type="object"), {"anything": 1}),
    (Field(type="object", fields={}), {"anything": 1}),
    (Field(type="file"), None),
    (Field(type="string", shortest=1, longest=2), "好好"),
    (Field(type="string", enum=("A", "B"), longest=0), "B"),
    (Field(type="integer", enum=(1, 2)), 2),
    (Field(type="integer", minimum=1, maximum=3), 3),
    (Field(type="integer"), 2**63 - 1),
    (Field(type="string", pattern=r"\d{8}"), "20240601"),
    (Field(type="array", items=NUMBER, longest=2), [1, 2]),
    (Field(type="string", nullable=True, shortest=1), ""),
    (Field(type="string", nullable=True), None),
    (Field(type="string", content=NUMBER, content_kind="plain"), "no JSON"),
]


@pytest.mark.parametrize(("field", "value"), FITS)
def test_fits(field: Field, value: Any) -> None:
    assert found(field, value) == []


def test_a_ciphertext_has_no_length_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Encrypted, "exist", Encrypted.exist)  # as it was, afterwards
    field = Field(type="string", encrypted="rsa-platform", longest=2)
    assert found(field, Encrypted("xxx", "S")) == []
    assert len(found(field, "xxx")) == 1


DIFFERS: list[tuple[Field, Any, tuple[str, str, str, str]]] = [
    (TEXT, 5, ("x", "type", "5", "text")),
    (TEXT, None, ("x", "type", "None", "text")),
    (NUMBER, "5", ("x", "type", "str of 1 characters", "an integer")),
    (NUMBER, True, ("x", "type", "True", "an integer")),
    (NUMBER, 1.0, ("x", "type", "1.0", "an integer")),
    (
        Field(type="integer", format="numeric"),
        "5.0",
        ("x", "type", "str of 3 characters", "an integer"),
    ),
    (Field(type="number"), True, ("x", "type", "True", "a number")),
    (Field(type="boolean"), 1, ("x", "type", "1", "True or False")),
    (Field(type="array"), "x", ("x", "type", "str of 1 characters", "a list")),
    (Field(type="object"), ["x"], ("x", "type", "list", "an object")),
    (
        Field(type="string", shortest=2),
        "好",
        ("x", "length", "1 characters", "at least 2 characters"),
    ),
    (
        Field(type="string", longest=2),
        "好好好",
        ("x", "length", "3 characters", "at most 2 characters"),
    ),
    (Field(type="string", enum=("A", "B")), "C", ("x", "enum", "'C'", "one of A, B")),
    (
        Field(type="string", enum=tuple("abcdefghijklmn")),
        "z" * 60,
        (
            "x",
            "enum",
            repr("z" * 40 + "..."),
            f"one of {', '.join('abcdefghijkl')}, ...",
        ),
    ),
    (
        Field(type="string", enum=("A",), encrypted="rsa-platform"),
        "张三",
        ("x", "enum", "str of 2 characters", "one of A"),
    ),
    (Field(type="integer", minimum=1), 0, ("x", "range", "0", "1 or more")),
    (Field(type="integer", maximum=1), 2, ("x", "range", "2", "1 or less")),
    (
        Field(type="integer"),
        2**63,
        ("x", "range", "9223372036854775808", "9223372036854775807 or less"),
    ),
    (
        Field(type="string", pattern=r"\d{8}"),
        "2024",
        ("x", "pattern", "str of 4 characters", r"the form \d{8}"),
    ),
    (
        Field(type="array", shortest=1, longest=1),
        [],
        ("x", "items", "0 items", "1 to 1 items"),
    ),
    (Field(type="array", items=TEXT), ["a", 5], ("x[1]", "type", "5", "text")),
    (
        Field(type="object", fields={"a": Field(type="object", fields={"b": TEXT})}),
        {"a": {"b": 5}},
        ("x.a.b", "type", "5", "text"),
    ),
    (
        Field(
            type="string",
            content=Field(type="array", items=NUMBER),
            content_kind="json",
        ),
        "[1, false]",
        ("x<json>[1]", "type", "False", "an integer"),
    ),
    (
        Field(type="string", content=NUMBER, content_kind="json"),
        "{",
        ("x", "type", "str of 1 characters", "JSON text"),
    ),
    (
        Field(type="string", encrypted="rsa-platform"),
        4403,
        ("x", "type", "int", "text"),
    ),
]


@pytest.mark.parametrize(("field", "value", "expected"), DIFFERS)
def test_differs(field: Field, value: Any, expected: tuple[str, str, str, str]) -> None:
    assert found(field, value) == [expected]


ALTERNATIVES = Field(
    options=(
        Field(type="object", fields={"a": TEXT, "b": TEXT}),
        Field(type="object", fields={"c": TEXT, "d": NUMBER}),
    )
)


def test_one_of_the_alternatives_will_do() -> None:
    assert found(ALTERNATIVES, {"c": "x", "d": 1}) == []


def test_of_alternatives_the_nearest_is_told() -> None:
    assert found(ALTERNATIVES, {"c": "x", "d": "1"}) == [
        ("x.d", "type", "str of 1 characters", "an integer")
    ]


TEXTS: list[tuple[Field, Any, bool]] = [
    (TEXT, 5, True),
    (TEXT, "5", True),
    (TEXT, 0.5, False),
    (NUMBER, "5", True),
    (NUMBER, "-5", True),
    (NUMBER, 5, True),
    (NUMBER, "5.0", False),
    (NUMBER, True, False),
    (Field(type="number"), "0.5", True),
    (Field(type="number"), "half", False),
    (Field(type="boolean"), True, True),
    (Field(type="boolean"), "true", True),
    (Field(type="array", items=NUMBER), '["x"]', True),
    (Field(type="object", fields={"a": NUMBER}), '{"a":"x"}', True),
    (Field(), 0.5, True),
    (Field(type="integer", maximum=50), "51", False),
    (NUMBER, "9" * 5000, False),
    (Field(type="integer", enum=(1, 2)), "2", True),
    (Field(type="string", longest=2), 123, False),
]


@pytest.mark.parametrize(("field", "value", "fits"), TEXTS)
def test_as_text(field: Field, value: Any, fits: bool) -> None:
    assert (found(field, value, text=True) == []) is fits


def test_what_one_source_alone_tells_is_not_sure() -> None:
    fields = {
        "a": Field(type="object", unsure=True, fields={"b": TEXT}),
        "c": Field(required=True, unsure=True),
        "d": TEXT,
    }
    findings = check_members(fields, {"a": {"b": 5}, "d": 5})
    assert {one.problem.path: one.sure for one in findings} == {
        "a.b": False,
        "c": False,
        "d": True,
    }


def test_a_name_of_the_callers_is_cut() -> None:
    (finding,) = check_members({"a": TEXT}, {"n" * 60: 1}, "x")
    assert finding.problem.path == "x." + "n" * 40 + "..."
    assert finding.problem.expected == "a documented name"


@pytest.mark.parametrize("value", ["{", "5", "null", "text", 5, None, "[" * 100_000])
def test_what_is_no_json_object_or_array(value: Any) -> None:
    assert parsed(value) is None


def test_got_shows_no_text() -> None:
    assert got("secret") == "str of 6 characters"
    assert got(b"secret") == "bytes"


# Places.


def secrets(field: Field) -> Places[str]:
    made = places(field, lambda name, inner, within: inner.encrypted)
    assert made is not None
    return made


SECRET = Field(type="string", encrypted="rsa-platform")
NESTED = Field(
    type="object",
    fields={
        "plain": TEXT,
        "list": Field(type="array", items=SECRET),
        "text": Field(
            type="string",
            content=Field(type="object", fields={"name": SECRET}),
            content_kind="json",
        ),
        "inner": Field(type="object", fields={"name": SECRET, "x": TEXT}),
    },
)


def upper(path: str, value: Any, mark: str | None) -> Any:
    return value if mark is None or value.isupper() else value.upper()


def test_each_place_is_rewritten_and_nothing_is_changed() -> None:
    given = {
        "plain": "p",
        "list": ["a", "b"],
        "text": '{"name": "c", "x": 1.5}',
        "inner": {"name": "d", "x": "e"},
        "other": 1,
    }
    before = repr(given)
    assert secrets(NESTED).rewrite(given, upper) == {
        "plain": "p",
        "list": ["A", "B"],
        "text": '{"name":"C","x":1.5}',
        "inner": {"name": "D", "x": "e"},
        "other": 1,
    }
    assert repr(given) == before


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"plain": "p"},
        {"list": [], "inner": {}},
        {"list": None, "text": None},
        {"list": ["A"], "text": '{"name": "A"}', "inner": {"name": "A"}},
        {"list": "a", "text": "no JSON", "inner": ["a"]},
        None,
        [],
    ],
)
def test_what_does_not_change_is_the_same_object(given: Any) -> None:
    assert secrets(NESTED).rewrite(given, upper) is given


def test_places_have_their_paths() -> None:
    given = {"list": ["a", "b"], "text": '{"name":"c"}', "inner": ["x"]}
    assert [(path, mark) for path, _, mark in secrets(NESTED).found(given)] == [
        ("list[0]", "rsa-platform"),
        ("list[1]", "rsa-platform"),
        ("text<json>.name", "rsa-platform"),
        ("inner", None),
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, False),
        ({}, False),
        ({"plain": "p", "inner": {"x": "y"}, "list": None}, False),
        ({"inner": {"name": "d"}}, True),
        ({"list": []}, True),
        ({"text": "no JSON"}, True),
        ("of another shape", True),
        ({"inner": "of another shape"}, True),
    ],
)
def test_a_quick_look_misses_no_place(given: Any, expected: bool) -> None:
    assert secrets(NESTED).may_be_in(given) is expected
    assert expected or not secrets(NESTED).found(given)


@pytest.mark.parametrize(
    "field",
    [
        TEXT,
        Field(),
        Field(type="array", items=TEXT),
        Field(type="string", content=NESTED, content_kind="plain"),
        Field(
            type="string",
            content=Field(type="object", fields={"a": TEXT}),
            content_kind="json",
        ),
    ],
)
def test_where_nothing_is_marked_there_are_no_places(field: Field) -> None:
    assert places(field, lambda name, inner, within: inner.encrypted) is None


# Money.

MONEY = ["amount", "total_fee", "total", "refund", "unit_price", "max_fee_per_day"]
NO_MONEY = ["total_count", "fee_count", "quantity", "refund_quantity", "limit", "id"]


@pytest.mark.parametrize("name", MONEY)
def test_is_money(name: str) -> None:
    assert is_money(name, NUMBER)
    assert not is_money(name, TEXT)


@pytest.mark.parametrize("name", NO_MONEY)
def test_is_no_money(name: str) -> None:
    assert not is_money(name, NUMBER)


@pytest.mark.parametrize(
    ("mark", "value", "accepted"),
    [
        (Money(signed=False, digits=False), 0, True),
        (Money(signed=False, digits=False), -1, False),
        (Money(signed=True, digits=False), -1, True),
        (Money(signed=False, digits=False), True, False),
        (Money(signed=False, digits=False), "1", False),
        (Money(signed=False, digits=True), "1", True),
        (Money(signed=False, digits=True), "-1", False),
        (Money(signed=True, digits=True), "-1", True),
        (Money(signed=False, digits=True), "1.0", False),
        (Money(signed=True, digits=True), 1.0, False),
    ],
)
def test_an_amount(mark: Money, value: Any, accepted: bool) -> None:
    assert mark.accepts(value) is accepted


# Every operation.


OPERATIONS = list(catalogue.operations())


def leaves(made: Places[Any] | None, path: str = "") -> set[str]:
    """The places as the catalogue writes them."""
    if made is None:
        return set()
    if made.mark is not None:
        return {path}
    out = leaves(made.items, f"{path}[]") | leaves(made.content, f"{path}<json>")
    for name, inner in made.fields:
        out |= leaves(inner, f"{path}.{name}" if path else name)
    return out


def test_plans_have_the_places_of_the_catalogue() -> None:
    """None is lost: there are none in alternatives, or in texts that are no JSON."""
    for one in OPERATIONS:
        hidden = leaves(one.plan.hidden_body) | one.plan.hidden_query
        concealed = {place for place, _ in one.concealed}
        for place, field in (one.body or Field()).walk():
            if field.encrypted == "rsa-bank":
                concealed.add(place)
        if one.encoding == "multipart":
            concealed = {place.removeprefix("meta<json>.") for place in concealed}
        assert hidden == concealed, one
        assert leaves(one.plan.revealed) == {place for place, _ in one.revealed}, one


def test_plans_know_their_placeholders() -> None:
    for one in OPERATIONS:
        holes = [part[1:-1] for part in one.template.split("/") if part[:1] == "{"]
        assert set(holes) == set(one.path), one


def test_there_is_an_amount_where_somebody_pays() -> None:
    paying = catalogue.find("POST", "v3/pay/transactions/jsapi")
    assert paying is not None
    assert "amount.total" in leaves(paying.plan._money)


def test_a_body_that_may_hold_anything_is_not_looked_into() -> None:
    operation = catalogue.find("POST", "v2/applyment/micro/signcontract")
    assert operation is not None
    assert operation.body is not None
    assert not operation.body.fields
    request = Request("POST", "https://h/x", payload=Payload("xml", {"any": "thing"}))
    assert [
        *operation.plan.findings(request.replace(template=operation.template))
    ] == []


# What is known of a template.


@pytest.mark.parametrize(
    "text",
    [
        "v3/payscore/serviceorder/{out_order_no}/cancel",
        "v3/payscore/serviceorder/{order_no}/cancel",
        "v3/payscore/serviceorder/1234323JKHDFE/cancel",
        "v3/payscore/serviceorder/{out_order_no}/cancel?a={b}",
        "v3/payscore/serviceorder/a%2Fb/cancel?a=1",
        "v3/payscore/serviceorder/{out_order_no}/cancel/",
        "v3/payscore/serviceorder/{order_no}/cancel/?a=1",
        "v3/payscore/serviceorder/{out_order_no}/%63ancel",
    ],
)
def test_an_operation_is_known_however_it_is_filled(text: str) -> None:
    assert str(known("POST", text)) == (
        "POST v3/payscore/serviceorder/{out_order_no}/cancel"
    )


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("PUT", "v3/payscore/serviceorder/{out_order_no}/cancel"),
        ("POST", "v3/published/{tomorrow}"),
        ("POST", "v3/{segment}/x"),
        ("GET", "v3"),
        ("POST", "v3/payscore/serviceorder/{out_order_no}%2Fcancel"),
        ("POST", "v3/payscore/serviceorder/{out_order_no}/cancel//"),
        ("GET", "{+all}"),
        ("GET", "https"),
    ],
)
def test_what_is_not_in_the_catalogue_is_not_known(method: str, text: str) -> None:
    assert known(method, text) is None


def test_an_operation_is_a_plain_value_with_its_plan() -> None:
    operation = Operation("POST", "v3/x", "x")
    assert operation.plan is operation.plan
    assert operation == Operation("POST", "v3/x", "x")


def test_the_catalogue_is_loaded_with_the_first_call_and_not_before() -> None:
    program = """
import sys
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from wechatpay_chain import MemoryTransport, WeChatPay

def fails(request):
    raise OSError

key, other = (generate_private_key(65537, 2048) for _ in range(2))
client = WeChatPay(
    mchid="1900000109",
    serial="3775B6A45ACD588826D15E583A95F5DD00000000",
    private_key=key,
    certs={"PUB_KEY_ID_0114232134912410000000000000": other.public_key()},
    transport=MemoryTransport(fails),
    retry=1,
)
assert "wechatpay_chain.catalogue" not in sys.modules
try:
    client.v3.security.echo.post({"echo_message": "hi"})
except OSError:
    pass
assert "wechatpay_chain.catalogue" in sys.modules
from wechatpay_chain.catalogue.store import _segment
assert _segment.cache_info().currsize == 1
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
