"""What a curl command line sends, as far as a signature covers it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


class Unreadable(ValueError):
    """What was saved cannot be read; no value of it is in the message."""


class Sent(NamedTuple):
    """What goes on the wire."""

    method: str
    url: str
    headers: list[str]
    body: bytes

    def __repr__(self) -> str:
        return f"<Sent {self.method}>"


#: Options that matter, by the name that they go by here.
_MEANT = {
    "-X": "request",
    "-H": "header",
    "-d": "data",
    "--data-ascii": "data",
    "-G": "get",
    "-I": "head",
    "-F": "form",
    "-T": "upload-file",
    "-K": "config",
}
_VALUED = {"request", "header", "data", "data-raw", "data-binary", "json", "url"}
#: What is sent by these is not on the command line, or is made anew each time.
_REFUSED = {"form", "form-string", "upload-file", "data-urlencode", "config"}
#: Options with a value that no signature covers.
_PASSED = set("AbcCDeEmoPQrtuUwxyYz") | {
    "cacert",
    "cert",
    "connect-timeout",
    "connect-to",
    "cookie",
    "cookie-jar",
    "dump-header",
    "interface",
    "key",
    "max-time",
    "output",
    "pass",
    "proxy",
    "proxy-user",
    "referer",
    "resolve",
    "retry",
    "retry-delay",
    "retry-max-time",
    "trace-ascii",
    "user",
    "user-agent",
    "write-out",
}
_ANSI = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.S)
_ESCAPES: dict[str, str] = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{1,4})|x([0-9A-Fa-f]{1,2})|(.))", re.S)


def read(text: str) -> Sent:
    """What the command in *text* sends. Raises :class:`Unreadable`."""
    options: dict[str, list[str]] = {}
    for name, value in _options(_words(text)):
        if name in _REFUSED:
            raise Unreadable(f"curl --{name}: what it sends is not on the command line")
        options.setdefault(name, []).append(value)
    if not options.get("url"):
        raise Unreadable("the curl command has no URL")
    body, url = _data(options), options["url"][0]
    given = options.get("request", [""])[-1]
    if "get" in options and body:
        url += ("&" if "?" in url else "?") + body.decode("utf-8", "surrogateescape")
        body = b""
    sends = any(name in options for name in ("data", "data-raw", "data-binary", "json"))
    usual = "POST" if sends and "get" not in options else "GET"
    usual = "HEAD" if "head" in options else usual
    return Sent(given or usual, url, options.get("header", []), body)


def _words(text: str) -> list[str]:
    text = re.sub(r"\\\r?\n", " ", text)
    text = _ANSI.sub(lambda found: shlex.quote(_unescaped(found[1])), text)
    try:
        words = shlex.split(text.removeprefix("$"))
    except ValueError:
        raise Unreadable("the curl command has a quote that is not closed") from None
    return words[1:]


def _unescaped(text: str) -> str:
    r"""What ``$'...'`` of a shell means: ``\n``, ``\u6237``, ``\x41``, ``\'``."""

    def one(found: re.Match[str]) -> str:
        wide, byte, char = found.groups()
        if wide or byte:
            return chr(int(wide or byte, 16))
        return _ESCAPES.get(char, char)

    return _ESCAPE.sub(one, text)


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Names and values; a word that is no option is the URL."""
    left = iter(words)
    for word in left:
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            name = _MEANT.get(f"--{name}", name)
            if name in _VALUED | _PASSED:
                value = value or next(left, "")
            yield name, value
        elif word.startswith("-") and len(word) > 1:
            yield from _letters(word[1:], lambda: next(left, ""))
        else:
            yield "url", word


def _letters(word: str, following: Callable[[], str]) -> Iterator[tuple[str, str]]:
    """Short options, several in one word, the last with a value perhaps."""
    for at, letter in enumerate(word):
        name = _MEANT.get(f"-{letter}", letter)
        if name in _VALUED | _PASSED:
            yield name, word[at + 1 :] or following()
            return
        yield name, ""


def _data(options: dict[str, list[str]]) -> bytes:
    parts: list[bytes] = []
    # In the order of the options: only one kind of them is in real commands.
    for name in ("data", "data-raw", "data-binary", "json"):
        parts += [_bytes(name, value) for value in options.get(name, [])]
    return b"&".join(parts)


def _bytes(name: str, value: str) -> bytes:
    if name == "data-raw" or not value.startswith("@"):
        return value.encode("utf-8", "surrogateescape")
    try:
        data = Path(value[1:]).read_bytes()
    except (OSError, ValueError):
        raise Unreadable(f"curl --{name}: the file that it names cannot be read") from (
            None
        )
    return data.translate(None, b"\r\n") if name == "data" else data
