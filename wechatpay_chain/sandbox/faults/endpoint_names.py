"""Short names of endpoints, made of their paths: ``payscore.complete``.

The name of an endpoint is the literal segments of its path after the version, without
``partner``, joined by dots. An act that ends the path, as ``.../cancel`` does, ends
the name; otherwise a verb by the method: ``create``, ``query``, ``update``, ``delete``.
"""

from __future__ import annotations

import re
from functools import lru_cache

_VERBS = {"POST": "create", "GET": "query", "DELETE": "delete"}
_DROPPED = re.compile(r"v[0-9]+|partner")
#: Acts that come without the number of what they act upon.
_ACTS = frozenset(
    {
        "direct-complete",
        "echo",
        "send-pendingmessage",
        "send-prepaidmessage",
        "upload",
        "video_upload",
    }
)


@lru_cache(maxsize=4096)
def endpoint_name(method: str, template: str) -> str:
    """The whole name.

    >>> endpoint_name("POST", "/v3/payscore/serviceorder/{out_order_no}/cancel")
    'payscore.serviceorder.cancel'
    >>> endpoint_name("GET", "/v3/refund/domestic/refunds/{out_refund_no}")
    'refund.domestic.refunds.query'
    """
    segments = [
        part for part in template.strip("/").split("/") if not _DROPPED.fullmatch(part)
    ]
    literal = [part for part in segments if part[:1] != "{"]
    below = len(literal) < len(segments) and segments[-1][:1] != "{"
    if method != "POST" or not (below or literal[-1] in _ACTS):
        literal.append(_VERBS.get(method, "update"))
    return ".".join(literal)


def covers(pattern: str, name: str) -> bool:
    """Whether *pattern* means the endpoint: its first part is that of the name.

    Of the others some may be left out: a shorter pattern means more endpoints.

    >>> covers("payscore.cancel", "payscore.serviceorder.cancel")
    True
    >>> covers("serviceorder.cancel", "payscore.serviceorder.cancel")
    False
    """
    first, *others = pattern.replace("-", "_").split(".")
    start, *parts = name.replace("-", "_").split(".")
    rest = iter(parts)
    return first == start and all(other in rest for other in others)
