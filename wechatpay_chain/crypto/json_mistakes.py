"""Ways to write the JSON of a body otherwise than it is sent: by layout and library."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

from .._shapes import mapping, sequence
from .request_parts import Mistake, Parts

#: A longer body is not written anew: that would take longer than an error may.
LONG = 1 << 17
#: How JSON may be laid out: what is said of it, and the options of the encoder.
_LAYOUTS: dict[str, tuple[str, dict[str, Any]]] = {
    "compact": ("without spaces", {"separators": (",", ":")}),
    "spaced": ("with spaces", {"separators": (", ", ": ")}),
    "indent2": ("indented", {"indent": 2}),
    "indent4": ("indented", {"indent": 4}),
}


def load(body: bytes) -> Any:
    """The JSON of *body*. Raises ``ValueError`` where it is none, or is long."""
    if len(body) > LONG:
        raise ValueError("too long")
    try:
        return json.loads(body.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def made_of(*makers: Callable[[Any], str]) -> Callable[[Parts], Iterator[bytes]]:
    """What *makers* write of the JSON of a body, where that is JSON."""

    def values(parts: Parts) -> Iterator[bytes]:
        try:
            value = load(parts.body)
            texts = [make(value).encode() for make in makers]
        except (ValueError, TypeError, RecursionError):
            return
        yield from texts

    return values


def _ways() -> Iterator[tuple[bool, bool, bool, str]]:
    """Slashes escaped, members sorted, ASCII only, and the layout."""
    off_and_on = (False, True)
    yield from product(off_and_on, off_and_on, off_and_on, _LAYOUTS)


def writers() -> Iterator[Callable[[Any], str]]:
    """Every way in which JSON is written that is known here."""
    for slashes, ordered, ascii_only, layout in _ways():
        _, options = _LAYOUTS[layout]
        made = {**options, "sort_keys": ordered, "ensure_ascii": ascii_only}
        yield _writer(made, slashes)


def _rewritten() -> Iterator[Mistake]:
    """The same JSON, written otherwise: by layout, alphabet, order and slashes."""
    for slashes, ordered, ascii_only, layout in _ways():
        says, options = _LAYOUTS[layout]
        made = {**options, "sort_keys": ordered, "ensure_ascii": ascii_only}
        words, name = [says], [layout]
        for on, word, short in (
            (ascii_only, r"non-ASCII escaped as \u", "ascii"),
            (ordered, "members sorted", "sorted"),
            (slashes, r"slashes escaped as \/", "slashes"),
        ):
            if on:
                words.append(word)
                name.append(short)
        yield Mistake(
            "_".join(["body_json", *name]),
            "body",
            "body: the same JSON was written anew for the signature ("
            + ", ".join(words)
            + "), {signed} were signed and {sent} sent",
            made_of(_writer(made, slashes)),
        )


def _writer(options: dict[str, Any], slashes: bool) -> Callable[[Any], str]:
    def write(value: Any) -> str:
        text = json.dumps(value, **options)
        return text.replace("/", r"\/") if slashes else text

    return write


#: Python's own layout, and that of nearly everything else.
_USUAL: tuple[dict[str, Any], ...] = ({"separators": (",", ":")}, {})


def _changed(change: Callable[[Any], Any]) -> list[Callable[[Any], str]]:
    """Writers of what *change* makes of each value, innermost first."""

    def deep(value: Any) -> Any:
        fields, items = mapping(value), sequence(value)
        if fields is not None:
            value = {name: deep(one) for name, one in fields.items()}
        elif items is not None:
            value = [deep(one) for one in items]
        return change(value)

    return [_after(deep, {**usual, "ensure_ascii": False}) for usual in _USUAL]


def _after(
    change: Callable[[Any], Any], options: dict[str, Any]
) -> Callable[[Any], str]:
    return lambda value: json.dumps(change(value), **options)


def _without_nulls(value: Any) -> Any:
    fields = mapping(value)
    if fields is None:
        return value
    return {name: one for name, one in fields.items() if one is not None}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _fractional(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _empty_array(value: Any) -> Any:
    return [] if value == {} else value


def _escaping(signs: str) -> list[Callable[[Any], str]]:
    """Writers that have *signs* as ``\\u003c``, in each order that libraries have."""
    table = {ord(sign): f"\\u{ord(sign):04x}" for sign in signs}

    def writer(options: dict[str, Any]) -> Callable[[Any], str]:
        return lambda value: json.dumps(value, **options).translate(table)

    compact = {"separators": (",", ":")}
    return [
        writer({**compact, "sort_keys": ordered, "ensure_ascii": ascii_only})
        for ordered, ascii_only in product((False, True), (False, True))
    ]


def _upper_escapes(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"))
    return re.sub(r"\\u[0-9a-f]{4}", lambda found: r"\u" + found[0][2:].upper(), text)


def _laid_out() -> Iterator[Callable[[Any], str]]:
    """Layouts of other languages: tabs of Go and JS, Jackson's colons, and mixtures."""
    ways: Iterable[dict[str, Any]] = (
        {"indent": "\t"},
        {"indent": 3},
        *({"indent": width, "separators": (",", " : ")} for width in (2, 3, 4)),
        {"separators": (", ", ":")},
        {"separators": (",", ": ")},
    )
    for way, ordered in product(ways, (False, True)):
        yield _writer({**way, "sort_keys": ordered, "ensure_ascii": False}, False)


def _anew(
    identifier: str, says: str, *makers: Callable[[Any], str], wide: bool = False
) -> Mistake:
    return Mistake(
        identifier,
        "body",
        f"body: the same JSON was written anew for the signature ({says}), "
        "{signed} were signed and {sent} sent",
        made_of(*makers),
        wide,
    )


JSON_MISTAKES: tuple[Mistake, ...] = (
    *_rewritten(),
    _anew(
        "body_json_html",
        r"<, > and & escaped as \u003c, as Go and Gson do",
        *_escaping("<>&"),
        *_escaping("<>&='"),
    ),
    _anew(
        "body_json_upper_escapes",
        r"non-ASCII escaped as \u, in upper case",
        _upper_escapes,
    ),
    _anew("body_json_layout", "in another layout", *_laid_out(), wide=True),
    _anew(
        "body_json_numbers",
        "numbers written otherwise, as 1.0 for 1",
        *_changed(_whole),
        *_changed(_fractional),
    ),
    _anew(
        "body_json_empty_arrays",
        "empty objects as [], as PHP does",
        *_changed(_empty_array),
    ),
    Mistake(
        "body_without_nulls",
        "body",
        "body: members that are null were left out of the signed text, {signed}; "
        "{sent} were sent",
        made_of(*_changed(_without_nulls)),
    ),
)
