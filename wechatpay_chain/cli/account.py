"""Whose keys a command uses, and how it ends: what the commands that call share.

No key is ever an argument: the process list shows those. Keys come from a file, from
the environment, or from stdin.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from .. import _config
from .._secret import Secret
from ..client import WeChatPay
from ..errors import (
    APIError,
    ConfigurationError,
    ConnectError,
    DecodeError,
    DecryptionError,
    SignatureError,
    TransportError,
    WeChatPayError,
)

F = TypeVar("F", bound=Callable[..., Any])

#: What the environment may set the options by.
PREFIX = "WECHATPAY_"
#: What is read where nothing else is named.
FILE = "wechatpay.toml"

#: Exit statuses, beside 0; docs/cli.md lists them.
REFUSED, USAGE, UNKNOWN, UNPROVEN, INTERRUPTED = 1, 2, 3, 4, 130
#: What is to be said where nobody knows what became of a call.
IN_DOUBT = "it may have been carried out: query it, or repeat the same number"


def config_option(command: F) -> F:
    """The option ``--config`` for a command."""
    return click.option(
        "--config",
        metavar="FILE",
        type=click.Path(dir_okay=False, allow_dash=True),
        help="Options of the client, TOML or JSON; - is stdin. By default "
        "$WECHATPAY_CONFIG, ./wechatpay.toml, or the variables WECHATPAY_*.",
    )(command)


def json_option(command: F) -> F:
    """The option ``--json`` for a command."""
    return click.option(
        "--json", "as_json", is_flag=True, help="One JSON object on stdout."
    )(command)


def options(config: str | None) -> Secret[dict[str, Any]]:
    """The options of the client, from where they are. Raises ``ConfigurationError``."""
    if config == "-":
        text = Secret(sys.stdin.read())
        is_json = text.reveal().lstrip().startswith("{")
        return _config.from_text(text, Path.cwd(), is_json=is_json, name="stdin")
    file = config or os.environ.get(f"{PREFIX}CONFIG")
    if file is None and Path(FILE).exists():
        file = FILE
    if file is not None:
        return _config.from_file(file)
    try:
        return _config.from_env(PREFIX)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{error}; give --config FILE, or run this where {FILE} is"
        ) from None


def client(config: str | None) -> WeChatPay:
    """The client of these options. Raises ``ConfigurationError``."""
    return WeChatPay._of(options(config))


def place(out: str | None) -> Path | None:
    """The file that ``--out`` names; ``None`` for stdout, which ``-`` is too."""
    return None if out in (None, "-") else Path(str(out))


@contextmanager
def endings(
    name: str, *, as_json: bool = False, changes: bool = False
) -> Generator[None, None, None]:
    """Make errors one line on stderr and an exit status; with *as_json* also JSON.

    So are warnings, and Ctrl-C. *changes*: what is sent may change something, so that
    after Ctrl-C nobody knows whether it did.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = partial(_warn, name)
            yield
    except WeChatPayError as error:
        if as_json:
            told = json.dumps({"error": _facts(error)}, ensure_ascii=False, indent=2)
            click.echo(told)
        text = " ".join(str(error).split())
        click.echo(f"wxpay {name}: {text}{_advice(error)}", err=True)
        raise SystemExit(_status(error)) from None
    except BrokenPipeError:
        raise  # whoever read stdout had seen enough, see main
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"wxpay {name}: {where}{error.strerror or error}", err=True)
        raise SystemExit(USAGE) from None
    except KeyboardInterrupt:
        text = f"interrupted; {IN_DOUBT}" if changes else "interrupted"
        click.echo(f"\nwxpay {name}: {text}", err=True)
        raise SystemExit(INTERRUPTED) from None


def _warn(name: str, message: Warning | str, *rest: object) -> None:
    del rest  # the line of ours that it was raised from
    click.echo(f"wxpay {name}: {message}", err=True)


def _status(error: WeChatPayError) -> int:
    if isinstance(error, (SignatureError, DecodeError, DecryptionError)):
        return UNPROVEN
    if isinstance(error, (APIError, TransportError)):
        return UNKNOWN if error.outcome == "unknown" else REFUSED
    return USAGE


def _advice(error: WeChatPayError) -> str:
    """What to do next, where the message does not say so itself."""
    if isinstance(error, ConfigurationError):
        return ""
    if isinstance(error, ConnectError):
        return "; check the network, proxies and base_url (wxpay doctor)"
    if isinstance(error, SignatureError):
        return "; wxpay doctor checks the keys"
    method = error.request.method if error.request else ""
    if error.outcome == "unknown" and method not in ("", "GET"):
        return f"; {IN_DOUBT}"
    return ""


def _facts(error: WeChatPayError) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "type": type(error).__name__,
        "message": str(error),
        "outcome": error.outcome,
    }
    if isinstance(error, APIError):
        facts |= {
            "status_code": error.status_code,
            "code": error.code,
            "request_id": error.request_id,
            "detail": error.detail,
        }
    return facts


def is_terminal() -> bool:
    """Whether somebody looks at stdout."""
    return sys.stdout.isatty()
