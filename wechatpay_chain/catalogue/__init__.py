"""Facts about every known endpoint: types, labels, limits, documents.

>>> from wechatpay_chain import catalogue
>>> catalogue.find("GET", "v3/certificates").title
'获取平台证书列表'

Loaded with the first question, one segment at a time. What it does not know may exist
all the same: WeChat Pay publishes new endpoints, and the chain calls them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .model import Field, Message, Operation
from .search import search
from .store import VERSIONS, envelope, messages, segment_of, segments, xml_messages
from .store import segment as _segment

__all__ = [
    "VERSIONS",
    "Field",
    "Message",
    "Operation",
    "at",
    "children",
    "envelope",
    "find",
    "messages",
    "operations",
    "search",
    "segments",
    "templates",
    "xml_messages",
]


def find(method: str, path: str) -> Operation | None:
    """The operation of *method* on *path*, a template or one that is filled in.

    ``v3/payscore/serviceorder/{out_order_no}/cancel`` or ``.../ORDER-1/cancel``, as the
    chain has it. A slash in front, a query and the case of *method* do not matter.
    """
    path = _bare(path)
    where = segment_of(path)
    return None if where is None else where.find(method.upper(), path)


def _bare(path: str) -> str:
    """*path* as the data has it."""
    return path.removeprefix("/").partition("?")[0]


def at(path: str) -> Mapping[str, Operation]:
    """The operations of *path* by method; empty where none is known."""
    path = _bare(path)
    where = segment_of(path)
    return {} if where is None else where.at(path)


def children(path: str) -> list[str]:
    """The segments that may follow *path*, as templates write them."""
    if path in ("", "hk"):
        return list(VERSIONS) if not path else ["v3"]
    version, _, rest = path.partition("/")
    if path == "hk/v3" or not rest:
        return list(segments(version))
    where = segment_of(path)
    return [] if where is None else where.children(path)


def templates(path: str = "") -> list[str]:
    """The templates at and below *path*, each once."""
    where = segment_of(path)
    if where is not None:
        below = f"{path}/"
        return [t for t in where.templates() if t == path or t.startswith(below)]
    if path not in ("", *VERSIONS, "hk/v3"):
        return []
    versions = VERSIONS if not path else (path.partition("/")[0],)
    found = (
        _segment(version, name) for version in versions for name in segments(version)
    )
    return [template for one in found if one for template in one.templates()]


def operations(
    version: str | None = None, segment: str | None = None
) -> Iterator[Operation]:
    """Every operation, of one version and one segment if they are given."""
    for one in VERSIONS if version is None else (version,):
        for name in segments(one) if segment is None else (segment,):
            yield from _segment(one, name) or ()
