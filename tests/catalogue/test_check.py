"""The tool that checks the data: it is content, and it notices what is broken."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain.catalogue import __main__ as tool
from wechatpay_chain.catalogue import check, layout, notation, store

ENDPOINT = "POST v3/shop/orders/{order_id}/close"
DATA: dict[str, Any] = {
    "definitions.json": {
        "Amount": {"$": "object # 金额", "total*": "integer # 总金额"}
    },
    "notifications.json": {
        "envelope": {"id*": "string # 通知ID"},
        "v3": {
            "SHOP.CLOSED": {"title": "关单通知", "resource": {"amount": "@Amount"}},
            "SHOP.OLD": {"moved_to": "SHOP.CLOSED"},
        },
        "v2": {},
    },
    "synonyms.json": {"close": ["关闭"]},
    "v3/shop.json": {
        ENDPOINT: {
            "title": "关闭订单",
            "updated": "2024.06.18",
            "docs": ["/doc/v3/merchant/1"],
            "path": {"order_id": "string 1..32 # 订单号"},
            "body": {"amount*": "@Amount", "reason?": "string ..30 in:A|B # 原因"},
            "answers": {"200": {"state*": "string # 状态"}, "204": None},
            "errors": {"ORDER_CLOSED": 400, "SYSTEM_ERROR": [500, 502]},
        }
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small catalogue that is all right."""
    for name, data in DATA.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(layout.written(data), "utf-8")
    return tmp_path


def problems(folder: Path) -> list[str]:
    return [str(problem) for problem in check.check(folder)]


def change(folder: Path, name: str, edit: Callable[[Any], Any]) -> None:
    path = folder / name
    data = json.loads(path.read_text("utf-8"))
    edit(data)
    path.write_text(layout.written(layout.arranged(name, data)), "utf-8")


def test_the_catalogue_is_all_right() -> None:
    assert check.check() == []


def test_a_small_one_is_all_right(folder: Path) -> None:
    assert problems(folder) == []


