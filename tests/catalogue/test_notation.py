"""The notation of the data files: what each mark means, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wechatpay_chain.catalogue import Field, layout
from wechatpay_chain.catalogue.notation import (
    NotationError,
    parse_field,
    parse_fields,
    parse_message,
    parse_operation,
)

PERSON = Field(type="object", label="某人", fields={"name": Field(type="string")})


def definitions(name: str) -> Field:
    if name != "Person":
        raise NotationError(f"@{name} is not there")
    return PERSON


def parsed(value: Any) -> Field:
    return parse_field(value, definitions)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("string", {"type": "string"}),
        ("string # 商户号", {"type": "string", "label": "商户号"}),
        ("string(rfc3339)", {"type": "string", "format": "rfc3339"}),
        ("string(mm/yy)", {"type": "string", "format": "mm/yy"}),
        ("string 1..32", {"type": "string", "shortest": 1, "longest": 32}),
        ("string ..32", {"type": "string", "longest": 32}),
        ("string 1..", {"type": "string", "shortest": 1}),
        ("integer 1..500", {"type": "integer", "minimum": 1, "maximum": 500}),
        ("number -5..5", {"type": "number", "minimum": -5, "maximum": 5}),
        ("integer chars:..11", {"type": "integer", "longest": 11}),
        ("array 1..50", {"type": "array", "shortest": 1, "longest": 50}),
        ("string in:A|B", {"type": "string", "enum": ("A", "B")}),
        ("integer in:1|2", {"type": "integer", "enum": (1, 2)}),
        ("string =CNY", {"type": "string", "default": "CNY"}),
        ("integer =20", {"type": "integer", "default": 20}),
        ("boolean =false", {"type": "boolean", "default": False}),
        ("string encrypted:x", {"type": "string", "encrypted": "x"}),
        ("string signed:rsa-merchant", {"type": "string", "signed": "rsa-merchant"}),
        ("string nullable", {"type": "string", "nullable": True}),
        ("string deprecated", {"type": "string", "deprecated": True}),
        ("any", {}),
        (["string"], {"type": "array", "items": Field(type="string")}),
        (
            ["string", "array 1..3 # 图片"],
            {
                "type": "array",
                "items": Field(type="string"),
                "shortest": 1,
                "longest": 3,
                "label": "图片",
            },
        ),
        (
            {"$": "string", "$pattern": "[a-z #]+"},
            {"type": "string", "pattern": "[a-z #]+"},
        ),
        ({"$": "string", "$in": ["a b"]}, {"type": "string", "enum": ("a b",)}),
        ({"$": "string", "$default": "{}"}, {"type": "string", "default": "{}"}),
        (
            {"$oneOf": ["string", "integer"]},
            {"options": (Field(type="string"), Field(type="integer"))},
        ),
        (
            {"$": "string", "$json": "any"},
            {"type": "string", "content": Field(), "content_kind": "json"},
        ),
        (
            {"$": "file", "$failure": "string"},
            {"type": "file", "failure": Field(type="string")},
        ),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_is_what_its_text_says(text: Any, said: dict[str, Any]) -> None:
    assert parsed(text) == Field(**said)


def test_fields_are_required_or_not_sure_by_their_marks() -> None:
    fields = parsed({"a*": "string", "b": "string", "c?": "string", "d*?": "string"})
    assert fields.type == "object"
    assert fields.fields == {
        "a": Field(type="string", required=True),
        "b": Field(type="string"),
        "c": Field(type="string", unsure=True),
        "d": Field(type="string", required=True, unsure=True),
    }


def test_fields_cannot_be_changed() -> None:
    fields = parsed({"a": "string"}).fields
    with pytest.raises(TypeError):
        fields["b"] = Field()  # type: ignore[index]


def test_a_reference_is_its_definition_with_its_own_label() -> None:
    assert parsed("@Person").fields == PERSON.fields
    assert parsed("@Person").label == "某人"
    assert parsed("@Person # 付款人").label == "付款人"
    assert parsed("@Person").name == "Person"


def test_placeholders_are_always_required() -> None:
    assert parse_fields({"id": "string"}, definitions, required=True)["id"].required


def test_a_reference_stands_for_fields() -> None:
    assert parse_fields("@Person", definitions) == PERSON.fields


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("strin", "'strin' is no type"),
        ("string 1-32", "'1-32' is not understood"),
        ("string nulable", "'nulable' is not understood"),
        ("string in=A", "'in=A' is not understood"),
        ("", "comes first"),
        ("()", "comes first"),
        ("@Nobody", "@Nobody is not there"),
        ("integer in:A|B", "'A' is no integer"),
        ("boolean =no", "'no' is no boolean"),
        ([], "an array is its item"),
        (["any", "array", "any"], "an array is its item"),
        (3, "a text, list or mapping expected"),
        (None, "a text, list or mapping expected"),
        ({"$enum": ["a"]}, "'$enum' is not understood"),
        ({"$": "string", "a": "string"}, "has fields, and is no object"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_named(value: Any, what: str) -> None:
    with pytest.raises(NotationError) as caught:
        parsed(value)
    assert what in str(caught.value)


def operation(**said: Any) -> Any:
    given = {"title": "t", "answers": {"204": None}, **said}
    return parse_operation("POST v3/x/{id}", given, definitions)


@pytest.mark.parametrize(
    ("template", "said", "encoding"),
    [
        ("v3/x", {}, None),
        ("v3/x", {"body": "any"}, "json"),
        ("v2/x", {"body": "any"}, "xml"),
        ("v3/x", {"body": "any", "upload": True}, "multipart"),
        ("v3/x", {"body": "any", "encoding": "xml"}, "xml"),
    ],
)
def test_the_encoding_follows_from_the_version(
    template: str, said: dict[str, Any], encoding: str | None
) -> None:
    given = {"title": "t", "answers": {"204": None}, **said}
    made = parse_operation(f"POST {template}", given, definitions)
    assert made.encoding == encoding


def test_an_endpoint_has_its_parts() -> None:
    made = operation(
        path={"id": "string"},
        query={"limit": "integer"},
        headers={"X": "string"},
        body={"a*": "string"},
        roles=["服务商"],
        docs=["/doc/1", "https://open.work.weixin.qq.com/2"],
        answers={"200": {"b": "string"}, "204": None},
    )
    assert made.path["id"].required
    assert (made.method, made.template) == ("POST", "v3/x/{id}")
    assert made.roles == ("服务商",)
    assert made.docs == (
        "https://pay.weixin.qq.com/doc/1",
        "https://open.work.weixin.qq.com/2",
    )
    assert made.answer == Field(type="object", fields={"b": Field(type="string")})
    assert not made.empty
    assert operation().empty


@pytest.mark.parametrize(
    "said",
    [{"titel": "x"}, {"body": {"a": "strin"}}, {"path": {"id": 3}}],
    ids=str,
)
def test_what_is_wrong_with_an_endpoint_names_it(said: dict[str, Any]) -> None:
    with pytest.raises(NotationError, match=r"^POST v3/x/\{id\}: "):
        operation(**said)


def test_a_notification_has_its_resource_and_reply() -> None:
    said = {"title": "t", "also": ["B"], "resource": {"a": "string"}, "reply": "any"}
    made = parse_message("A", said, definitions)
    assert (made.event_type, made.also) == ("A", ("B",))
    assert made.resource is not None
    assert made.resource.fields == {"a": Field(type="string")}
    assert made.reply == Field()


# Any value, any file.

WORDS = st.text("abcXYZ019_-", min_size=1, max_size=8)
LABELS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=16
).filter(lambda label: " # " not in label)
LIMIT = st.none() | st.integers(0, 9999)


@given(
    kind=st.sampled_from(["string", "array"]),
    form=st.none() | WORDS,
    limits=st.tuples(LIMIT, LIMIT).filter(any),
    enum=st.lists(WORDS, max_size=4, unique=True),
    default=st.none() | WORDS,
    nullable=st.booleans(),
    label=st.just("") | LABELS,
)
def test_each_token_is_read_whatever_the_others_are(
    kind: Any,
    form: str | None,
    limits: tuple[int | None, int | None],
    enum: list[str],
    default: str | None,
    nullable: bool,
    label: str,
) -> None:
    enum, default = (enum, default) if kind == "string" else ([], None)
    low, high = ("" if limit is None else str(limit) for limit in limits)
    tokens = [kind + (f"({form})" if form else ""), f"{low}..{high}"]
    tokens += [f"in:{'|'.join(enum)}"] * bool(enum)
    tokens += [f"={default}"] * (default is not None)
    tokens += ["nullable"] * nullable
    text = " ".join(tokens) + (f" # {label}" if label else "")
    assert parsed(text) == Field(
        type=kind,
        format=form,
        shortest=limits[0],
        longest=limits[1],
        enum=tuple(enum),
        default=default,
        nullable=nullable,
        label=label,
    )


VALUES = st.recursive(
    st.sampled_from(["string", "integer 1..9 # 数", "@Person", "any"]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=1)
        | st.dictionaries(WORDS, inner, max_size=5)
        | st.fixed_dictionaries({"$oneOf": st.lists(inner, min_size=1, max_size=3)})
    ),
    max_leaves=40,
)


@given(VALUES)
def test_a_value_is_the_same_after_it_was_laid_out(value: Any) -> None:
    text = layout.written(value)
    assert json.loads(text) == value
    assert layout.written(json.loads(text)) == text
    assert parsed(json.loads(text)) == parsed(value)


@given(VALUES)
def test_a_line_is_broken_only_where_it_would_be_too_long(value: Any) -> None:
    for line in layout.written(value).splitlines():
        assert len(line) <= layout.WIDTH + 1  # a comma may follow
    assert "\n" not in layout.written(value)[:-1] or (
        len(json.dumps(value, ensure_ascii=False)) > layout.WIDTH
    )


def test_plain_items_fill_their_lines() -> None:
    text = layout.written({"long": [f"item number {at}" for at in range(30)]})
    lines = text.splitlines()
    assert lines[0] == "{"
    assert lines[1] == ' "long": ['
    assert all(130 < len(line) <= layout.WIDTH for line in lines[2:-3])
