"""``wxpay api``: what the catalogue knows, found by words or by path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from shutil import get_terminal_size
from typing import Any, cast
from urllib.parse import urlsplit

import click

from .. import _chain, catalogue
from ..catalogue import Operation, layout
from ..catalogue.examples import arguments, forms, preparation
from ..catalogue.nearest import near_paths
from ..catalogue.search import Hit, Match, near, parts_of, wanted_of
from ..catalogue.text import describe

#: What is no endpoint, or more than one, and where it is, by words of a question.
_ELSEWHERE = (
    (
        re.compile(
            r"调起|invo(?:ke|cation)|requestpayment|weixinjsbridge|choosewxpay|openbusiness",
            re.I,
        ),
        "Invoking the payment (调起支付) in a page or an app is no endpoint: "
        "client.invoke signs what it needs: client.invoke.jsapi(appid, prepay_id), "
        "and others; help(client.invoke) lists them.",
    ),
    (
        re.compile(r"账单|(?<![-\w])(?:trade|fundflow)?bills?(?![-\w])|reconcil", re.I),
        "client.bills asks for a bill, downloads and checks it, and reads its rows: "
        "client.bills.trade('2024-06-01').save('bill.csv'), and others; "
        "help(client.bills) lists them. In a shell: wxpay bill --help.",
    ),
)

#: ``v3/pay/...``, or the chain: ``client.v3.pay``, ``v3.pay``.
_CHAIN = re.compile(r"(?:client\.)?((?:v[1-9][0-9]*|hk)(?:\.\w+)+)")


@click.command("api")
@click.argument("words", nargs=-1)
@click.option(
    "--show",
    nargs=2,
    metavar="METHOD PATH",
    help="This endpoint, in full; PATH may be filled in.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many hits at most.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    words: tuple[str, ...], show: tuple[str, str] | None, limit: int, as_json: bool
) -> None:
    """Search the endpoints of WeChat Pay by WORDS, Chinese or English.

    Titles, paths, product tags, error codes, field names and labels are searched: for
    all words, else for as many as there are. A path (with or without METHOD in front),
    a URL or a chain such as v3.pay.transactions.native shows what is there. One hit is
    shown in full, with the calls to paste. Without WORDS: which segments there are.

    Exits 0, or 1 if nothing was found.
    """
    if show is None and not words:
        _segments(as_json)
        return
    method, text = show or _located(words)
    told = " ".join(show or words)
    elsewhere = [where for form, where in _ELSEWHERE if form.search(told)]
    hits = [Hit(one, ()) for one in _at(method, text)]
    in_full = bool(hits)
    if not hits and show is None:
        hits = catalogue.search(" ".join(words), limit)
        in_full = len(hits) == 1 and not elsewhere
    if as_json:
        _as_json(hits, in_full, told, text, elsewhere)
    else:
        for where in elsewhere:
            click.echo(f"{where}\n")
        if in_full:
            click.echo("\n\n\n".join(_in_full(hit.operation) for hit in hits))
        elif hits:
            _table(hits, limit)
            _unmatched(told, hits)
        elif not elsewhere:
            _nothing(told, text)
    if not hits and not elsewhere:
        raise SystemExit(1)


def _located(words: tuple[str, ...]) -> tuple[str, str]:
    """Method and path, as far as *words* can be these; else two empty texts."""
    method = words[0] if words[0].upper() in layout.METHODS else ""
    rest = words[1:] if method else words
    return (method, rest[0]) if len(rest) == 1 else ("", "")


def _at(method: str, text: str) -> list[Operation]:
    """The operations at *text*, a path, URL or chain; of APIv2 also as on the wire."""
    known, verb = _known(text)
    wanted = method.upper() or verb
    return [one for name, one in known.items() if wanted in ("", name)]


def _known(text: str) -> tuple[Mapping[str, Operation], str]:
    """What there is at the path of *text*, and the verb that *text* ends in."""
    path, verb = _path(text)
    return catalogue.at(path) or catalogue.at(f"v2/{path}"), verb


def _path(text: str) -> tuple[str, str]:
    """The path that *text* stands for, and the verb at the end of a chain."""
    path = urlsplit(text).path if "://" in text else text.partition("?")[0]
    chained = _CHAIN.fullmatch(path)
    if chained is None:
        return path.removeprefix("/"), ""
    *names, last = chained[1].split(".")
    verb = last.removesuffix("_async").upper()
    if verb not in layout.METHODS:
        names, verb = [*names, last], ""
    return "/".join(_chain.segment(name) or "" for name in names), verb


def located_path(text: str) -> tuple[str, str]:
    """The path that *text* stands for, and the method where it is a chain with one.

    >>> located_path("client.v3.certificates.get")
    ('v3/certificates', 'GET')
    >>> located_path("/v3/bill/tradebill?tar_type=GZIP")
    ('v3/bill/tradebill?tar_type=GZIP', '')
    """
    return _path(text) if _CHAIN.fullmatch(text) else (text.removeprefix("/"), "")


def _segments(as_json: bool) -> None:
    counts = {
        version: {
            name: sum(1 for _ in catalogue.operations(version, name))
            for name in catalogue.segments(version)
        }
        for version in catalogue.VERSIONS
    }
    if as_json:
        click.echo(json.dumps({"segments": counts}, indent=2))
        return
    for version, segments in counts.items():
        click.secho(f"{version}  {sum(segments.values())} endpoints", bold=True)
        cells = [f"{name} {count}" for name, count in segments.items()]
        for line in _in_columns(cells, get_terminal_size().columns - 2):
            click.echo(f"  {line}")
        click.echo()
    click.echo("wxpay api WORDS searches them, wxpay api v3/PATH shows one.")


def _in_columns(cells: list[str], width: int) -> Iterator[str]:
    across = max(1, width // (max(map(len, cells)) + 2))
    down = -(-len(cells) // across)
    columns = [cells[at : at + down] for at in range(0, len(cells), down)]
    widths = [max(map(len, column)) + 2 for column in columns]
    for row in range(down):
        line = (
            column[row].ljust(wide)
            for column, wide in zip(columns, widths)
            if row < len(column)
        )
        yield "".join(line).rstrip()


def _table(hits: list[Hit], limit: int) -> None:
    wide = max(len(hit.operation.template) for hit in hits)
    for hit in hits:
        operation = hit.operation
        told = "  (withdrawn)" if operation.deprecated else ""
        click.echo(
            f"{operation.method:<7}{operation.template:<{wide}}  "
            f"{click.style(operation.title, bold=True)}{told}{_why(hit.matches)}"
        )
    if len(hits) == limit:
        click.echo(f"The first {limit}; more words, or --limit, narrow or widen it.")


def _unmatched(told: str, hits: list[Hit]) -> None:
    """Say which words none of *hits* has."""
    matched = {match.word for hit in hits for match in hit.matches}
    whole = [word for word in wanted_of(told) if word not in matched]
    for word in (part for one in whole for part in parts_of(one)):
        if word not in matched:
            close = near(word)
            hint = f"; near it: {', '.join(close)}" if close else ""
            click.echo(f"wxpay api: none of these has {word!r}{hint}", err=True)


def _why(matches: tuple[Match, ...]) -> str:
    """What the line does not show itself: the field, tag or error that matched."""
    unseen = dict.fromkeys(
        one.text for one in matches if one.where not in ("title", "path")
    )
    return f"  [{', '.join(unseen)}]" if unseen else ""


def _in_full(operation: Operation) -> str:
    text = describe(operation)
    title, _, rest = text.partition("\n")
    return f"{click.style(title, bold=True)}\n{rest}\n\nCalls\n{_calls(operation)}"


def _calls(operation: Operation) -> str:
    """The call in each form, to be pasted."""
    given = arguments(operation)
    before = preparation(operation, given)
    blocks = [before] if before else []
    blocks += [f"# {form.title}\n{form.code}" for form in forms(operation, given)]
    lines = "\n\n".join(blocks).splitlines()
    return "\n".join(f"  {line}".rstrip() for line in lines)


def _nothing(told: str, text: str) -> None:
    close, others = _near(told, text), list(_known(text)[0].values())
    hint = f"; near it: {', '.join(close)}" if close else ""
    if others:
        hint = f"; this path has {', '.join(one.method for one in others)}"
    click.echo(f"wxpay api: nothing found for {told!r}{hint}", err=True)


def _near(told: str, text: str) -> list[str]:
    """Paths that are nearly the one of *text*, or words that are nearly those told."""
    return near_paths(_path(text)[0]) or near(told)


def _as_json(
    hits: list[Hit], in_full: bool, told: str, text: str, elsewhere: list[str]
) -> None:
    found = [_facts(hit, in_full) for hit in hits]
    data: dict[str, Any] = {"operations": found}
    if elsewhere:
        data["see"] = elsewhere
    if not hits:
        data["near"] = _near(told, text)
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _facts(hit: Hit, in_full: bool) -> dict[str, Any]:
    """*hit* for machines: what it is called by, and in full all that is known of it."""
    operation = hit.operation
    out: dict[str, Any] = {
        "method": operation.method,
        "template": operation.template,
        "title": operation.title,
        "expression": operation.expression,
        "docs": list(operation.docs),
    }
    if hit.matches:
        out["matches"] = [match._asdict() for match in hit.matches]
    if in_full:
        out |= {
            name: said for name, said in _plain(operation).items() if name != "links"
        }
        given = arguments(operation)
        out["preparation"] = preparation(operation, given)
        out["calls"] = {form.title: form.code for form in forms(operation, given)}
    return out


def _plain(value: Any) -> Any:
    """A value of the catalogue as JSON has it, less what is as usual."""
    if is_dataclass(value):
        given = ((one, getattr(value, one.name)) for one in fields(value))
        return {
            one.name: _plain(said)
            for one, said in given
            if said != one.default and said != _made(one.default_factory)
        }
    if isinstance(value, Mapping):
        items = cast("Mapping[object, Any]", value).items()
        return {str(name): _plain(inner) for name, inner in items}
    if isinstance(value, (tuple, list)):
        return [_plain(inner) for inner in cast("Iterable[Any]", value)]
    return value


def _made(factory: Callable[[], Any] | Any) -> Any:
    return factory() if callable(factory) else None