def test_the_endpoint_of_the_page_on_the_catalogue_is_all_right(folder: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "catalogue.md"
    (block,) = re.findall(r"```json\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    (folder / "v3" / "shop.json").write_text(block, "utf-8")
    check.rewrite(folder)
    assert problems(folder) == []


def test_the_keys_that_are_written_are_those_that_are_read() -> None:
    assert set(layout.KEYS) == notation._KEYS
    assert len(layout.KEYS) == len(notation._KEYS)


#: What is changed in the endpoint, and what is said of it.
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"titel": "x"}, "titel: is not understood"),
    "no title": ({"title": ""}, "title: is missing"),
    "no answers": ({"answers": {}}, "answers: is missing"),
    "no list": ({"roles": "服务商"}, "roles: a list of texts expected, or nothing"),
    "empty list": ({"tags": []}, "tags: a list of texts expected, or nothing"),
    "no object": ({"query": ["limit"]}, "query: an object expected"),
    "no definition": ({"query": "Amount"}, "query: an object expected"),
    "status": ({"answers": {"404": None}}, "answers.404: 2xx expected, or 302"),
    "no status": ({"answers": {"ok": None}}, "answers.ok: 2xx expected, or 302"),
    "body of 204": ({"answers": {"204": "any"}}, "answers.204: has no body"),
    "redirect": (
        {"answers": {"302": None}},
        "redirect: stands for an answer 302, and only for that",
    ),
    "download": (
        {"answers": {"200": "file"}},
        "download: stands for an answer of type file, and only for that",
    ),
    "upload": ({"upload": True}, "upload: the body has no part of type file"),
    "paginated": ({"paginated": "query"}, "paginated: query lacks offset and limit"),
    "paginated body": (
        {"paginated": "body"},
        "paginated: body lacks offset and limit",
    ),
    "error status": (
        {"errors": {"A": 200}},
        "errors.A: 200 is no status of an error",
    ),
    "one of the error statuses": (
        {"errors": {"A": [400, 600]}},
        "errors.A: 600 is no status of an error",
    ),
    "updated": ({"updated": "2024-06-18"}, "updated: '2024-06-18' is not YYYY.MM.DD"),
    "docs": ({"docs": ["doc/1"]}, "docs: 'doc/1' starts with neither / nor https://"),
    "host": ({"host": "https://x"}, "host: 'https://x' is no host name"),
    "alt_hosts": ({"alt_hosts": ["x/y"]}, "host: 'x/y' is no host name"),
    "prefix": ({"url_prefix": "hk/"}, "url_prefix: 'hk/' is not /segments"),
    "choice": (
        {"any_of": ["amount"]},
        "any_of: a list of lists of names expected",
    ),
    "choice elsewhere": (
        {"any_of": [["reason", "order_id"]]},
        "any_of: reason, order_id are not fields of one place",
    ),
    "choice of one": (
        {"one_of": [["reason"]]},
        "one_of: reason are not fields of one place",
    ),
    "choice of a required one": (
        {"one_of": [["amount", "reason"]]},
        "one_of: amount, reason are not all optional",
    ),
    "placeholder missing": (
        {"path": {"id": "string"}},
        "path: id are not its placeholders",
    ),
    "type": ({"body": {"a": {"b": "strin"}}}, "body.a.b: 'strin': 'strin' is no type"),
    "token": (
        {"query": {"a*": "string nul"}},
        "query.a: 'string nul': 'nul' is not understood",
    ),
    "item": ({"body": {"a": ["strin"]}}, "body.a[]: 'strin': 'strin' is no type"),
    "array": (
        {"body": {"a": ["string", "object"]}},
        "body.a: \"array ...\" expected beside the item: 'object'",
    ),
    "too many items": (
        {"body": {"a": []}},
        "body.a: an array is its item, and a text on itself if need be",
    ),
    "alternative": (
        {"body": {"$oneOf": ["any", "strin"]}},
        "body|1: 'strin': 'strin' is no type",
    ),
    "content": (
        {"body": {"a": {"$": "string", "$json": "strin"}}},
        "body.a<json>: 'strin': 'strin' is no type",
    ),
    "answer": (
        {"answers": {"200": {"a": "strin"}}},
        "answers.200.a: 'strin': 'strin' is no type",
    ),
    "no value": (
        {"body": {"a": None}},
        "body.a: a text, an array or an object expected, got null",
    ),
    "reference": (
        {"body": {"a": "@Nobody"}},
        "body.a: @Nobody is not in definitions.json",
    ),
    "special": ({"body": {"$enum": []}}, "body: '$enum' is not understood"),
    "name": (
        {"body": {"a b": "any"}},
        "body.a b: 'a b' is no name, with * and ? after it at most",
    ),
    "marks": (
        {"body": {"a?*": "any"}},
        "body.a: 'a?*' is no name, with * and ? after it at most",
    ),
    "label": (
        {"body": {"a": "string # 一二三四五六七八九十一二三四五六七"}},
        "body.a: the label '一二三四五六七八九十一二三四五六七' has 17 characters; "
        "16 are allowed",
    ),
    "spaces": (
        {"body": {"a": "string  1..2"}},
        "body.a: 'string  1..2': one space between two words, and none at the end",
    ),
    "space at the end": (
        {"body": {"a": "string # 数 "}},
        "body.a: 'string # 数 ': one space between two words, and none at the end",
    ),
    "limits": ({"body": {"a": "string 5..1"}}, "body.a: 5..1 is empty"),
    "number": ({"body": {"a": "integer 5..1"}}, "body.a: 5..1 is empty"),
    "length below zero": (
        {"body": {"a": "string -1..3"}},
        "body.a: a length below zero",
    ),
    "encrypted how": (
        {"body": {"a": "string encrypted:rsa-plattform"}},
        "body.a: encrypted:rsa-plattform is none of rsa-platform, rsa-merchant, "
        "rsa-bank, aes-gcm, aes-ecb",
    ),
    "signed how": (
        {"body": {"a": "string signed:me"}},
        "body.a: signed:me is none of rsa-merchant",
    ),
    "field twice": ({"body": {"a": "string", "a*": "string"}}, "body.a: stands twice"),
    "flag": ({"deprecated": "yes"}, "deprecated: 'yes' is none of (True,)"),
    "encoding": (
        {"encoding": "yaml"},
        "encoding: 'yaml' is none of ('json', 'xml', 'multipart')",
    ),
    "twice": (
        {"body": {"a": "string in:A|B|A"}},
        "body.a: a value stands twice in its list",
    ),
    "kind": ({"body": {"a": "integer =1.5"}}, "body.a: 1.5 is no integer"),
    "default": (
        {"body": {"a": "string in:A|B =C"}},
        "body.a: the default 'C' is not in the list",
    ),
    "pattern": (
        {"body": {"a": {"$": "string", "$pattern": "[a-"}}},
        "body.a: the pattern '[a-': unterminated character set at position 0",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_named_with_file_endpoint_and_field(
    folder: Path, name: str
) -> None:
    said, what = BROKEN[name]
    change(folder, "v3/shop.json", lambda data: data[ENDPOINT].update(said))
    assert f"v3/shop.json: {ENDPOINT}: {what}" in problems(folder)


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("HEAD v3/shop", "'HEAD' is none of GET, POST, PUT, PATCH, DELETE"),
        ("POST v3/store", "its path does not start with v3/shop/"),
        ("POST v3/shopping", "its path does not start with v3/shop/"),
        ("POST v3/shop//x", "an empty segment"),
        ("POST v3/shop/../x", "dot segment"),
        ("POST v3/shop/{Id}", "'{Id}': a placeholder is a whole segment"),
        ("POST v3/shop/no-{id}", "'no-{id}': a placeholder is a whole segment"),
        ("POST v3/shop/{id}/{id}", "a placeholder appears twice"),
    ],
)
def test_a_path_that_the_chain_does_not_reach_is_named(
    folder: Path, key: str, what: str
) -> None:
    endpoint = {"title": "t", "answers": {"204": None}}
    change(folder, "v3/shop.json", lambda data: data.update({key: endpoint}))
    (said,) = [one for one in problems(folder) if key in one]
    assert said.startswith(f"v3/shop.json: {key}: ")
    assert what in said


