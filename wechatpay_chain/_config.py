"""Options from the environment and from files; the names are the constructor's.

Parsers keep the source in their frames and errors, and the source holds keys. So they
run here behind values: what went wrong leaves as text.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ._secret import Secret
from ._shapes import mapping, sequence
from .errors import ConfigurationError

#: Options whose value may name a file.
_FILES = ("private_key", "merchant", "verify")
_NUMBERS = ("timeout", "retry")
#: What the environment may set; the rest are Python objects.
_VARIABLES = (
    "mchid",
    "serial",
    "private_key",
    "certs",
    "apiv3_key",
    "secret",
    "merchant",
    "base_url",
    "backup_url",
    "timeout",
    "retry",
    "proxies",
    "verify",
    "user_agent",
    "accept_language",
)


def from_env(
    prefix: str, environ: Mapping[str, str] | None = None
) -> Secret[dict[str, Any]]:
    """Options from variables such as ``WECHATPAY_MCHID``; ``..._CERTS`` is JSON.

    Raises ``ConfigurationError`` naming the variable.
    """
    # Sealed, as a traceback may print local variables, and this one is all of them.
    source = Secret(os.environ if environ is None else environ)
    del environ
    sealed: Secret[dict[str, Any]] = Secret({})
    for name in _VARIABLES:
        variable = f"{prefix}{name.upper()}"
        if source.reveal().get(variable):
            _set(sealed, name, Secret(source.reveal()[variable]), variable)
    missing = [
        f"{prefix}{name.upper()}"
        for name in ("mchid", "serial", "private_key")
        if name not in sealed.reveal()
    ]
    if missing:
        raise ConfigurationError(f"the environment lacks {', '.join(missing)}")
    return sealed


def _set(
    options: Secret[dict[str, Any]], name: str, text: Secret[str], variable: str
) -> None:
    if name == "certs":
        found = _attempt(json.loads, text, "JSON")
        if isinstance(found, str) or not isinstance(found.reveal(), dict):
            raise ConfigurationError(
                f'{variable}: a JSON object {{"PUB_KEY_ID_...": "path"}} expected'
            )
        options.reveal()[name] = found.reveal()
    elif name in _NUMBERS:
        options.reveal()[name] = _number(text.reveal(), variable)
    else:
        options.reveal()[name] = text.reveal()


def _number(text: str, variable: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        raise ConfigurationError(
            f"{variable}: a number expected, got {text!r}"
        ) from None
    return int(number) if number.is_integer() else number


def from_file(path: str | os.PathLike[str]) -> Secret[dict[str, Any]]:
    """Options from TOML, or JSON by its suffix; key paths are relative to the file.

    Raises ``ConfigurationError``.
    """
    file = Path(os.path.expanduser(path))
    source = _text(file)
    if isinstance(source, str):
        raise ConfigurationError(source)
    is_json = file.suffix.lower() == ".json"
    kind = "JSON" if is_json else "TOML"
    found = _attempt(json.loads if is_json else _toml(), source, kind)
    if isinstance(found, str):
        raise ConfigurationError(f"{file}: {found}")
    if not isinstance(found.reveal(), dict):
        raise ConfigurationError(f"{file}: a table of options expected")
    return _resolved(found, file.parent)


def _text(file: Path) -> Secret[str] | str:
    """The text of *file*, or why there is none: a decoder's error holds the bytes."""
    try:
        return Secret(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        return f"cannot read {file}: {error.strerror}"
    except UnicodeDecodeError:
        return f"{file}: this is not UTF-8 text"


def _toml() -> Callable[[str], Any]:
    if sys.version_info >= (3, 11):
        import tomllib

        return tomllib.loads
    try:
        import tomli
    except ImportError as error:
        raise ConfigurationError(
            "Python 3.10 reads TOML with tomli: pip install 'wechatpay-chain[cli]', or "
            "use a .json file"
        ) from error
    return tomli.loads


def _attempt(
    parse: Callable[[str], Any], source: Secret[str], kind: str
) -> Secret[Any] | str:
    try:
        return Secret(parse(source.reveal()))
    except (ValueError, RecursionError) as error:
        # The place and nothing else: the rest may quote the source.
        place = re.search(r"\bline (\d+)", str(error))
        return f"this is not {kind}" + (f", see line {place[1]}" if place else "")


def _resolved(options: Secret[dict[str, Any]], folder: Path) -> Secret[dict[str, Any]]:
    out = dict(options.reveal())
    for name in _FILES:
        if name in out:
            out[name] = _located(out[name], folder)
    certs = mapping(out.get("certs"))
    if certs is not None:
        out["certs"] = {key: _located(value, folder) for key, value in certs.items()}
    for name in ("timeout", "merchant", "private_key"):
        if isinstance(out.get(name), list):
            out[name] = tuple(out[name])
    return Secret(out)


def _located(value: Any, folder: Path) -> Any:
    """A path made relative to *folder*, where there is such a file; else as it is."""
    items = sequence(value)
    if items is not None:
        return [_located(item, folder) for item in items]
    if (
        not isinstance(value, str)
        or "-----BEGIN " in value
        or value.startswith("file:")
    ):
        return value
    path = folder / value
    try:
        return str(path) if path.is_file() else value
    except (OSError, ValueError):
        return value
