"""A sandbox that runs elsewhere, by its control API: what the commands talk to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import requests

from .. import _config
from .._shapes import mapping
from ..errors import ConfigurationError
from ..sandbox.actors.user import IllegalMove
from ..sandbox.notices.targets import not_here
from ..sandbox.recording.journal import numbers

F = TypeVar("F", bound=Callable[..., Any])

#: Seconds that an answer may take; a command may wait for notifications.
_PATIENCE = 60
#: Where a sandbox may be named, beside the option.
_FILE, _VARIABLE = "wechatpay.toml", "WECHATPAY_BASE_URL"


def base_url_option(command: F) -> F:
    """The option ``--base-url`` for a command."""
    return click.option(
        "--base-url",
        help="URL of the sandbox; by default that of $WECHATPAY_CONFIG, of "
        "./wechatpay.toml or $WECHATPAY_BASE_URL.",
    )(command)


class Sandbox:
    """The control API of a running sandbox. Also a door to replay recordings to."""

    def __init__(self, base_url: str | None) -> None:
        #: Where it listens.
        self.base_url: str = _found(base_url).rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands before this machine

    def get(self, path: str, **query: Any) -> Mapping[str, Any]:
        """The answer to a question."""
        return self._answer(self._ask("GET", path, params=query))

    def post(self, path: str, **given: Any) -> Mapping[str, Any]:
        """The answer to a command."""
        return self._answer(self._ask("POST", path, json=given))

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        url = f"{self.base_url}/_sandbox/{path}"
        try:
            return self._session.request(method, url, timeout=_PATIENCE, **options)
        except requests.RequestException as error:
            raise click.ClickException(
                f"no sandbox answers at {self.base_url} ({type(error).__name__}); "
                "wxpay sandbox starts one"
            ) from None

    def _answer(self, response: requests.Response) -> Mapping[str, Any]:
        try:
            found = mapping(response.json())
        except ValueError:
            found = None
        if found is None or response.headers.get("Wechatpay-Sandbox") != "control":
            raise click.ClickException(
                f"{self.base_url} is no sandbox, or its control API is not open"
            )
        if not response.ok:
            text = str(found.get("message", response.status_code))
            # What there is not, or what a command does not take, was asked for wrongly.
            misused = found.get("error") in ("bad_request", "not_found")
            raise (click.UsageError if misused else click.ClickException)(text)
        return found

    # What a recording is played to.

    def send(self, entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Send a call, signed anew; its answer."""
        names = ("target", "method", "headers", "body", "base64", "mchid", "signed")
        given = {name: entry[name] for name in names if entry.get(name) is not None}
        return mapping(self.post("send", **given).get("answer"))

    def act(self, name: str, arguments: Mapping[str, Any]) -> dict[str, str]:
        """Do a deed; the numbers that came of it."""
        response = self._ask("POST", name.replace(".", "/"), json=dict(arguments))
        if response.status_code in (404, 409):
            found = mapping(response.json()) or {}
            raise IllegalMove(str(found.get("message", name)))
        return numbers(self._answer(response))

    def now(self) -> float:
        """What time it is there."""
        return float(self.get("clock")["now"])

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.post("advance", seconds=seconds)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sandbox {self.base_url}>"


def _found(base_url: str | None) -> str:
    url = base_url or _configured() or _refuse()
    if not_here(url):
        raise click.UsageError(
            f"--base-url: {url[:64]} is no sandbox of this machine; it begins as in "
            "http://127.0.0.1:8080"
        )
    return url


def _configured() -> str | None:
    """The base URL that configuration names."""
    file = os.environ.get("WECHATPAY_CONFIG")
    if file is None and Path(_FILE).exists():
        file = _FILE
    if file is None:
        return os.environ.get(_VARIABLE)
    try:
        found = _config.from_file(file).reveal().get("base_url")
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    return None if found is None else str(found)


def _refuse() -> NoReturn:
    raise click.UsageError(
        "where is the sandbox? give --base-url, as the ready line of wxpay sandbox has "
        "it, or run this where its wechatpay.toml is"
    )