def test_hong_kong_has_its_prefix(folder: Path) -> None:
    endpoint = {"title": "t", "answers": {"204": None}}
    (folder / "hk").mkdir()
    path = folder / "hk" / "shop.json"
    path.write_text(layout.written({"POST hk/v3/shop": endpoint}), "utf-8")
    assert problems(folder) == []
    path.write_text(layout.written({"POST hk/shop": endpoint}), "utf-8")
    assert problems(folder) == [
        "hk/shop.json: POST hk/shop: its path does not start with hk/v3/shop/"
    ]


class TestDefinitions:
    def test_are_checked_where_they_stand(self, folder: Path) -> None:
        change(
            folder,
            "definitions.json",
            lambda data: data["Amount"].update(total="strin"),
        )
        assert "definitions.json: Amount: total: 'strin': 'strin' is no type" in (
            problems(folder)
        )

    def test_are_used(self, folder: Path) -> None:
        change(folder, "definitions.json", lambda data: data.update(Other="any"))
        assert problems(folder) == ["definitions.json: Other: nothing refers to it"]

    def test_do_not_contain_themselves(self, folder: Path) -> None:
        loop = {"A": {"b": "@B"}, "B": {"a": "@A"}}
        change(folder, "definitions.json", lambda data: data.update(loop))
        said = problems(folder)
        assert "definitions.json: A: b: @B contains itself" in said or (
            "definitions.json: A: b: @A contains itself" in said
        )


class TestNotifications:
    @pytest.mark.parametrize(
        ("said", "what"),
        [
            ({"titel": "x"}, "titel: is not understood"),
            ({"resource": {"a": "strin"}}, "resource.a: 'strin': 'strin' is no type"),
            ({"moved_to": "GONE"}, "moved_to: GONE is no notification"),
        ],
    )
    def test_are_checked(self, folder: Path, said: dict[str, Any], what: str) -> None:
        change(
            folder,
            "notifications.json",
            lambda data: data["v3"]["SHOP.CLOSED"].update(said),
        )
        assert problems(folder) == [f"notifications.json: SHOP.CLOSED: {what}"]

    def test_say_what_they_hold(self, folder: Path) -> None:
        change(folder, "notifications.json", lambda data: data["v3"].update(A={}))
        assert problems(folder) == [
            "notifications.json: A: neither resource nor body nor moved_to"
        ]

    def test_have_an_envelope(self, folder: Path) -> None:
        change(folder, "notifications.json", lambda data: data.update(envelope="x"))
        assert problems(folder) == ["notifications.json: envelope: 'x': 'x' is no type"]


