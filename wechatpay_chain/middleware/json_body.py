"""JSON as APIv3 wants it: no spaces, UTF-8 unescaped, nothing that JSON cannot hold."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from .._shapes import mapping, sequence
from ..errors import EncodeError


def dump(value: Any, name: str = "json") -> bytes:
    """The bytes of *value*; ``EncodeError`` names what does not fit, and where."""
    try:
        return _ENCODER.encode(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error)
    raise EncodeError(_reason(value, name, reason))


def load(content: bytes) -> Any:
    """Parse UTF-8 JSON; ``ValueError`` for what is none, ``NaN`` included."""
    try:
        # The codec utf-8-sig is written in Python, and takes three times as long.
        return _DECODER.decode(content.removeprefix(_BOM).decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None


def lenient(content: bytes) -> Any:
    """The same of an error page, which may be JSON, HTML or empty (section 10)."""
    try:
        return load(content) if content else None
    except ValueError:
        return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_BOM = b"\xef\xbb\xbf"
# Held, because json.dumps and json.loads build one per call when given options.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _reason(value: Any, name: str, reason: str) -> str:
    for path, problem in _problems(value, name, ()):
        return f"{path}: {problem}"
    return f"{name}: {reason}"


def _problems(
    value: Any, path: str, above: tuple[int, ...]
) -> Iterator[tuple[str, str]]:
    """Where JSON cannot hold *value*; the values themselves stay out of the text."""
    if value is None or isinstance(value, (bool, int)):
        return
    if isinstance(value, str):
        if any("\ud800" <= char <= "\udfff" for char in value):
            yield path, "a lone surrogate has no UTF-8"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield path, f"JSON has no {value}"
    elif id(value) in above:
        yield path, "refers to itself"
    elif len(above) > 500:
        yield path, "nested too deeply"
    elif mapping(value) is not None or sequence(value) is not None:
        for place, item in _members(value, path):
            if isinstance(place, str):
                yield from _problems(item, place, (*above, id(value)))
            else:
                yield path, f"a name must be text, got {type(place[0]).__name__}"
    else:
        yield path, f"JSON cannot hold a {type(value).__name__}"


def _members(value: Any, path: str) -> Iterator[tuple[Any, Any]]:
    fields = mapping(value)
    if fields is None:
        yield from ((f"{path}[{at}]", item) for at, item in enumerate(value))
        return
    for key, item in fields.items():
        if key is None or isinstance(key, (str, int, float)):
            yield f"{path}.{key}".encode("utf-8", "replace").decode(), item
            if isinstance(key, str):
                yield f"{path}.{key!a}", key
        else:
            yield (key,), item
