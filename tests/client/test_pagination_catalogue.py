"""Every list that the catalogue knows is walked from its facts, in both modes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from wechatpay_chain import DecodeError, Headers, Request, Response, catalogue, crypto
from wechatpay_chain.catalogue.paging import Layout, layout

LISTS = {
    str(operation): (operation, found)
    for operation in catalogue.operations()
    if (found := layout(operation)) is not None
}
JSON = [name for name in LISTS if " v2/" not in name]


def walk(call: Any, node: Any, params: Any, **options: Any) -> list[Any]:
    async def awaited() -> list[Any]:
        return [item async for item in node.paginate_async(params, **options)]

    if call.mode == "async":
        return list(call.wait(awaited()))
    return list(node.paginate(params, **options))


def asked(request: Request, way: Layout) -> dict[str, Any]:
    if way.in_body:
        return dict(json.loads(request.body))
    return dict(parse_qsl(request.target.partition("?")[2]))


def put(answer: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    *outer, last = place
    for name in outer:
        answer = answer.setdefault(name, {})
    answer[last] = value


class Shelf:
    """Serves *items* as the catalogue says that the endpoint does."""

    def __init__(self, server: Any, way: Layout, items: list[Any]) -> None:
        self.server, self.way, self.items = server, way, items

    def __call__(self, request: Request) -> Any:
        query, way = asked(request, self.way), self.way
        size = int(query[way.size])
        start = int(query.get(way.start, 0))
        if way.style == "index":
            start = (start - 1) * size
        found = self.items[start : start + size]
        answer: dict[str, Any] = {}
        assert way.items is not None
        put(answer, way.items, found)
        if way.total is not None:
            put(answer, way.total, len(self.items))
        if way.style == "token" and start + size < len(self.items):
            answer["next_page_token"] = str(start + size)
        return self.server.signed(answer)


def test_all_that_the_catalogue_marks_are_lists() -> None:
    marked = {str(o) for o in catalogue.operations() if o.paginated}
    assert len(marked) == 67
    assert marked <= LISTS.keys()
    assert {way.style for _, way in LISTS.values()} == {"offset", "index", "token"}


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("count", [0, 5, 6])
def test_every_item_comes_once_and_in_order(
    call, server, make, name: str, count: int
) -> None:
    operation, way = LISTS[name]
    items = [{"number": number} for number in range(count)]
    server.strict = False
    server.otherwise = Shelf(server, way, items)
    node = make()[operation.template]
    placeholders = dict.fromkeys(operation.path, "4200000001")
    assert walk(call, node, {way.size: 2}, **placeholders) == items
    most = count // 2 + 1
    assert len(server.requests) <= most
    assert {request.method for request in server.requests} == {operation.method}


BILLS = "v3/merchant-service/complaints-v2"


@pytest.fixture
def bills(make) -> Any:
    return make()[BILLS]


def pages(server: Any, *sizes: int, total: int, **more: Any) -> None:
    server.strict = False
    for size in sizes:
        items = list(range(size))
        server.will(server.signed({"data": items, "total_count": total, **more}))


def test_a_page_that_comes_short_does_not_end_the_walk(call, server, bills) -> None:
    pages(server, 2, 1, 2, total=6)
    assert len(walk(call, bills, {"limit": 2})) == 5
    assert len(server.requests) == 3


def test_a_list_that_shrinks_meanwhile_ends_sooner(call, server, bills) -> None:
    server.strict = False
    server.will(
        server.signed({"data": [1, 2], "total_count": 6}),
        server.signed({"data": [3], "total_count": 3}),
    )
    assert walk(call, bills, {"limit": 2}) == [1, 2, 3]


def test_a_total_that_is_wrong_does_not_walk_for_ever(call, server, bills) -> None:
    server.strict = False
    server.otherwise = lambda request: server.signed({"data": [], "total_count": 10**9})
    assert walk(call, bills, {"limit": 2}) == []
    assert len(server.requests) == 3


def test_a_server_that_gives_fewer_at_once_is_followed(call, server, bills) -> None:
    pages(server, 2, 2, 1, total=5, limit=2)
    walk(call, bills, {"limit": 50})
    asked_for = [asked(r, LISTS[f"GET {BILLS}"][1]) for r in server.requests]
    assert [page["offset"] for page in asked_for] == ["0", "2", "4"]


def test_is_lazy(call, server, bills) -> None:
    pages(server, 2, total=100)
    if call.mode == "sync":
        next(bills.paginate({"limit": 2}))
    else:

        async def first() -> None:
            items = bills.paginate_async({"limit": 2})
            await items.__anext__()
            await items.aclose()

        call.wait(first())
    assert len(server.requests) == 1


SECRET = "0123456789abcdef0123456789abcdef"


def xml(**fields: str) -> Response:
    fields["sign"] = crypto.sign_md5(fields, SECRET)
    text = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return Response(
        200, Headers({"Content-Type": "text/xml"}), f"<xml>{text}</xml>".encode()
    )


def test_settlements_of_apiv2_come_one_record_a_page(call, server, make) -> None:
    server.strict = False
    good = {"return_code": "SUCCESS", "result_code": "SUCCESS"}
    server.will(
        xml(**good, record_num="1", fbatchno="A"),
        xml(**good, record_num="1", fbatchno="B"),
        xml(**good, record_num="0"),
    )
    node = make(secret=SECRET).v2.pay.settlementquery
    found = walk(call, node, {"limit": 1, "usetag": 1})
    assert [record["fbatchno"] for record in found] == ["A", "B"]
    for offset, request in enumerate(server.requests):
        assert b"<offset><![CDATA[%d]]>" % offset in request.body


def test_comments_of_apiv2_are_lines_after_the_next_offset(call, server, make) -> None:
    server.strict = False
    kind = Headers({"Content-Type": "text/plain"})
    server.will(
        Response(200, kind, b"100\n`2017,`1\n`2017,`2\n"),
        Response(200, kind, b"100\n"),
    )
    node = make(secret=SECRET).v2.billcommentsp.batchquerycomment
    assert walk(call, node, {"begin_time": "20170601000000"}) == [
        "`2017,`1",
        "`2017,`2",
    ]
    assert b"<offset><![CDATA[100]]>" in server.request.body


def test_a_list_within_a_text_is_not_taken_for_one_item(call, server, make) -> None:
    server.strict = False
    server.will(xml(return_code="SUCCESS", violation_records="[]"))
    node = make(secret=SECRET).v2.risk.getviolation
    with pytest.raises(DecodeError, match="page by page"):
        walk(call, node, {"page_size": 10})
