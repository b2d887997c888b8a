"""The code on the pages of the reference: it compiles, and calls what it says."""

from __future__ import annotations

import ast
import asyncio
import html
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from field_rules import problems

from wechatpay_chain import APIError, WeChatPay, catalogue
from wechatpay_chain.catalogue import Field, Operation, find
from wechatpay_chain.catalogue.examples import arguments, samples, sources
from wechatpay_chain.catalogue.pages import Site, siblings
from wechatpay_chain.middleware import Request, Response
from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.transports import AsyncMemoryTransport, MemoryTransport

SEGMENTS = [
    (version, segment)
    for version in catalogue.VERSIONS
    for segment in catalogue.segments(version)
]
#: What APIv2 requires and the client adds, or takes one of two of.
SPARE = frozenset(
    {"mch_id", "nonce_str", "sign", "out_trade_no", "out_refund_no", "sub_order_no"}
    | {"out_order_no"}
)
_CODE = re.compile(r'<pre><code class="([a-z-]+)">(.*?)</code></pre>', re.S)


def blocks(text: str) -> dict[str, list[str]]:
    """The Python blocks of a page by the heading that they stand below."""
    found: dict[str, list[str]] = {}
    for part in text.split('<h2 id="')[1:]:
        codes = [
            html.unescape(code) for kind, code in _CODE.findall(part) if "py" in kind
        ]
        found[part.partition('"')[0]] = codes
    return found


@dataclass
class Wire:
    """Stands for the network: remembers what comes, and answers as documented."""

    operation: Operation | None = None
    seen: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        assert self.operation is not None
        self.seen.append(request)
        ((status, answer),) = self.operation.answers.items()
        if answer is None:
            return Response(status)
        if answer.type == "file":
            return Response(status, {"Content-Type": "text/plain"}, b"a file")
        value = samples.sample(answer)
        value.pop("next_page_token", None)  # a walk over pages ends
        if self.operation.version == "v2":
            inner = "".join(
                f"<{name}>{escape(str(value[name]))}</{name}>"
                for name in value
                if "$" not in name  # numbered ones
            )
            return Response(
                status, {"Content-Type": "text/xml"}, f"<xml>{inner}</xml>".encode()
            )
        body = json.dumps(value).encode()
        return Response(status, {"Content-Type": "application/json"}, body)


@pytest.fixture(scope="module")
def wire() -> Wire:
    return Wire()


@pytest.fixture(scope="module")
def clients(wire: Wire) -> dict[str, Any]:
    """A client for each version: see :func:`client`."""
    strict = client(wire, check="strict")
    # Of alternatives the documents of APIv2 often require both.
    return {"v3": strict, "hk": strict, "v2": client(wire)}


def client(wire: Wire, **options: Any) -> Any:
    """A client that signs nothing and believes everything: only the call is tried."""
    made = Gateway(seed=1).client(
        transport=MemoryTransport(wire),
        async_transport=AsyncMemoryTransport(wire),
        base_url="https://api.mch.weixin.qq.com",
        secret="0" * 32,
        retry=1,
        **options,
    )
    # Ciphertexts differ each time; what is compared is what the caller gave.
    for layer in ("verify", "sign", "conceal"):
        made.stack.remove(layer)
    made.xml_stack.remove("verify")
    return made


def a_public_key() -> bytes:
    (key,) = Gateway(seed=1, mode="public_key").credentials["certs"].values()
    made: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made


