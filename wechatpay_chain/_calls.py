"""From the arguments of a verb to a request: every check before sending. No I/O."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from . import _shapes, _uri
from ._flow import Entry
from ._lookup import filled, hint, known, wrong_verb
from ._messages import Headers, Payload, Request
from ._stack import Stack, layers
from .errors import ConfigurationError, EncodeError, TemplateError

if TYPE_CHECKING:
    from .catalogue import Operation
    from .crypto import Encrypted

#: Keywords of a verb that are not placeholders.
OPTIONS = frozenset(
    {
        "base_url",
        "data",
        "files",
        "headers",
        "json",
        "middleware",
        "params",
        "path",
        "stream",
        "timeout",
        "xml",
    }
)

#: Verbs whose positional argument is the query.
_QUERIED = frozenset({"GET", "DELETE"})


class Defaults(NamedTuple):
    """What a client contributes to each request."""

    base_url: str
    timeout: tuple[float, float]
    #: Seconds for a whole call, all of its attempts.
    deadline: float | None
    stack: Stack
    xml_stack: Stack
    mutual: bool
    #: The class of values that are encrypted already; it knows whether any exist.
    sealed: type[Encrypted]
    #: Whether endpoints of other hosts go there: no base URL was given.
    at_home: bool


class Prepared(NamedTuple):
    """A request, and the layers it goes through."""

    entries: tuple[Entry, ...]
    request: Request


def prepare(
    defaults: Defaults, method: str, text: str, body: Any, options: dict[str, Any]
) -> Prepared:
    """Check everything that the caller gave and build the request.

    Raises ``TemplateError`` for the path and its placeholders, ``EncodeError`` for the
    rest.
    """
    path = _expand(method, text, options)
    base, operation = _where(defaults, method, text, path, options.get("base_url"))
    is_xml = path == "v2" or path.startswith("v2/")
    if is_xml:
        path = path[3:]  # the prefix selects the stack and is not part of the URL
    params, payload = _body(method, body, options, is_xml)
    if params is not None:
        try:
            encoded = _uri.query(params)
        except EncodeError as error:
            wrong = "" if operation else wrong_verb(method, _uri.from_root(base, text))
            raise EncodeError(f"{wrong}{error}") from None
        if encoded:
            path += ("&" if "?" in path else "?") + encoded
    timeout, deadline = _times(defaults, options.get("timeout"))
    stack = defaults.xml_stack if is_xml else defaults.stack
    request = Request(
        method,
        f"{base}/{path}",
        Headers(_headers(options.get("headers"))),
        payload=payload,
        template=text,
        base_url=base,
        timeout=timeout,
        stream=bool(options.get("stream", False)),
        mutual=is_xml and defaults.mutual and (operation is None or operation.cert),
        deadline=deadline,
        operation=operation,
        params=params,
    )
    if operation is None:
        idle = not wrong_verb(method, _uri.from_root(base, text))
    else:
        idle = operation.plan.is_idle(text, payload)
    quiet = idle and not defaults.sealed.exist
    entries = _entries(stack, options.get("middleware", ()), quiet)
    return Prepared(entries, request)


def _times(defaults: Defaults, given: Any) -> tuple[tuple[float, float], float | None]:
    """Timeout and deadline; who waits longer for one call on purpose may."""
    if given is None:
        return defaults.timeout, defaults.deadline
    timeout = check_timeout(given)
    if defaults.deadline is None:
        return timeout, None
    return timeout, max(defaults.deadline, *timeout)


def _where(
    defaults: Defaults, method: str, text: str, path: str, given: Any
) -> tuple[str, Operation | None]:
    """The base URL, and what the catalogue knows of *text*, which expands to *path*."""
    base = defaults.base_url if given is None else check_base_url(given)
    if "{+" in text:
        text = path
    operation = known(method, _uri.from_root(base, text))
    if operation is None and text != path:
        # A value may stand where the catalogue has a word: receivers/{action}.
        operation = filled(method, _uri.from_root(base, path))
    if operation is not None and defaults.at_home and given is None:
        base = operation.plan.home or base
    return base, operation


def _expand(method: str, text: str, options: dict[str, Any]) -> str:
    values = {name: options[name] for name in options if name not in OPTIONS}
    if options.get("path") is not None:
        more = _shapes.mapping(options["path"])
        if more is None:
            raise TemplateError(
                f"{text!r}: path= is a mapping of placeholders to values"
            )
        twice = values.keys() & more.keys()
        if twice:
            raise TemplateError(f"{text!r}: {', '.join(sorted(twice))} given twice")
        values.update(more)
    try:
        return _uri.expand(_uri.parse(text), values, OPTIONS)
    except TemplateError as error:
        raise TemplateError(f"{error}{hint(method, text, values)}") from None


def _body(
    method: str, body: Any, options: Mapping[str, Any], is_xml: bool
) -> tuple[Any, Payload | None]:
    given = {
        n: options[n] for n in ("json", "xml", "data") if options.get(n) is not None
    }
    params, files = options.get("params"), options.get("files")
    if body is not None and method in _QUERIED:
        if params is not None:
            raise EncodeError(
                f"{method}: the query is given twice, as argument and params="
            )
        params = body
    elif body is not None:
        given["argument"] = body
    kind: Literal["json", "xml"] = "xml" if is_xml else "json"
    if len(given) > 1 or (files is not None and given.keys() - {kind, "argument"}):
        names = ", ".join([*given, *(["files"] if files is not None else [])])
        raise EncodeError(f"{method}: the body is given twice ({names})")
    if files is not None:
        return params, Payload(kind, next(iter(given.values()), None), files)
    if not given:
        return params, Payload("xml", {}) if is_xml and method == "POST" else None
    ((name, value),) = given.items()
    if name == "data":
        return params, Payload("raw", value)
    if name == ("json" if is_xml else "xml"):
        raise EncodeError(f"{name}=: paths below v2/ take XML fields, all others JSON")
    return params, Payload(kind, value)


def _headers(headers: Any) -> list[tuple[str, str]]:
    if headers is None:
        return []
    given = _shapes.mapping(headers)
    pairs = _shapes.sequence(headers) if given is None else given.items()
    if pairs is None:
        raise EncodeError(
            "headers: a mapping or a list of pairs expected, got "
            f"{type(headers).__name__}"
        )
    out: list[tuple[str, str]] = []
    for pair in pairs:
        both = _shapes.sequence(pair)
        if both is None or len(both) != 2:
            raise EncodeError("headers: each item of the list is a (name, value) pair")
        name, value = both
        if not isinstance(name, str) or not isinstance(value, str):
            raise EncodeError(
                f"headers[{name!r}]: text expected, got {type(value).__name__}"
            )
        out.append((name, value))
    return out


def _entries(stack: Stack, middleware: Any, idle: bool) -> tuple[Entry, ...]:
    """The layers of the call, less those that have nothing to do for it."""
    if isinstance(middleware, Stack):
        stack, middleware = middleware, ()
    entries = stack.lean if idle else stack.entries
    return (*layers(middleware), *entries) if middleware else entries


def check_base_url(url: object, name: str = "base_url") -> str:
    """Return *url* without a trailing slash, or raise ``ConfigurationError``."""
    if not isinstance(url, str):
        raise ConfigurationError(f"{name}: text expected, got {type(url).__name__}")
    problem = _problem(url)
    if problem is None:
        return url.rstrip("?#/")
    del url  # it may hold a password, and tracebacks can show local variables
    raise ConfigurationError(f"{name}: {problem}")


@lru_cache(maxsize=256)
def _problem(url: str) -> str | None:
    """What is wrong with *url*, in words."""
    if not _is_base(url):
        return f"http(s)://host[:port][/path] expected, got {_shown(url)}"
    if not re.fullmatch(r"[!-~]+", url):
        return f"{url!r} holds a space or is not ASCII"
    return None


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or parts.port == 0
        ):
            return False
    except ValueError:  # a port that is no number, an open bracket
        return False
    # An @ in the path is what becomes of a password with a slash in it, and behind a
    # backslash readers of URLs do not agree on the host.
    return not ("@" in url or "\\" in url or parts.query or parts.fragment)


def _shown(url: str) -> str:
    """The URL less what may be a password before ``@``.

    A long one without a dot is no host, and may be a key in the wrong option.
    """
    text = re.sub(r".*@", "...@", url, flags=re.S)
    fits = len(text) < 32 or ("." in text and text.isprintable())
    return repr(text) if fits else f"{len(text)} characters"


def check_timeout(timeout: Any) -> tuple[float, float]:
    """Seconds to connect and to read. There is no *never*.

    Raises ``ConfigurationError``.
    """
    both = _shapes.sequence(timeout) or (timeout, timeout)
    if len(both) == 2 and all(
        isinstance(s, (int, float))
        and not isinstance(s, bool)
        and math.isfinite(s)
        and s > 0
        for s in both
    ):
        return float(both[0]), float(both[1])
    found = _shapes.shown(timeout)
    del timeout, both  # they may hold a key, and tracebacks can show local variables
    raise ConfigurationError(
        f"timeout: seconds above 0, or (connect, read), expected, got {found}"
    )
