"""The control API, ``/_sandbox/``: JSON for what a test or a page does to a gateway.

A function of request and gateway, like the gateway itself. No part of the real API, and
unsigned; so it is open on the loopback only, and to no page of another site.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ..._messages import Headers, Request, Response
from ..._shapes import mapping
from ..._version import __version__
from ..actors.user import IllegalMove
from ..checks.parsing import strict_json
from ..doors.loopback import is_loopback
from .commands import Bad, Command, table
from .plain import plain

if TYPE_CHECKING:
    from ..gateway import Gateway

#: What all of its paths begin with.
PREFIX = "/_sandbox/"

_log = logging.getLogger(__name__)


class _Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, error: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"error": error, "message": message, **more}


class Control:
    """The API of one gateway.

    Where it is not *enabled*, it owns its paths nevertheless, and is 404.
    *any_host*: it was opened to other machines, which know this one by any name.
    """

    def __init__(
        self, gateway: Gateway, *, enabled: bool = True, any_host: bool = False
    ) -> None:
        self._gateway = gateway
        self._any_host = any_host
        self._enabled = enabled
        self._commands: tuple[Command, ...] = table(gateway) if enabled else ()

    def owns(self, request: Request) -> bool:
        """Whether *request* is for this API."""
        return f"{request.path}/".startswith(PREFIX)

    def handle(self, request: Request) -> Response:
        """Answer; what goes wrong is a 4xx that says what."""
        try:
            if not self._enabled:
                raise _Refused(404, "disabled", "the control API is not open here")
            self._admit(request)
            return _json(200, self._run(request))
        except _Refused as refused:
            return _json(refused.status, refused.content)
        except Bad as error:
            return _json(400, {"error": "bad_request", "message": str(error)})
        except IllegalMove as error:
            return _json(409, {"error": "illegal_move", "message": str(error)})
        except LookupError as error:
            said = str(error.args[0]) if error.args else "there is no such thing"
            return _json(404, {"error": "not_found", "message": said})
        except ValueError as error:
            return _json(400, {"error": "bad_request", "message": str(error)})
        except Exception as error:
            _log.exception("a control command failed")
            return _json(500, {"error": "failed", "message": type(error).__name__})

    def _admit(self, request: Request) -> None:
        """Refuse what a page of another site may have made a browser send."""
        headers = request.headers
        host = headers.get("Host", "")
        if not self._any_host and not _names_loopback(host):
            raise _Refused(403, "host", f"Host {host[:64]} is not this machine")
        origin = headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise _Refused(403, "cross_site", f"a page of {origin[:64]} may not")
        if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise _Refused(403, "cross_site", "a page of another site may not")

    def _run(self, request: Request) -> dict[str, Any]:
        name = unquote(request.path)[len(PREFIX) :].strip("/")
        method = "GET" if request.method == "HEAD" else request.method
        if not name and method == "GET":
            return self._index()
        command, given = self._find(method, name)
        if method == "GET":
            query = request.target.partition("?")[2]
            given.update(parse_qsl(query, keep_blank_values=True))
            arguments = command.arguments(given, text=True)
        else:
            arguments = command.arguments(self._body(request), text=False)
        # Not under the lock: a merchant who is notified may call us back.
        result = command.run(**arguments)
        with self._gateway.lock:
            result = plain(result)
        found = mapping(result)
        return {"result": result} if found is None else dict(found)

    def _find(self, method: str, name: str) -> tuple[Command, dict[str, str]]:
        others: list[str] = []
        for command in self._commands:
            values = _match(command.path, name)
            if values is not None:
                if command.method == method:
                    return command, values
                others.append(command.method)
        if others:
            takes = " and ".join(others)
            raise _Refused(
                405, "method", f"{PREFIX}{name[:64]} takes {takes}, not {method[:16]}"
            )
        raise _Refused(
            404,
            "no_such_command",
            f"there is no {PREFIX}{name[:64]}; GET {PREFIX} lists what there is",
        )

    def _body(self, request: Request) -> Mapping[str, Any]:
        if len(request.body) > self._gateway.body_limit:
            raise _Refused(413, "too_large", "the body is too large")
        if not request.body:
            return {}
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # a form of any page could be sent otherwise
            raise _Refused(415, "content_type", "Content-Type must be application/json")
        try:
            found = mapping(strict_json(request.body))
        except (ValueError, RecursionError) as error:
            raise _Refused(400, "bad_json", _no_json(error)) from None
        if found is None:
            raise _Refused(400, "bad_json", "the body must be a JSON object")
        return found

    def _index(self) -> dict[str, Any]:
        gateway = self._gateway
        return {
            "sandbox": f"wechatpay_chain {__version__}",
            "mode": gateway.mode,
            "mchid": gateway.mchid,
            "appid": gateway.appid,
            "service_id": gateway.service_id,
            "no_confirm_service_id": gateway.no_confirm_service_id,
            "sub_mchid": gateway.sub_mchid,
            "commands": [described(command) for command in self._commands],
        }

    def __repr__(self) -> str:
        return f"<Control, {len(self._commands)} commands>"


def described(command: Command) -> dict[str, Any]:
    """*command* as the index and the documentation show it."""
    return {
        "method": command.method,
        "path": PREFIX + command.path,
        "about": command.about,
        "takes": {
            one.name: one.kind + ("" if one.required else ", optional")
            for one in command.parameters
        },
    }


def _no_json(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the body is no JSON: nested too deeply"
    if isinstance(error, UnicodeDecodeError):  # whose text shows what is there
        return f"the body is no JSON: not UTF-8 at byte {error.start}"
    return f"the body is no JSON: {error}"


def _match(path: str, name: str) -> dict[str, str] | None:
    segments, given = path.split("/"), name.split("/")
    if len(segments) != len(given):
        return None
    values: dict[str, str] = {}
    for segment, value in zip(segments, given):
        if segment[:1] == "{":
            values[segment[1:-1]] = value
        elif segment != value:
            return None
    return values


def _names_loopback(host: str) -> bool:
    """Whether a ``Host`` is this machine: a name that somebody else serves is not."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name is not None and is_loopback(name)


def _json(status: int, content: Mapping[str, Any]) -> Response:
    body = json.dumps(
        content, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    raw = body.encode("utf-8", "backslashreplace")
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(raw)),
        "Cache-Control": "no-store",
        "Wechatpay-Sandbox": "control",
    }
    return Response(status, Headers(headers), raw)  # type: ignore[arg-type]
