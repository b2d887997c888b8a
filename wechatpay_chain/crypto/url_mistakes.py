"""Ways to get the second line wrong: path and query as on the request line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlencode

from .request_parts import LINES, Mistake, Parts

#: Characters that some encoders leave alone, and others do not.
_SAFE = ("", "~", "!*'()", "*", "-_.!~*'()", ":@", ":@!$&'()*+,;=")
_HEX = re.compile("%[0-9A-Fa-f]{2}")
#: Far more parameters than any query has; beyond, they are not taken out one by one.
_MANY = 32


#: Signed by mistake also where something else, a proxy or a sandbox, stands in.
_HOSTS = ("api.mch.weixin.qq.com", "api2.mch.weixin.qq.com")


def _prefixes(parts: Parts) -> Iterator[str]:
    for host in dict.fromkeys((parts.origin.partition("//")[2], *_HOSTS)):
        if host:
            yield from (f"https://{host}", f"http://{host}", host, f"//{host}")


def _template(parts: Parts) -> Iterator[str]:
    if "{" in parts.template:
        yield "/" + parts.template.partition("?")[0].lstrip("/")


def _encoded_otherwise(text: str, safe: str) -> Iterator[str]:
    plain = unquote(text, errors="surrogateescape")
    for more in _SAFE:
        yield quote(plain, safe=safe + more, errors="surrogateescape")
    yield from _hex_case(text)


def _hex_case(text: str) -> Iterator[str]:
    yield _HEX.sub(lambda found: found[0].lower(), text)
    yield _HEX.sub(lambda found: found[0].upper(), text)


def _shortened(parts: Parts) -> Iterator[str]:
    """The path less what a base URL, or a version, may have brought."""
    pieces = parts.path.split("/")
    for at in range(2, min(len(pieces), 5)):
        yield "/" + "/".join(pieces[at:])


def _query_encoded(parts: Parts) -> Iterator[str]:
    yield from _hex_case(parts.query or "")
    pairs = parse_qsl(parts.query or "", keep_blank_values=True)
    if pairs:
        yield urlencode(pairs, errors="replace")
        yield urlencode(pairs, encoding="gb18030", errors="replace")
        for more in _SAFE:
            for how in (quote, quote_plus):
                yield urlencode(pairs, quote_via=how, safe=more, errors="replace")
            # A + that was sent as it is may have been meant.
            yield quote(unquote(parts.query or "", errors="replace"), safe=f"=&{more}")


def _pieces(parts: Parts) -> list[str]:
    return (parts.query or "").split("&")


def _query_reordered(parts: Parts) -> Iterator[str]:
    pieces = _pieces(parts)
    yield "&".join(sorted(pieces))
    yield "&".join(sorted(pieces, reverse=True))
    yield "&".join(reversed(pieces))


def _query_shortened(parts: Parts) -> Iterator[str]:
    pieces = _pieces(parts)
    if 1 < len(pieces) <= _MANY:
        for at in range(len(pieces)):
            yield "&".join(pieces[:at] + pieces[at + 1 :])
        for at in range(1, len(pieces)):
            yield "&".join(pieces[:at])
            yield "&".join(pieces[at:])


def _query_decoded(parts: Parts) -> Iterator[str]:
    yield unquote(parts.query or "", errors="surrogateescape")
    yield unquote_plus(parts.query or "", errors="surrogateescape")


def _reordered_and_decoded(parts: Parts) -> Iterator[str]:
    for text in _query_reordered(parts):
        yield unquote(text, errors="surrogateescape")
        yield unquote_plus(text, errors="surrogateescape")


def _encoded_whole(safe: str) -> Callable[[Parts], bytes]:
    def join(parts: Parts) -> bytes:
        target = quote(parts.target, safe=safe, errors="surrogatepass")
        return parts._replace(prefix="", path=target, query=None).text()

    return join


def _fragment(parts: Parts) -> Iterator[str]:
    if parts.fragment:
        yield f"{parts.query or ''}#{parts.fragment}"


def _path_fragment(parts: Parts) -> Iterator[str]:
    if parts.fragment:
        yield f"{parts.path}#{parts.fragment}"


URL_MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "query_left_out",
        "query",
        "query: left out of the signed text, {sent} was sent",
        lambda _: [None],
    ),
    Mistake(
        "host_prefix",
        "prefix",
        "url: scheme or host, {signed}, stand before the path in the signed text",
        _prefixes,
    ),
    Mistake(
        "path_decoded",
        "path",
        "url: the path was signed decoded, {signed}; {sent} was sent",
        lambda parts: [unquote(parts.path, errors="surrogateescape")],
    ),
    Mistake(
        "path_encoded_twice",
        "path",
        "url: the path was signed percent-encoded twice, {signed}; {sent} was sent",
        lambda parts: [parts.path.replace("%", "%25")],
    ),
    Mistake(
        "path_template",
        "path",
        "url: the template was signed with its placeholders, {signed}; {sent} was sent",
        _template,
    ),
    Mistake(
        "path_encoded_otherwise",
        "path",
        "url: the path was signed in another percent-encoding, {signed}; "
        "{sent} was sent",
        lambda parts: _encoded_otherwise(parts.path, "/"),
    ),
    Mistake(
        "path_without_slash",
        "path",
        "url: the first slash is missing in the signed text; {sent} was sent",
        lambda parts: [parts.path[1:]],
    ),
    Mistake(
        "path_slash_doubled",
        "path",
        "url: the path was signed with two slashes, {signed}; {sent} was sent",
        lambda parts: [f"/{parts.path}"],
    ),
    Mistake(
        "path_trailing_slash",
        "path",
        "url: the path was signed as {signed}, and sent as {sent}: a slash at the end",
        lambda parts: [parts.path + "/", parts.path.rstrip("/")],
    ),
    Mistake(
        "path_beginning_left_out",
        "path",
        "url: the beginning of the path was left out, {signed} was signed; {sent} was "
        "sent, and a path in the base URL counts",
        _shortened,
    ),
    Mistake(
        "path_lower_case",
        "path",
        "url: the path was signed in lower case, {signed}; {sent} was sent",
        lambda parts: [parts.path.lower()],
    ),
    Mistake(
        "path_left_out",
        "path",
        "url: the path was left out of the signed text; {sent} was sent, and an empty "
        "path is '/'",
        lambda _: ["", "/"],
    ),
    Mistake(
        "fragment_included",
        "query",
        "url: the fragment after '#' was signed; it is neither sent nor signed",
        _fragment,
    ),
    Mistake(
        "fragment_included",
        "path",
        "url: the fragment after '#' was signed; it is neither sent nor signed",
        _path_fragment,
    ),
    Mistake(
        "query_mark_only",
        "query",
        "query: {signed} was signed and {sent} was sent: a question mark alone counts",
        lambda _: [""],
    ),
    Mistake(
        "query_decoded",
        "query",
        "query: signed decoded, {signed}; {sent} was sent",
        _query_decoded,
    ),
    Mistake(
        "query_plus",
        "query",
        "query: a space is written otherwise in the signed text, {signed}, than as "
        "sent, {sent}: + or %20",
        lambda parts: [
            (parts.query or "").replace("%20", "+"),
            (parts.query or "").replace("+", "%20"),
            (parts.query or "").replace("+", "%2B"),
        ],
    ),
    Mistake(
        "query_encoded_otherwise",
        "query",
        "query: signed in another percent-encoding, {signed}; {sent} was sent",
        _query_encoded,
    ),
    Mistake(
        "query_encoded_twice",
        "query",
        "query: signed percent-encoded twice, {signed}; {sent} was sent",
        lambda parts: [(parts.query or "").replace("%", "%25")],
    ),
    Mistake(
        "query_reordered",
        "query",
        "query: signed in another order, {signed}; {sent} was sent",
        _query_reordered,
    ),
    Mistake(
        "query_shortened",
        "query",
        "query: only a part was signed, {signed}; {sent} was sent",
        _query_shortened,
    ),
    Mistake(
        "query_reordered_and_decoded",
        "query",
        "query: signed in another order and decoded, {signed}; {sent} was sent",
        _reordered_and_decoded,
    ),
    Mistake(
        "query_ampersand_escaped",
        "query",
        "query: signed with & written as in HTML, {signed}; {sent} was sent",
        lambda parts: [(parts.query or "").replace("&", "&amp;")],
    ),
    Mistake(
        "url_encoded_whole",
        LINES,
        "url: path and query were percent-encoded once more as a whole, slashes or the "
        "question mark too; sign them as they are sent",
        lambda _: [_encoded_whole(""), _encoded_whole("/")],
    ),
)
