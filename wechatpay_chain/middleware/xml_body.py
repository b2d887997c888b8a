"""XML as APIv2 has it: ``<xml>`` with one flat child a field (protocol section 16).

Reading refuses DTDs, entities and nested elements.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from xml.parsers import expat

from .._shapes import mapping, plain
from ..errors import EncodeError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
#: What XML 1.0 cannot hold even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def fields(value: object) -> dict[str, str]:
    """The fields of a v2 body as text. Raises ``EncodeError`` naming the bad one."""
    given = mapping(value)
    if given is None:
        raise EncodeError(
            f"xml: a mapping of fields expected, got {type(value).__name__}"
        )
    out: dict[str, str] = {}
    for name, item in given.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise EncodeError(f"xml: {name!r} cannot be an element name")
        if item is None:
            continue
        if isinstance(item, bool) or not isinstance(item, (str, int)):
            raise EncodeError(
                f"xml.{name}: str or int expected, got {type(item).__name__}; a nested "
                "value goes in as JSON text"
            )
        text = plain(item)
        if _ILLEGAL.search(text):
            raise EncodeError(f"xml.{name}: holds a character that XML cannot")
        out[name] = text
    return out


def dump(values: Mapping[str, str]) -> bytes:
    """The bytes of a flat ``<xml>`` document.

    >>> dump({"a": "1 < 2"})
    b'<xml><a><![CDATA[1 < 2]]></a></xml>'
    """
    body = "".join(
        f"<{name}><![CDATA[{_cdata(value)}]]></{name}>"
        for name, value in values.items()
    )
    return f"<xml>{body}</xml>".encode()


def _cdata(value: str) -> str:
    """*value* within CDATA, which has no escapes: these stand between two of it.

    A carriage return as it is would be read as a line feed, and ``sign`` not hold.
    """
    value = value.replace("]]>", "]]]]><![CDATA[>")
    return value.replace("\r", "]]>&#13;<![CDATA[")


def is_xml(content: bytes) -> bool:
    """Whether *content* begins as XML does; a bill in CSV does not."""
    return content.removeprefix(BOM_UTF8).lstrip().startswith(b"<")


def load(content: bytes, root: str = "xml") -> dict[str, str]:
    """The fields of a flat document; ``ValueError`` for anything else."""
    reader = _Reader(root)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError) as error:  # an encoding nobody knows
        raise ValueError(f"not XML: {error}") from None
    return reader.fields


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a document type declaration is refused")


class _Reader:
    def __init__(self, root: str) -> None:
        self._root = root
        self.fields: dict[str, str] = {}
        self._depth = 0
        self._parts: list[str] = []

    def start(self, name: str, attributes: object) -> None:
        del attributes
        self._depth += 1
        if self._depth == 1 and name != self._root:
            raise ValueError(f"the element <{self._root}> is expected, not <{name}>")
        if self._depth > 2:
            raise ValueError(f"a nested element <{name}> is refused")
        if self._depth == 2 and name in self.fields:
            raise ValueError(f"the element <{name}> appears twice")
        self._parts = []

    def end(self, name: str) -> None:
        if self._depth == 2:
            self.fields[name] = "".join(self._parts)
        self._depth -= 1

    def text(self, data: str) -> None:
        if self._depth == 2:
            self._parts.append(data)