async def run(code: str, names: dict[str, Any]) -> None:
    """Run *code*, in which ``await`` may stand at the top."""
    made = compile(code, "page", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    done = eval(made, names)
    if inspect.isawaitable(done):
        await done


@pytest.fixture
def names(
    clients: dict[str, Any],
    version: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> dict[str, Any]:
    """What the pages take as given: a client, a file to upload, the APIv2 key."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(b"a picture")
    (tmp_path / "bank_key.pem").write_bytes(a_public_key())
    return {"client": clients[version], "secret": "0" * 32, "print": lambda *_: None}


async def run_page(
    operation: Operation, text: str, wire: Wire, names: dict[str, Any]
) -> dict[str, Any]:
    """Run every block of a page, and see that each made the request of the page."""
    wire.operation = operation
    parts = blocks(text)
    first, *paging = parts["call"]
    names = dict(names)
    requests: list[Request] = []
    for code in (first, *parts["forms"]):
        wire.seen.clear()
        names.pop("node", None)
        await run(code, names)
        if operation.redirect:
            assert str(names["node"]) == operation.template
        else:
            (request,) = wire.seen
            requests.append(request)
    for request in requests:
        assert (request.method, request.template) == (
            operation.method,
            operation.template,
        )
        assert request.url == requests[0].url
        assert (request.body == requests[0].body) or operation.encoding != "json"
    for code in paging:
        wire.seen.clear()
        await run(code, names)
        assert {request.template for request in wire.seen} == {operation.template}
    return names


@pytest.mark.parametrize(("version", "segment"), SEGMENTS)
def test_every_form_of_every_page_makes_the_request_of_the_page(
    reference: Site,
    wire: Wire,
    names: dict[str, Any],
    version: str,
    segment: str,
) -> None:
    async def all_pages() -> None:
        for operation in reference.segments[version, segment]:
            text = reference.page(operation)
            assert_every_form(operation, "\n".join(blocks(text)["forms"]))
            made = await run_page(operation, text, wire, names)
            found = list(_problems(operation, made))
            assert found == [], operation

    asyncio.run(all_pages())


def assert_every_form(operation: Operation, text: str) -> None:
    once = operation.redirect  # a node, and no call
    assert text.count("client.chain(") == (1 if once else 2)
    assert text.count(f"client[{json.dumps(operation.template)}]") >= (1 if once else 2)
    assert text.count(operation.expression) >= (1 if once else 2)
    verb = f".{operation.method.lower()}_async("
    assert text.count(verb) == (0 if once else 3)


def _problems(operation: Operation, made: dict[str, Any]) -> Iterator[str]:
    """What of the example breaks the catalogue's own rules."""
    spare = SPARE if operation.version == "v2" else frozenset[str]()
    body = operation.body
    if body is not None and "body" in made:
        given = made["body"]
        if operation.version == "v2":  # XML has no other way to write it
            given = {n: True if one == "true" else one for n, one in given.items()}
        files = {n for n, one in (body.fields or {}).items() if one.type == "file"}
        yield from problems(given, body, "body", spare | files)
    if body is not None and "meta" in made:
        meta = (body.fields or {})["meta"].content or Field()
        filled = {"filename": "photo.png", "sha256": "0" * 64, **made["meta"]}
        inner = {n: filled[n] for n in filled if n in (meta.fields or {})}
        yield from problems(inner, meta, "meta")
    if "params" in made:
        query = Field("object", fields=operation.query)
        yield from problems(made["params"], query, "params", spare)
    elif not operation.redirect:
        assert not [one for one in operation.query.values() if one.required]


# The calls that the sandbox serves, and what is written by hand.

_PAYSCORE = ["v3/payscore/serviceorder", "v3/payscore/partner/serviceorder"]
_SERVED = [
    *(("POST", path) for path in _PAYSCORE),
    *(("GET", path) for path in _PAYSCORE),
    *(("POST", f"{path}/{{out_order_no}}/cancel") for path in _PAYSCORE),
]


@pytest.mark.parametrize(("method", "path"), _SERVED)
def test_code_of_payscore_runs_as_it_stands(
    reference: Site, method: str, path: str
) -> None:
    operation = find(method, path)
    assert operation is not None
    gateway = Gateway(seed=1)
    if (method, path) not in [("POST", one) for one in _PAYSCORE]:
        gateway.given.order(partner="partner" in path, out_order_no="ORDER-0001")
    shown: list[Any] = []
    names: dict[str, Any] = {"client": gateway.client(), "print": shown.append}
    parts = blocks(reference.page(operation))

    async def page() -> None:
        for code in (*parts["call"], *parts["forms"]):
            await run(code, names)
            reply = names.pop("reply")
            assert reply.status_code in operation.answers
            assert reply.verified
            assert (reply.data is None) == operation.empty

    asyncio.run(page())
    assert shown or operation.empty


SERVED = [
    operation
    for place in ("v3/bill", "v3/pay", "v3/payscore", "v3/refund", "v2/pay")
    for operation in catalogue.operations(*place.split("/"))
    if operation.version == "v3" or "order" in operation.template
]


@pytest.fixture(scope="module")
def tried() -> WeChatPay:
    return Gateway(seed=1).client(retry=1, check="off")


@pytest.mark.parametrize("operation", SERVED, ids=str)
def test_the_sandbox_finds_no_fault_with_an_example(
    tried: WeChatPay, operation: Operation
) -> None:
    """No such order there may be: no parameter is wrong or missing."""
    given = arguments(operation)
    body = {"xml" if operation.version == "v2" else "json": given.body}
    verb = getattr(tried[operation.template], operation.method.lower())
    said = ""
    try:
        verb(params=given.query, path=given.placeholders, **body)
    except APIError as error:
        said = str(error)
    assert not any(fault in said for fault in ("PARAM_ERROR", "参数错误", "not over"))


@pytest.mark.parametrize("role", ["", "partner/"])
def test_code_of_notes_runs(reference: Site, role: str) -> None:
    operation = find("POST", f"v3/payscore/{role}serviceorder/{{out_order_no}}/cancel")
    assert operation is not None
    found = blocks(reference.page(operation))["notes"]
    assert found
    for code in found:
        asyncio.run(run(code, {"__name__": "page"}))


# The other languages, read back by their own rules.


def test_chain_of_the_php_sdk_leads_to_the_template(reference: Site) -> None:
    seen = 0
    for operation in reference.operations:
        given = arguments(operation)
        for sibling in siblings.siblings(operation, given):
            for kind, (_, code) in sibling.forms.items():
                if not kind.startswith("chain"):
                    continue
                arrow = "->" if sibling.name == "PHP" else "."
                names = re.split(re.escape(arrow), code.partition("(")[0])[1:-1]
                assert "/".join(map(_segment, names)) == operation.template
                seen += 1
    assert seen > 3000


def _segment(name: str) -> str:
    """What both SDKs make of a name: ``_no_`` to ``{no}``, capitals to hyphens."""
    if name.startswith("_") and name.endswith("_"):
        return f"{{{name[1:-1]}}}"
    return re.sub("[A-Z]", lambda match: f"-{match[0].lower()}", name)


VALUES: list[Any] = [
    {},
    {"a": 1, "b": [True, None, "x"], "c": {"d": {"e": []}}},
    {"long": ["word" * 10] * 9, "quotes": 'it\'s "so" \\ \n', "中文": "微信支付"},
    [{"a": "b" * 60}, {"c": "d" * 60}],
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("column", [0, sources.BROKEN])
def test_python_literals_are_read_back(value: Any, column: int) -> None:
    text = sources.python(value, column)
    assert ast.literal_eval(text) == value
    assert all(len(line) <= sources.WIDTH for line in text.splitlines())


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (sources.php, "['a' => 'it\\'s', 'b' => [true, null, 1]]"),
        (sources.javascript, "{a: 'it\\'s', b: [true, null, 1]}"),
    ],
)
def test_other_literals_are_written_in_their_language(write: Any, text: str) -> None:
    assert write({"a": "it's", "b": [True, None, 1]}) == text


def test_names_that_javascript_cannot_hold_are_quoted() -> None:
    assert sources.javascript({"Idempotency-Key": 1}) == "{'Idempotency-Key': 1}"


def test_calls_fit_the_width_where_their_names_do() -> None:
    short = sources.call("f", ["a", "b=1"])
    assert short == "f(a, b=1)"
    broken = sources.call("f" * 60, ["a" * 30, "b"])
    assert broken == f"{'f' * 60}(\n    {'a' * 30}, b\n)"
    many = sources.call("f", ["a" * 60, "b" * 60])
    assert many == f"f(\n    {'a' * 60},\n    {'b' * 60},\n)"
