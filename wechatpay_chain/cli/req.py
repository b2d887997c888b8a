"""``wxpay req``: one signed call."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from click.shell_completion import CompletionItem

from .. import catalogue
from .._node import Node
from .._reply import Reply
from .._saving import check_place
from ..catalogue.layout import METHODS
from ..client import WeChatPay
from ..middleware.signing import is_home
from . import account
from .api import located_path
from .tables import Meter

#: As many paths as a shell may offer.
_OFFERED = 200


def _paths(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """What a shell completes PATH with."""
    del context, parameter
    found = sorted(
        {
            one.template
            for one in catalogue.operations()
            if one.template.startswith(incomplete)
        }
    )
    return [CompletionItem(path) for path in found[:_OFFERED]]


@click.command("req")
@click.argument("path", shell_complete=_paths)
@click.option(
    "-X",
    "--method",
    type=click.Choice(METHODS, case_sensitive=False),
    help="By default POST with a body or below v2, else GET.",
)
@click.option(
    "-d", "--data", metavar="JSON|@FILE", help="The body; @FILE, or @- for stdin."
)
@click.option(
    "-q", "--query", multiple=True, metavar="NAME=VALUE", help="A query parameter."
)
@click.option(
    "-p", "--path", "places", multiple=True, metavar="NAME=VALUE",
    help="Fills a placeholder of PATH.",
)  # fmt: skip
@click.option("-H", "--header", multiple=True, metavar="NAME:VALUE", help="A header.")
@click.option(
    "-F",
    "--file",
    "upload",
    metavar="NAME=FILE",
    help="An upload; -d adds to its meta.",
)
@click.option(
    "-o",
    "--out",
    "told",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Write the answer's body to this file, with progress; - is stdout.",
)
@account.config_option
@account.json_option
def command(
    path: str,
    method: str | None,
    data: str | None,
    query: tuple[str, ...],
    places: tuple[str, ...],
    header: tuple[str, ...],
    upload: str | None,
    told: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Send one signed call to PATH, and print the body of the answer.

    PATH is v3/..., the chain, v3.payscore..., or a URL of WeChat Pay, of which the path
    counts: the call goes where the configuration says. Below v2 the body is a JSON
    object of XML fields. On a terminal JSON is set out in lines, in a pipe the bytes
    are those of the answer.
    """
    if data == "@-" and config == "-":
        raise click.UsageError("stdin is either the body or the configuration")
    out = account.place(told)
    origin, rest = _parted(path)
    text, verb = located_path(rest)
    xml = text.partition("/")[0] == "v2"
    verb = (method or verb).lower()
    chosen = verb or ("post" if data or upload or xml else "get")
    given: dict[str, Any] = {
        "params": _pairs("-q", query, "=") or None,
        "path": dict(_pairs("-p", places, "=")) or None,
        "headers": _pairs("-H", header, ":") or None,
        "stream": out is not None,
    }
    if data is not None:
        given["xml" if xml else "json"] = _body(data)
    if upload is not None:
        ((name, file),) = _pairs("-F", (upload,), "=")
        given["files"] = {name: file}
    ended = account.endings("req", as_json=as_json, changes=chosen != "get")
    with ended, account.client(config) as client:
        _check_origin(origin, client)
        if out is not None:
            check_place(out)
        reply: Reply = _verb(client[text], chosen)(**given)
        with _kept(reply):
            if out is not None:
                meter = Meter(out.name)
                reply.save(out, progress=meter)
                meter.end()
            _print(reply, out, as_json)


@contextmanager
def _kept(reply: Reply) -> Generator[None, None, None]:
    """What fails when there is an answer: the call itself was carried out by then."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read it had seen enough
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(
            f"wxpay req: {where}{error.strerror or error}; the answer, "
            f"{reply.status_code}, is lost: query what came of it",
            err=True,
        )
        raise SystemExit(account.UNKNOWN) from None


def _parted(text: str) -> tuple[str, str]:
    """The origin of a URL, or nothing, and the path; of APIv2 as the chain has it.

    >>> _parted("https://api.mch.weixin.qq.com/pay/orderquery")
    ('https://api.mch.weixin.qq.com', 'v2/pay/orderquery')
    """
    scheme, mark, rest = text.partition("://")
    if not mark or not scheme.isalpha():
        return "", text  # the "://" is in a query
    host, _, path = rest.partition("/")
    bare = path.partition("?")[0]
    if not catalogue.at(bare) and catalogue.at(f"v2/{bare}"):
        path = f"v2/{path}"
    return f"{scheme}://{host}".lower(), path


def _check_origin(origin: str, client: WeChatPay) -> None:
    """Refuse the URL of a host that is not ours to call."""
    url = urlsplit(client._settings.base_url)
    scheme, _, host = origin.partition("://")
    known = is_home(scheme, host) or origin == f"{url.scheme}://{url.netloc}".lower()
    if origin and not known:
        raise click.UsageError(
            f"{origin[:64]} is neither WeChat Pay's nor the base_url of the "
            "configuration: nothing is signed for it"
        )


def _verb(node: Node, name: str) -> Callable[..., Reply]:
    verb: Callable[..., Reply] = getattr(node, name)
    return verb


def _pairs(option: str, given: Iterable[str], mark: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for one in given:
        name, found, value = one.partition(mark)
        if not found or not name:
            form = f"NAME{mark}VALUE"
            raise click.BadParameter(
                f"{form} expected, got {one!r:.64}", param_hint=option
            )
        pairs.append((name.strip(), value.strip() if mark == ":" else value))
    return pairs


def _body(data: str) -> Any:
    """The JSON of ``-d``; of a file, or of stdin, by ``@``."""
    text = data
    try:
        if data == "@-":
            text = sys.stdin.read()
        elif data.startswith("@"):
            text = Path(data[1:]).expanduser().read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise click.BadParameter(f"{data[1:]}: {why}", param_hint="-d") from None
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"this is no JSON: {error}", param_hint="-d") from None


def _print(reply: Reply, out: Path | None, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_facts(reply, out), ensure_ascii=False, indent=2))
    elif out is not None:
        click.echo(str(out))
    elif not account.is_terminal():
        sys.stdout.buffer.write(reply.content)
        sys.stdout.buffer.flush()
    elif reply.data is not None:
        click.echo(json.dumps(reply.data, ensure_ascii=False, indent=2))
    elif not reply.content:
        click.echo(f"{reply.status_code}, no body", err=True)
    elif _is_text(reply.content):
        click.echo(reply.content.decode())
    else:
        raise click.UsageError(
            f"the answer is a file of {len(reply.content)} bytes: name one with --out"
        )


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return all(one.isprintable() or one in "\t\r\n\ufeff" for one in text)


def _facts(reply: Reply, out: Path | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "status_code": reply.status_code,
        "request_id": reply.request_id,
        "verified": reply.verified,
        "serial": reply.serial,
        "data": reply.data,
    }
    if out is not None:
        facts["out"] = str(out)
    elif reply.data is None and reply.content:
        facts["text"] = reply.content.decode("utf-8", "replace")
    return facts
