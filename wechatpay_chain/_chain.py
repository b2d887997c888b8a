"""Names to path segments and back: the grammar of the chain. Pure text."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from keyword import iskeyword
from unicodedata import normalize

from .errors import TemplateError

#: Names that a node has itself; a segment of that name takes a trailing ``_``.
METHODS = frozenset(
    name + suffix
    for name in ("get", "post", "put", "patch", "delete", "paginate")
    for suffix in ("", "_async")
) | {"chain", "operation", "operations"}

#: Segments that the root of a client offers as attributes.
ROOTS = re.compile(r"v[1-9][0-9]*|hk")

#: What notebooks and debuggers ask any object for, as far as it has the form of a
#: placeholder: never a segment.
_PROBE = re.compile(r"_(?:repr|ipython|jupyter)_\w+_|_(?:mime|rich)_")
_PLACEHOLDER = re.compile(r"_([A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*)_")
_CAPITAL = re.compile(r"[A-Z]")


@lru_cache(maxsize=2048)
def segment(name: str) -> str | None:
    """The path segment that an attribute *name* stands for; ``None`` where it is none.

    >>> segment("outTradeNo"), segment("_out_trade_no_"), segment("global_")
    ('out-trade-no', '{out_trade_no}', 'global')
    """
    if name.startswith("_"):
        match = _PLACEHOLDER.fullmatch(name)
        return None if match is None or _PROBE.fullmatch(name) else f"{{{match[1]}}}"
    if not name.isidentifier():
        return None
    if name.endswith("_") and _reserved(name[:-1]):
        return name[:-1]
    # As in the JS SDK: a leading capital is only lower-cased.
    name = name[:1].lower() + name[1:]
    return _CAPITAL.sub(lambda match: "-" + match[0].lower(), name)


def attribute(text: str) -> str | None:
    """The attribute that gives the segment *text*; ``None`` where only an item does.

    >>> attribute("out-trade-no"), attribute("delete"), attribute("addInstitutionsub")
    ('outTradeNo', 'delete_', None)
    """
    if text.startswith("{") and text.endswith("}"):
        name = f"_{text[1:-1]}_"
    elif _reserved(text):
        name = f"{text}_"
    else:
        name = re.sub(r"-([a-z])", lambda match: match[1].upper(), text)
    fits = name.isidentifier() and not iskeyword(name) and segment(name) == text
    # The parser folds a name that is not ASCII: obj.ª is obj.a.
    fits = fits and normalize("NFKC", name) == name
    return name if fits and name not in METHODS else None


def join(text: str, item: str) -> str:
    """Append the verbatim *item*, one or more segments, to the template *text*.

    Raises ``TypeError`` for an item that is not text, ``TemplateError`` for one that
    cannot be appended.
    """
    if not isinstance(item, str):
        raise TypeError(
            f"a path item must be str, got {type(item).__name__}; a number in a path "
            "fills a placeholder: client.v3.x['{no}'].get(no=1)"
        )
    if item.startswith("/") and not item.startswith("//"):
        item = item[1:]
    if not text:
        return item
    if not item or item.startswith("/"):
        raise TemplateError(f"{text!r}: an empty segment ('//')")
    if "?" in text:
        raise TemplateError(f"{text!r}: a path cannot go on after its query")
    return f"{text}/{item}"


def expression(path: str) -> str:
    """The Python expression for *path*, on a client named ``client``.

    >>> expression("/v3/pay/transactions/out-trade-no/{out_trade_no}/close")
    'client.v3.pay.transactions.outTradeNo._out_trade_no_.close'
    >>> expression("v3/applyment4sub/applyment/")
    'client.v3.applyment4sub["applyment/"]'
    """
    text, mark, query = path.removeprefix("/").partition("?")
    segments = text.split("/")
    if len(segments) > 1 and not segments[-1]:
        segments[-2:] = [segments[-2] + "/"]  # an empty last segment
    segments[-1] += mark + query
    if not ROOTS.fullmatch(segments[0]):
        return f"client{_item('/'.join(segments))}"
    out = "client"
    for text in segments:
        name = attribute(text)
        out += f".{name}" if name else _item(text)
    return out


def _item(text: str) -> str:
    return f"[{json.dumps(text, ensure_ascii=False)}]"  # with double quotes


def _reserved(name: str) -> bool:
    return iskeyword(name) or name in METHODS