class TestForm:
    def test_a_file_that_is_no_json_is_named(self, folder: Path) -> None:
        (folder / "v3" / "shop.json").write_text("{", "utf-8")
        (said,) = problems(folder)
        assert said.startswith("v3/shop.json: Expecting property name")

    def test_a_file_that_holds_no_object_is_named(self, folder: Path) -> None:
        (folder / "v3" / "shop.json").write_text("[]", "utf-8")
        assert problems(folder) == ["v3/shop.json: an object expected"]

    def test_a_name_that_stands_twice_is_named(self, folder: Path) -> None:
        (folder / "v3" / "shop.json").write_text('{"a": 1, "a": 2}', "utf-8")
        assert problems(folder) == ["v3/shop.json: 'a' stands twice in one object"]

    def test_the_first_line_that_differs_is_named(self, folder: Path) -> None:
        path = folder / "v3" / "shop.json"
        text = path.read_text("utf-8")
        path.write_text(text.replace('  "docs"', '   "docs"'), "utf-8")
        assert problems(folder) == [
            "v3/shop.json: line 5 is not as it is written by --write"
        ]
        path.write_text(text + "\n", "utf-8")
        assert problems(folder) == [
            "v3/shop.json: line the end is not as it is written by --write"
        ]

    @pytest.mark.parametrize(
        "name", ["v3/shop.json", "definitions.json", "notifications.json"]
    )
    def test_writing_brings_keys_and_lines_into_their_order(
        self, folder: Path, name: str
    ) -> None:
        more = {
            "v3/shop.json": {"GET v3/shop": {"answers": {"204": None}, "title": "t"}},
            "definitions.json": {"A": "@Amount"},
            "notifications.json": {},
        }
        path = folder / name
        wanted = path.read_text("utf-8")
        data = {**json.loads(wanted), **more[name]}
        shuffled = dict(reversed(list(data.items())))
        path.write_text(json.dumps(shuffled, indent=4), "utf-8")
        assert check.rewrite(folder) == [name]
        assert check.rewrite(folder) == []
        after = json.loads(path.read_text("utf-8"))
        assert after == data
        if name == "v3/shop.json":
            assert list(after) == ["GET v3/shop", ENDPOINT]
            assert list(after["GET v3/shop"]) == ["title", "answers"]
        assert not [one for one in problems(folder) if "--write" in one]

    def test_fields_keep_the_order_of_the_documents(self) -> None:
        endpoint = {"title": "t", "body": {"b": "any", "a": "any"}}
        data = layout.arranged("v3/x.json", {"GET v3/x": endpoint})
        assert list(data["GET v3/x"]["body"]) == ["b", "a"]


class TestTheTool:
    def test_says_that_all_is_right(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert tool.main([]) == 0
        assert capsys.readouterr().out == "1155 endpoints: all right\n"

    def test_names_what_is_wrong_and_fails(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        change(folder, "v3/shop.json", lambda data: data[ENDPOINT].update(updated="x"))
        found = check.check(folder)
        monkeypatch.setattr(check, "check", lambda: found)
        assert tool.main([]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == f"v3/shop.json: {ENDPOINT}: updated: 'x' is not YYYY.MM.DD\n"

    def test_fails_where_a_generated_file_is_not_current(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[list[str]] = []
        monkeypatch.setattr(check, "check", list)
        monkeypatch.setattr(tool.stubs, "main", lambda given: asked.append(given) or 1)
        assert tool.main([]) == 1
        assert asked == [["--check"]]

    def test_writes_data_and_generated_files(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked: list[list[str]] = []
        monkeypatch.setattr(check, "check", list)
        monkeypatch.setattr(check, "rewrite", lambda: ["v3/shop.json"])
        monkeypatch.setattr(tool.stubs, "main", lambda given: asked.append(given) or 0)
        assert tool.main(["--write"]) == 0
        assert asked == [[]]
        assert capsys.readouterr().out.startswith("v3/shop.json: rewritten\n")


def test_every_data_file_is_one_that_is_read() -> None:
    names = {path.relative_to(check.DATA).as_posix() for path in check.DATA.rglob("*")}
    read = {
        f"{version}/{name}.json"
        for version in store.VERSIONS
        for name in store.segments(version)
    }
    read |= {*store.VERSIONS, "definitions.json", "notifications.json"}
    read |= {"names.json", "synonyms.json"}
    assert names == read
