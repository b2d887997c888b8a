"""URI templates: check, expand, quote, refuse dot segments. Pure text, no I/O.

Templates know ``{x}``, one path segment, and ``{+x}``, reserved expansion (RFC 6570,
levels 1 and 2). What comes out is what is signed and sent, so it is encoded here, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from ._shapes import mapping, plain, sequence
from .errors import EncodeError, TemplateError

#: Kept in a value beside RFC 3986 unreserved: order numbers may hold ``*``, and the
#: documented example leaves it (protocol section 3).
_SAFE_VALUE = "*"
#: Kept in literal text: RFC 3986 pchar, the delimiters ``/`` and ``?``.
_SAFE_TEXT = "/?:@!$&'()*+,;=-._~"
_EXPRESSION = re.compile(r"\{(\+?)([A-Za-z][A-Za-z0-9_]*)\}")
#: A base that the catalogue counts as the beginning of the path.
_VERSION = re.compile(r"[^:/]/(hk|v3|hk/v3)$")
_ESCAPE = re.compile(r"(%[0-9A-Fa-f]{2})")


class Template(NamedTuple):
    """A parsed template: literal text and placeholders in turn."""

    text: str
    #: ``(literal, name, reserved)``; the last has the name ``""``.
    parts: tuple[tuple[str, str, bool], ...]
    names: tuple[str, ...]


@lru_cache(maxsize=2048)
def parse(text: str) -> Template:
    """Check and split *text*. Raises ``TemplateError`` naming what is wrong with it."""
    _check_text(text)
    parts: list[tuple[str, str, bool]] = []
    at = 0
    for match in _EXPRESSION.finditer(text):
        parts.append(
            (_literal(text[at : match.start()], text), match[2], bool(match[1]))
        )
        at = match.end()
    parts.append((_literal(text[at:], text), "", False))
    names = tuple(name for _, name, _ in parts if name)
    if len(set(names)) != len(names):
        raise TemplateError(f"{text!r}: a placeholder appears twice")
    return Template(text, tuple(parts), names)


def expand(
    template: Template, values: Mapping[str, Any], options: Iterable[str] = ()
) -> str:
    """Fill the placeholders of *template* and return the encoded path.

    *options* are the names of call options, for suggestions only. Raises
    ``TemplateError`` for a missing or unknown name and for a value that cannot be one
    segment.
    """
    _check_names(template, values, options)
    out: list[str] = []
    for literal, name, reserved in template.parts:
        out.append(literal)
        if name:
            fill = _reserved if reserved else _segment
            out.append(fill(template.text, name, values[name]))
    path = "".join(out)
    if any(reserved for _, _, reserved in template.parts):
        _check_expanded(path, template.text)
    return path


def query(params: object) -> str:
    """Encode *params*, a mapping or pairs, as a query string without ``?``.

    Values are ``str``, ``int``, ``bool`` or a list of them; ``None`` leaves a name out.
    Raises ``EncodeError``.
    """
    given = mapping(params)
    pairs: Iterable[Any] | None = sequence(params) if given is None else given.items()
    if pairs is None:
        raise EncodeError(
            "params: a mapping or a list of pairs expected, got "
            f"{type(params).__name__}"
        )
    out: list[str] = []
    for item in pairs:
        pair = sequence(item)
        if pair is None or len(pair) != 2:
            raise EncodeError(
                "params: each item of the list must be a (name, value) pair"
            )
        name, value = pair
        if not isinstance(name, str) or not name:
            raise EncodeError(f"params: a name must be text, got {name!r}")
        for one in (value,) if sequence(value) is None else value:
            if one is not None:
                out.append(f"{_quote(name, name)}={_quote(_scalar(name, one), name)}")
    return "&".join(out)


def from_root(base: str, path: str) -> str:
    """*path* below the base URL *base*, as the catalogue has it.

    The documents of the chain style write hk/v3/... as v3/... on the base .../hk.

    >>> from_root("https://example.com/hk", "v3/certificates")
    'hk/v3/certificates'
    """
    found = _VERSION.search(base)
    return f"{found[1]}/{path}" if found else path


def suggest(name: str, known: Iterable[str]) -> str:
    """`` - did you mean 'x'?`` for the nearest of *known*, or nothing."""
    from difflib import get_close_matches  # for a message only

    near = get_close_matches(name, list(known), n=1)
    return f" - did you mean {near[0]!r}?" if near else ""


def _scalar(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return plain(value)
    raise EncodeError(
        f"params[{name!r}]: str, int or bool expected, got {type(value).__name__}"
    )


def _quote(value: str, name: str) -> str:
    try:
        return quote(value, safe=_SAFE_VALUE)
    except UnicodeEncodeError:
        raise EncodeError(f"params[{name!r}]: a lone surrogate has no UTF-8") from None


def _check_text(text: str) -> None:
    if not text:
        raise TemplateError("an empty path")
    head = text.partition("{")[0].partition("?")[0]  # a query may hold a URL
    if "://" in head or text.startswith("//"):
        raise TemplateError(
            f"{text!r}: a path is expected, not a URL or another host; "
            "use base_url= for another base"
        )
    if "#" in text:
        raise TemplateError(f"{text!r}: a path has no fragment ('#')")
    rest = _EXPRESSION.sub("", text)
    if "{" in rest or "}" in rest:
        raise TemplateError(f"{text!r}: only {{name}} and {{+name}} are placeholders")
    _check_segments(text)


def _check_segments(text: str) -> None:
    segments = text.partition("?")[0].split("/")
    if "" in segments[:-1]:
        raise TemplateError(f"{text!r}: an empty segment ('//')")
    if any(unquote(segment) in (".", "..") for segment in segments):
        raise TemplateError(f"{text!r}: dot segments are refused")
    if any("\\" in unquote(segment) for segment in segments):
        raise TemplateError(f"{text!r}: a backslash is refused")


def _check_expanded(path: str, text: str) -> None:
    try:
        _check_text(path)
    except TemplateError as error:
        raise TemplateError(f"{text!r} expands to {error}") from None


def _literal(text: str, whole: str) -> str:
    """Encode what a URL cannot hold; keep every ``%xx`` as it was written."""
    try:
        return "".join(
            piece if _ESCAPE.fullmatch(piece) else quote(piece, safe=_SAFE_TEXT)
            for piece in _ESCAPE.split(text)
        )
    except UnicodeEncodeError:
        raise TemplateError(f"{whole!r}: a lone surrogate has no UTF-8") from None


def _check_names(
    template: Template, values: Mapping[str, Any], options: Iterable[str]
) -> None:
    for name in values:
        if name not in template.names:
            known = [*template.names, *options]
            holes = ", ".join(template.names) or "none"
            raise TemplateError(
                f"{template.text!r}: unknown keyword {name!r}{suggest(name, known)} "
                f"(placeholders: {holes})"
            )
    missing = [name for name in template.names if name not in values]
    if missing:
        given = ", ".join(f"{name}=..." for name in missing)
        raise TemplateError(
            f"{template.text!r}: missing {', '.join(missing)}; call it with {given}"
        )


def _text(template: str, name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TemplateError(
            f"{template!r}: {name} must be str or int, got {type(value).__name__}"
        )
    text = plain(value)
    if not text:
        raise TemplateError(f"{template!r}: {name} is empty")
    return text


def _segment(template: str, name: str, value: object) -> str:
    """One percent-encoded segment; no value can leave it (protocol section 3)."""
    text = _text(template, name, value)
    if text in (".", ".."):
        raise TemplateError(f"{template!r}: {name} is {text!r}, a dot segment")
    try:
        return quote(text, safe=_SAFE_VALUE)
    except UnicodeEncodeError:
        raise TemplateError(f"{template!r}: {name} holds a lone surrogate") from None


def _reserved(template: str, name: str, value: object) -> str:
    text = _text(template, name, value)
    # As with an item, one leading slash of a value that opens the path is dropped.
    if template.startswith("{+" + name + "}"):
        text = text.removeprefix("/") if not text.startswith("//") else text
    return _literal(text, f"{name}={text}")
