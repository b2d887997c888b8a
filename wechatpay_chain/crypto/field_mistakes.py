"""Ways to get an APIv2 sign wrong, and the search for the one that was made.

MD5 and HMAC give nothing back. But a text and a key whose hash is the received sign are
the ones that were used: no two that anybody has met share one (protocol section 16).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, combinations
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

#: Makes ``name=value`` of each field that counts.
_Lines = Callable[[Mapping[str, str]], list[str]]
_SORT = "sorted by name, case counting, as ASCII has it"

#: Characters of text that one search may hash: some 50 ms.
LIMIT = 1 << 23
#: More fields than any request has; beyond, they are not taken out one by one.
_MANY = 64

#: Every mistake by its fixed id, and what is said of it.
FIELD_MISTAKES: dict[str, str] = {
    "sign_lower_case": "the sign is in lower case; upper case is expected",
    "sign_algorithm": "the sign was made with {made}; sign_type asks for {asked}",
    "key_of_another": "the key is {owner}; give the APIv2 key of this merchant",
    "key_white_space": "a space or line break was taken for a part of the key",
    "key_hashed": "the MD5 of the key was used in its place",
    "key_left_out": "'&key=' and the key were not appended to the text",
    "key_without_name": "the key was appended without '&key=' in front of it",
    "key_without_ampersand": "the key was appended without '&' in front of 'key='",
    "key_in_upper_case_name": "'&KEY=' was appended; '&key=' is expected",
    "key_first": "the key stands at the beginning of the text, not at the end",
    "key_sorted": "the key was sorted among the fields; it is appended after them",
    "fields_empty_included": "fields without a value were signed; they are left out",
    "fields_empty_as_text": "fields without a value were signed as {text!r}",
    "fields_unsorted": f"the fields were signed in the order of sending, not {_SORT}",
    "fields_sorted_without_case": f"the fields were not {_SORT}",
    "fields_left_out": "{name} was left out of the signed text; every field counts",
    "fields_of_names_in_lower_case": "the names were signed in lower case",
    "values_encoded": "the values were signed percent-encoded; they count as they are",
    "values_escaped": "the values were signed as XML has them (&amp;), not as they are",
    "values_in_cdata": "<![CDATA[...]]> was signed with the values; they count alone",
    "values_stripped": "the values were signed without their outer white space",
    "values_quoted": "the values were signed in quotes",
    "values_left_out": "the names alone were signed, without their values",
    "names_left_out": "the values alone were signed, without their names",
    "joined_otherwise": "the fields were not joined by '&' in the signed text",
    "encoding_gbk": "the text was signed in the encoding GBK; UTF-8 counts",
}

ALGORITHMS: dict[str, Callable[[bytes, bytes], str]] = {
    "MD5": lambda text, _: hashlib.md5(text, usedforsecurity=False).hexdigest(),
    "HMAC-SHA256": lambda text, key: hmac.new(key, text, "sha256").hexdigest(),
    "SHA-256": lambda text, _: hashlib.sha256(text).hexdigest(),
    "SHA-1": lambda text, _: hashlib.sha1(text, usedforsecurity=False).hexdigest(),
    "HMAC-MD5": lambda text, key: hmac.new(key, text, "md5").hexdigest(),
    "HMAC-SHA1": lambda text, key: hmac.new(key, text, "sha1").hexdigest(),
}

_TAILS: dict[str, Callable[[str, str], str]] = {
    "key_left_out": lambda text, _: text,
    "key_without_name": lambda text, key: text + key,
    "key_without_ampersand": lambda text, key: f"{text}key={key}",
    "key_in_upper_case_name": lambda text, key: f"{text}&KEY={key}",
    "key_first": lambda text, key: f"key={key}&{text}",
}


class Change(NamedTuple):
    """One mistake, the step of signing that it is made in, and what is done there."""

    id: str
    step: str
    value: Any
    facts: tuple[tuple[str, Any], ...] = ()

    @property
    def says(self) -> str:
        """The clause that names it."""
        return FIELD_MISTAKES[self.id].format(**dict(self.facts))

    def __repr__(self) -> str:
        return f"<Change {self.id}>"


class _Steps(NamedTuple):
    """How a sign is made: each step may be done wrongly."""

    lines: _Lines
    joint: str
    tail: Callable[[str, str], str]
    key: str
    encoding: str
    algorithm: str

    def sign(self, fields: Mapping[str, str]) -> str:
        """The sign, in lower case."""
        lines = self.lines(fields)
        if self.tail is _key_sorted:
            lines = sorted([*lines, f"key={self.key}"], key=_name)
        text = self.joint.join(lines)
        whole = self.tail(text, self.key).encode(self.encoding, "replace")
        key = self.key.encode(self.encoding, "replace")
        return ALGORITHMS[self.algorithm](whole, key)


def search(
    fields: Mapping[str, str],
    sign: str,
    algorithm: str,
    key: str,
    others: Mapping[str, str],
) -> tuple[Change, ...] | None:
    """The mistakes by which *sign* was made; ``None`` where they are not known.

    *fields* are in the order of sending, *algorithm* is what ``sign_type`` asks for;
    *others* are keys that may have been mistaken for *key*, by what they are.
    """
    size = sum(len(name) + len(value) for name, value in fields.items())
    left = LIMIT
    right = _Steps(_right, "&", _appended, key, "utf-8", algorithm)
    beside: tuple[Change, ...] = ()
    if sign != sign.upper():
        beside = (Change("sign_lower_case", "", None),)
        if right.sign(fields) == sign.lower():
            return beside
    changes = [*_changes(fields, algorithm, key, others)]
    for made in chain([(one,) for one in changes], combinations(changes, 2)):
        if len({change.step for change in made}) < len(made):
            continue
        steps = right._replace(**{change.step: change.value for change in made})
        if steps.sign(fields) == sign.lower():
            return (*beside, *made)
        left -= size
        if left < 0:
            break
    return None


def _changes(
    fields: Mapping[str, str], algorithm: str, key: str, others: Mapping[str, str]
) -> Iterator[Change]:
    for made in ALGORITHMS:
        if made != algorithm:
            facts = (("made", made), ("asked", algorithm))
            yield Change("sign_algorithm", "algorithm", made, facts)
    for owner, other in others.items():
        if other != key:
            yield Change("key_of_another", "key", other, (("owner", owner),))
    for spoilt in (f"{key}\n", f" {key}", f"{key} ", f"{key}\r\n"):
        yield Change("key_white_space", "key", spoilt)
    digest = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
    yield Change("key_hashed", "key", digest)
    yield Change("key_hashed", "key", digest.upper())
    for name, tail in _TAILS.items():
        yield Change(name, "tail", tail)
    yield Change("key_sorted", "tail", _key_sorted)
    yield from _changed_fields(fields)
    for joint in ("", ",", "|", ";", "&amp;"):
        yield Change("joined_otherwise", "joint", joint)
    yield Change("encoding_gbk", "encoding", "gb18030")


def _changed_fields(fields: Mapping[str, str]) -> Iterator[Change]:
    """What may go wrong with the fields themselves."""
    if any(not value for value in fields.values()):
        yield Change("fields_empty_included", "lines", _with_empty(""))
        for text in ("null", "None", "undefined", "nil"):
            with_text = _with_empty(text)
            yield Change("fields_empty_as_text", "lines", with_text, (("text", text),))
    yield Change("fields_unsorted", "lines", _unsorted)
    yield Change("fields_sorted_without_case", "lines", _caseless)
    for name in [*fields][:_MANY]:
        if name != "sign":
            facts = (("name", name[:64]),)
            yield Change("fields_left_out", "lines", _without(name), facts)
    yield Change("fields_of_names_in_lower_case", "lines", _names_lowered)
    for coder in (quote, quote_plus, _quote_all):
        yield Change("values_encoded", "lines", _valued(coder))
    yield Change("values_escaped", "lines", _valued(escape))
    yield Change("values_in_cdata", "lines", _valued("<![CDATA[{}]]>".format))
    yield Change("values_stripped", "lines", _valued(str.strip))
    yield Change("values_quoted", "lines", _valued('"{}"'.format))
    yield Change("values_left_out", "lines", _names_alone)
    yield Change("names_left_out", "lines", _values_alone)


def _given(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, one) for name, one in fields.items() if name != "sign" and one]


def _written(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}={value}" for name, value in pairs]


def _name(line: str) -> str:
    return line.partition("=")[0]


def _right(fields: Mapping[str, str]) -> list[str]:
    return _written(sorted(_given(fields)))


def _appended(text: str, key: str) -> str:
    return f"{text}&key={key}" if text else f"key={key}"


def _key_sorted(text: str, key: str) -> str:
    """The text is whole: the key was put among the fields before."""
    del key
    return text


def _with_empty(text: str) -> _Lines:
    def lines(fields: Mapping[str, str]) -> list[str]:
        every = sorted((name, value or text) for name, value in fields.items())
        return _written(pair for pair in every if pair[0] != "sign")

    return lines


def _unsorted(fields: Mapping[str, str]) -> list[str]:
    return _written(_given(fields))


def _caseless(fields: Mapping[str, str]) -> list[str]:
    return _written(sorted(_given(fields), key=lambda pair: pair[0].lower()))


def _without(left_out: str) -> _Lines:
    return lambda fields: [line for line in _right(fields) if _name(line) != left_out]


def _names_lowered(fields: Mapping[str, str]) -> list[str]:
    return _written(sorted((name.lower(), value) for name, value in _given(fields)))


def _values_alone(fields: Mapping[str, str]) -> list[str]:
    return [value for _, value in sorted(_given(fields))]


def _names_alone(fields: Mapping[str, str]) -> list[str]:
    return [name for name, _ in sorted(_given(fields))]


def _quote_all(value: str) -> str:
    return quote(value, safe="")


def _valued(change: Callable[[str], str]) -> _Lines:
    return lambda fields: _written(
        (name, change(value)) for name, value in sorted(_given(fields))
    )


def names(changes: Iterable[Change]) -> list[str]:
    """The fixed ids of *changes*."""
    return [change.id for change in changes]
