"""What a template may show in a log: the words of the API, and nothing that was filled.

A caller may write ``client[f"v3/x/{openid}"]``, and then the template itself holds what
nobody else should read. The catalogue is no help with paths published tomorrow, so the
form of a segment decides, and the name of the one before it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import unquote_plus

#: What stands in place of a segment that may be private.
HIDDEN = "{...}"

_PLACEHOLDER = re.compile(r"(?:\{\+?\w+\})+")
#: ``serviceorder``, ``out-trade-no``, ``complaints-v2``, ``apply4sub``, ``h5``.
#: An order number has more digits, or ends in one; an openid has capitals as well.
_PART = r"(?:[a-z]{1,32}(?:[0-9][a-z]{1,32})?|[a-z]{0,32}v[0-9]|h5)"
_WORD = re.compile(rf"{_PART}(?:[-_]{_PART}){{0,7}}|[a-z]{{1,24}}[A-Z][a-z]{{1,24}}|")
#: A segment of this name is followed by a value, in every path of the API.
_NAMES_A_VALUE = re.compile(r"(?:.*[-_])?(?:id|no|mchid|openid|code)")


def masked(template: str) -> str:
    """*template* less its query, and less every segment that may be private.

    >>> masked("v3/pay/transactions/id/{transaction_id}?mchid={mchid}")
    'v3/pay/transactions/id/{transaction_id}'
    >>> masked("v3/pay/transactions/id/4200000001")
    'v3/pay/transactions/id/{...}'
    """
    shown: list[str] = []
    before = ""
    for segment in template.partition("?")[0].split("/"):
        is_word = _WORD.fullmatch(segment) and not _NAMES_A_VALUE.fullmatch(before)
        if is_word or not segment or _PLACEHOLDER.fullmatch(segment):
            shown.append(segment)
        else:
            shown.append(HIDDEN)
        before = segment
    return "/".join(shown)


def shown_url(url: str, template: str, names: Collection[str] = ()) -> str:
    """*url* less the values that *names* have in its query, and less openids.

    >>> shown_url("https://h/v3/x?id_number=4403&page=1", "v3/x", {"id_number"})
    'https://h/v3/x?id_number=...&page=1'
    >>> shown_url("https://h/v3/users/oUpF8/coupons", "v3/users/{openid}/coupons")
    'https://h/v3/users/{openid}/coupons'
    """
    if not names and "openid" not in f"{url}{template}".lower():
        return url
    path, mark, query = url.partition("?")
    segments = path.split("/")
    ours = template.partition("?")[0].split("/")
    for at in range(1, min(len(ours), len(segments) - 1) + 1):
        if ours[-at].lower().endswith("openid}"):
            segments[-at] = ours[-at]
        elif segments[-at - 1].lower().endswith("openid"):
            segments[-at] = HIDDEN
    pairs = (pair.partition("=") for pair in query.split("&"))
    shown = (
        f"{name}=..." if _is_private(name, names) else f"{name}{sign}{value}"
        for name, sign, value in pairs
    )
    return f"{'/'.join(segments)}{mark}{'&'.join(shown)}"


def _is_private(name: str, names: Collection[str]) -> bool:
    plain = unquote_plus(name)
    return plain in names or plain.lower().endswith("openid")
