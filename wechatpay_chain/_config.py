"""Options from the environment and from files; the names are the constructor's.

Parsers keep the source in their frames and errors, and the source holds keys. So they
run here behind values: what went wrong leaves as text.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from ._secret import Secret
from ._shapes import mapping, sequence
from .crypto.forms import bare_base64
from .crypto.load import is_name, is_pkcs12
from .errors import ConfigurationError

#: Options that are key material, alone or with a password; ``certs`` holds more of it.
_MATERIAL = ("private_key", "merchant")
#: What the environment may set; the rest are Python objects.
_VARIABLES = (
    "mchid",
    "serial",
    "private_key",
    "certs",
    "apiv3_key",
    "secret",
    "merchant",
    "certificate_store",
    "base_url",
    "backup_url",
    "timeout",
    "retry",
    "proxies",
    "verify",
    "user_agent",
    "accept_language",
    "check",
)
#: Names that look like one option and mean another.
_MEANT = {"apiv2_key": "secret", "apiv2key": "secret", "merchant_id": "mchid"}


def from_env(
    prefix: str, environ: Mapping[str, str] | None = None
) -> Secret[dict[str, Any]]:
    """Options from variables such as ``WECHATPAY_MCHID``; ``..._CERTS`` is JSON.

    ``..._PRIVATE_KEY`` and ``..._MERCHANT`` may be a JSON list with the password.

    Raises ``ConfigurationError`` naming the variable.
    """
    # Sealed, as a traceback may print local variables, and this one is all of them.
    source = Secret(os.environ if environ is None else environ)
    del environ
    _check_names(prefix, [name for name, text in source.reveal().items() if text])
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


def _check_names(prefix: str, variables: Iterable[str]) -> None:
    """Refuse what is nearly an option; others may share the prefix."""
    from difflib import get_close_matches  # not needed by who takes no environment

    known = {name.replace("_", ""): name for name in _VARIABLES}
    for variable in variables if prefix else ():
        name = variable.removeprefix(prefix).lower()
        if name == variable.lower() or name in _VARIABLES:
            continue
        if name.endswith(tuple(f"_{option}" for option in _VARIABLES)):
            continue  # of a longer prefix: WECHATPAY_TEST_PRIVATE_KEY
        near = get_close_matches(name.replace("_", ""), known, n=1, cutoff=0.8)
        if near:
            meant = _MEANT.get(name, known[near[0]])
            raise ConfigurationError(
                f"unknown variable {variable} - did you mean {prefix}{meant.upper()}?"
            )


def _set(
    options: Secret[dict[str, Any]], name: str, text: Secret[str], variable: str
) -> None:
    read, expected = _READERS.get(name, (_as_it_is, ""))
    found = _attempt(read, text, expected)
    if isinstance(found, str):
        raise ConfigurationError(f"{variable}: {expected} expected")
    options.reveal()[name] = found.reveal()


def _as_it_is(text: str) -> str:
    return text


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _numbers(text: str) -> Any:
    """``5``, ``3,10`` or ``[3, 10]``."""
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    found = [_number(part) for part in bare.split(",")]
    return found[0] if len(found) == 1 else tuple(found)


def _table(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return cast("dict[str, Any]", found)


def _material(text: str) -> str | tuple[str, str]:
    """Material as it is, or with its password as a JSON list."""
    if not text.lstrip().startswith("["):
        return text
    first, second = json.loads(text)
    if not isinstance(first, str) or not isinstance(second, str):
        raise ValueError("no texts")
    return first, second


_PAIR = 'a JSON list ["apiclient_cert.p12", "password"], or a path or PEM,'
#: How the text of a variable is read, and what is expected there.
_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "certs": (_table, 'a JSON object {"PUB_KEY_ID_...": "path"}'),
    "timeout": (_numbers, "seconds, or connect,read as in 3,10,"),
    "retry": (_number, "a number"),
    "private_key": (_material, _PAIR),
    "merchant": (_material, _PAIR),
}


def from_file(path: str | os.PathLike[str]) -> Secret[dict[str, Any]]:
    """Options from TOML, or JSON by its suffix; key paths are relative to the file.

    Raises ``ConfigurationError``.
    """
    file = Path(os.path.expanduser(path))
    source = _text(file)
    if isinstance(source, str):
        raise ConfigurationError(source)
    is_json = file.suffix.lower() == ".json"
    # From the root, as the working directory may change before a file is opened.
    folder = Path(os.path.abspath(file)).parent
    return from_text(source, folder, is_json=is_json, name=str(file))


def from_text(
    source: Secret[str], folder: Path, *, is_json: bool, name: str
) -> Secret[dict[str, Any]]:
    """Options from the text of a file; key paths are relative to *folder*.

    *name* is what messages call it. Raises ``ConfigurationError``.
    """
    kind = "JSON" if is_json else "TOML"
    found = _attempt(json.loads if is_json else _toml(), source, kind)
    if isinstance(found, str):
        raise ConfigurationError(f"{name}: {found}")
    if not isinstance(found.reveal(), dict):
        raise ConfigurationError(f"{name}: a table of options expected")
    problem = _relocate(found, folder)
    if problem is not None:
        raise ConfigurationError(problem)
    return found


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


def _relocate(options: Secret[dict[str, Any]], folder: Path) -> str | None:
    """Make the paths relative to *folder*; what is wrong with one, in words.

    Raises nothing: the options are in this frame.
    """
    given = options.reveal()
    for name in ("verify", "certificate_store"):
        if isinstance(given.get(name), str):
            given[name] = str(_path(given[name], folder))
    places = [(given, name, name) for name in _MATERIAL if name in given]
    certs = mapping(given.get("certs"))
    if certs is not None:
        given["certs"] = dict(certs)
        places += [(given["certs"], name, f"certs[{name!r}]") for name in certs]
    for table, key, name in places:
        table[key], problem = _located(table[key], folder, pair=name == "merchant")
        if problem is not None:
            return f"{name}: {problem}"
    return None


def _located(value: Any, folder: Path, *, pair: bool) -> tuple[Any, str | None]:
    """Material made relative to *folder*, and what is wrong with it, in words.

    It may come with a password, which is no path. In a *pair* of two files it is one.
    """
    items = sequence(value)
    if items is not None and len(items) == 2:
        first, problem = _located(items[0], folder, pair=False)
        second = items[1]
        if problem is None and pair and not _has_password(first):
            second, problem = _located(second, folder, pair=False)
        return (first, second), problem
    if not isinstance(value, str) or _is_material(value):
        return value, None
    path = _path(value, folder)
    # Without a suffix or a folder in it, it may as well be a key in the wrong place.
    named = is_name(str(path) if os.path.dirname(value) else value)
    if named or os.path.exists(path):
        return str(path), None
    return value, f"this is neither a file in {folder}, nor PEM, nor base64"


def _path(text: str, folder: Path) -> Path:
    return folder / os.path.expanduser(text)


def _has_password(material: object) -> bool:
    """Whether the second of two is a password: a .p12, also one that is not there."""
    if isinstance(material, str) and re.search(r"\.(p12|pfx)$", material, re.I):
        return True
    return is_pkcs12(Secret(material))


def _is_material(text: str) -> bool:
    """Whether *text* is a key itself, or a URL, and no path."""
    if not text.strip() or "-----BEGIN " in text or text.startswith("file:"):
        return True
    raw = text.encode("utf-8", "surrogatepass")
    # The shortest key, a public one of 2048 bits, has 360 characters.
    return len(text) >= 300 and bare_base64(raw) is not None
