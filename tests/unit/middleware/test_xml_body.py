"""Flat XML and nothing else."""

from __future__ import annotations

import enum
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wechatpay_chain.middleware import xml_body


class Number(enum.IntEnum):
    ONE = 1


#: What XML can hold. A reader turns a CR that is not escaped into LF.
TEXT = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"],
        exclude_characters="\ufffe\uffff",
        include_characters="\t\n\r",
    )
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]*", fullmatch=True)


@settings(deadline=None)
@given(st.dictionaries(NAMES, TEXT))
def test_fields_come_back(fields: dict[str, str]) -> None:
    content = xml_body.dump(xml_body.fields(fields))
    assert xml_body.load(content) == fields
    read = {part.tag: part.text or "" for part in ElementTree.fromstring(content)}
    assert read == fields


def test_values_become_text_and_none_is_left_out() -> None:
    given = {"a": 1, "b": None, "c": "", "d": Number.ONE}
    assert xml_body.fields(given) == {"a": "1", "c": "", "d": "1"}


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"<xml/>", {}),
        (b"<xml>\n <a>1</a>\n <b/>\n</xml>", {"a": "1", "b": ""}),
        (b"<xml><a><![CDATA[<b>]]>c&amp;&#20803;</a></xml>", {"a": "<b>c&元"}),
        (b"<xml><!-- x --><a x='1'>1<!-- y -->2</a><?p i?></xml>", {"a": "12"}),
        (
            '<?xml version="1.0" encoding="utf-8"?><xml><a>支</a></xml>'.encode(),
            {"a": "支"},
        ),
        (b"<xml><a>1\r\n2</a></xml>", {"a": "1\n2"}),
    ],
)
def test_reading(content: bytes, fields: dict[str, str]) -> None:
    assert xml_body.load(content) == fields


def test_another_root_is_refused_unless_it_is_expected() -> None:
    with pytest.raises(ValueError, match="<xml> is expected, not <html>"):
        xml_body.load(b"<html/>")
    assert xml_body.load(b"<root><a>1</a></root>", root="root") == {"a": "1"}


def test_a_document_of_billions_of_laughs_is_refused_at_once() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "&{a};&{a};">' for a, b in zip("abcdef", "bcdefg")
    )
    with pytest.raises(ValueError, match="document type declaration"):
        xml_body.load(f"{laughs}]><xml><x>&g;</x></xml>".encode())


@pytest.mark.parametrize(
    "content", [b"", b"text", b"<xml>", b"<xml/><b/>", b"\x00", b"<xml><b>"]
)
def test_what_is_no_document_is_a_value_error(content: Any) -> None:
    with pytest.raises(ValueError, match="not XML"):
        xml_body.load(content)
