"""The call of an endpoint in every form that the chain has, as source text."""

from __future__ import annotations

from dataclasses import dataclass

from ..._calls import OPTIONS
from ..model import Operation
from ..paging import layout
from ..stub_calls import ADDED
from .arguments import Arguments
from .sources import call, python

_QUERIED = frozenset({"GET", "DELETE"})
_BODIES = ("body", "json=", "xml=", "files=", "data=")
_SAVED = (
    'with open("download.bin", "wb") as out:',
    "    for chunk in reply.iter_content(65536):",
    "        out.write(chunk)",
)

#: Members of answers, by how much a reader wants them.
_WANTED = (
    *("prepay_id", "code_url", "h5_url", "media_id", "trade_state", "state", "status"),
    *("refund_status", "order_id", "refund_id", "package", "data", "download_url"),
)
#: Members of answers that tell the caller nothing new.
_KNOWN = ADDED | {
    *("appid", "mchid", "sp_appid", "sp_mchid", "sub_appid", "sub_mchid"),
    *("sub_mch_id", "limit", "offset", "return_code", "return_msg", "result_code"),
    *("err_code", "err_code_des"),
}


_TITLES = {
    "chain": "Attribute chain",
    "path": "Path, with chain()",
    "item": "Path, as an item",
    "call": "Calling the node, which posts",
    "chain_async": "Attribute chain, async",
    "path_async": "Path, with chain(), async",
    "item_async": "Path, as an item, async",
}


@dataclass(frozen=True)
class Form:
    """One way to write the call."""

    kind: str
    code: str

    @property
    def title(self) -> str:
        """What it is, in words."""
        return _TITLES[self.kind]


def forms(operation: Operation, given: Arguments) -> list[Form]:
    """The forms of the call, the attribute chain first."""
    chained, path = operation.expression, python(operation.template)
    verb = operation.method.lower()
    plain, named = _keywords(operation, given), _keywords(operation, given, named=True)
    item = f"client[{path}]"
    if operation.redirect:
        return [
            Form("chain", f"node = {chained}"),
            Form("path", f"node = client.chain({path})"),
            Form("item", f"node = {item}"),
        ]
    made = [
        Form("chain", _assigned(f"{chained}.{verb}", plain)),
        Form("path", _assigned(f"client.chain({path}).{verb}", named)),
        Form("item", _assigned(f"{item}.{verb}", named)),
    ]
    if verb == "post" and any(one.startswith(_BODIES) for one in plain):
        made.append(Form("call", _assigned(chained, plain)))
    made += [
        Form("chain_async", _awaited(f"{chained}.{verb}", plain)),
        Form("path_async", _awaited(f"client.chain({path}).{verb}", named)),
        Form("item_async", _awaited(f"{item}.{verb}", named)),
    ]
    return made


def _assigned(function: str, given: list[str]) -> str:
    return call(f"reply = {function}", given)


def _awaited(function: str, given: list[str]) -> str:
    return call(f"reply = await {function}_async", given)


def _keywords(
    operation: Operation, given: Arguments, *, named: bool = False
) -> list[str]:
    """The arguments as they are written; *named*: the body by its keyword."""
    made: list[str] = []
    queried = operation.method in _QUERIED
    if given.file is not None:
        made += _upload(operation, given, named=named)
    elif given.body is not None and (given.body or operation.encoding == "xml"):
        keyword = "xml" if operation.encoding == "xml" else "json"
        value = "body" if given.body else "{}"
        made.append(f"{keyword}={value}" if named or queried else value)
    if given.query:
        first = queried and not made and not named
        made.append("params" if first else "params=params")
    if given.headers:
        made.append(f"headers={python(given.headers)}")
    if operation.download:
        made.append("stream=True")
    collide = {n: v for n, v in given.placeholders.items() if n in OPTIONS}
    made += [
        f"{name}={python(value)}"
        for name, value in given.placeholders.items()
        if name not in collide
    ]
    return [*made, f"path={python(collide)}"] if collide else made


def _upload(operation: Operation, given: Arguments, *, named: bool) -> list[str]:
    more = ["json=meta"] if given.body else []
    if operation.version == "v2":
        more = ["xml=body" if named else "body"]
    return [*more, f'files={{"{given.file}": (photo.name, content)}}']


def result(operation: Operation, given: Arguments) -> str:
    """The lines after the call: what to do with the reply."""
    if operation.redirect:
        page = operation.template.removeprefix("v2/")
        return f'url = f"{operation.base_url}/{page}?{{urlencode(params)}}"'
    if operation.download:
        return "\n".join(_SAVED)
    if operation.empty:
        status = next(iter(operation.answers), 204)
        return f"assert reply.status_code == {status} and reply.data is None"
    name = _telling(operation, given)
    return f"print(reply[{python(name)}])" if name else "print(reply.data)"


def _telling(operation: Operation, given: Arguments) -> str | None:
    """A member that every answer has, and that is news to the caller."""
    answer = operation.answer
    if answer is None or answer.type != "object":
        return None
    known = {*given.placeholders, *given.query, *(given.body or {}), *_KNOWN}
    fields = answer.fields or {}
    news = [n for n, field in fields.items() if field.required and n not in known]
    liked = [name for name in _WANTED if name in news]
    return next(iter(liked or news), None)


def paging(operation: Operation, given: Arguments) -> str:
    """How to walk the list, where the endpoint hands one out in pages."""
    found = layout(operation)
    if found is None or found.items is None:
        return ""
    where = (given.body or {}) if found.in_body else given.query
    query = {n: v for n, v in where.items() if n not in (found.start, found.size)}
    first = python({**query, found.size: min(found.largest or 50, 50)})
    rest = [f"{name}={python(value)}" for name, value in given.placeholders.items()]
    line = call(f"for item in {operation.expression}.paginate", [first, *rest])
    return f"{line}:\n    print(item)"
