"""State files that were damaged: said so, and nothing of what they hold is shown."""

from __future__ import annotations

import json
import re
import sqlite3
import traceback
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain.sandbox import Clock, Gateway
from wechatpay_chain.sandbox.state.statefile import StateError
from wechatpay_chain.sandbox.world import LATEST

IDENTITY = "name = 'identity'"
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:]{8}")
CLOCK = "UPDATE facts SET value = ? WHERE name = 'clock'"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "world.db"
    with Gateway(state=path) as gateway:
        gateway.given.order()
        gateway.user.authorize("openid-of-somebody")
    return path


def change(path: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(statement, values).rowcount
        connection.commit()


def refused(path: Path, **options: Any) -> str:
    """What is said, twice: nor is the file held, or changed."""
    before, said = path.read_bytes(), set[str]()
    for _ in range(2):
        with pytest.raises(StateError) as caught:
            Gateway(state=path, **options)
        text = str(caught.value)
        said.add(TIME.sub("", text))  # a clock that runs may have moved on
        shown = "".join(traceback.format_exception(caught.value))
        assert "KEY-----" not in shown
        assert "openid-of" not in shown
        assert "SECRET" not in shown
        error: BaseException | None = caught.value
        while error is not None:  # nor for who logs what errors hold
            assert not hasattr(error, "object")
            assert not hasattr(error, "doc")
            error = error.__cause__ or error.__context__
    assert path.read_bytes() == before
    assert len(said) == 1
    assert text.startswith(f"state: {path}")
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("where", "table", "row"),
    [
        ("facts WHERE name = 'identity'", "facts", "[0-9]"),
        ("facts WHERE name = 'counts'", "facts", "[0-9]"),
        ("records WHERE place = 'payscore.orders'", "records", "[0-9]+"),
        ("records WHERE place = 'payscore.permissions'", "records", "[0-9]+"),
    ],
)
def test_text_that_is_no_utf8_is_not_shown(
    path: Path, where: str, table: str, row: str
) -> None:
    place, _, condition = where.partition(" WHERE ")
    change(
        path,
        f"UPDATE {place} SET value = CAST(x'FFFE' || CAST(value AS BLOB) AS TEXT)"
        f" WHERE {condition}",
    )
    said = refused(path)
    assert "is damaged" in said
    assert f"of its table {table} cannot be read" in said


def half(path: Path, which: str) -> str:
    with closing(sqlite3.connect(path)) as connection:
        (text,) = connection.execute(
            f"SELECT value FROM facts WHERE {which}"
        ).fetchone()
    return str(text)[: len(str(text)) // 2]


def without(path: Path, **changes: Any) -> str:
    with closing(sqlite3.connect(path)) as connection:
        (text,) = connection.execute(
            f"SELECT value FROM facts WHERE {IDENTITY}"
        ).fetchone()
    return json.dumps({**json.loads(text), **changes})


def test_half_an_identity_is_not_shown(path: Path) -> None:
    change(path, f"UPDATE facts SET value = ? WHERE {IDENTITY}", half(path, IDENTITY))
    assert "whose world it is cannot be read" in refused(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": "SECRET"},
        {"seed": 1e400},
        {"mode": "SECRET"},
        {"keys": ["-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----"]},
        {"keys": []},
        {"services": [{"SECRET": 1}]},
        {"others": 5},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_identity_that_means_nothing_is_not_shown(
    path: Path, changes: dict[str, Any]
) -> None:
    text = without(path, **changes)
    change(path, f"UPDATE facts SET value = ? WHERE {IDENTITY}", text)
    assert "whose world it is cannot be read" in refused(path)


@pytest.mark.parametrize(
    ("statement", "value", "told"),
    [
        (CLOCK, '{"ahead": Infinity, "runs": false}', "its clock cannot go on"),
        (CLOCK, '{"ahead": 1e400, "runs": true}', "its clock cannot go on"),
        (CLOCK, '{"ahead": NaN, "runs": false}', "its clock cannot go on"),
        (CLOCK, '{"ahead": -5, "runs": false}', "its clock cannot go on"),
        (CLOCK, '{"ahead": 1e11, "runs": false}', "time ends at 2286"),
        (CLOCK, '{"ahead": 1e11, "runs": true}', "its clock cannot go on"),
        (CLOCK, '{"ahead": "SECRET", "runs": false}', "its clock cannot be read"),
        (CLOCK, '{"ahead": 5, "runs": "SECRET"}', "its clock cannot be read"),
        (CLOCK, '{"ahead": 5', "its clock cannot be read"),
        (CLOCK, '["SECRET"]', "its clock cannot be read"),
        (
            "UPDATE facts SET value = ? WHERE name = 'counts'",
            '{"order": "SECRET"}',
            "its numbers cannot be read",
        ),
        (
            "UPDATE facts SET name = ? WHERE name = 'counts'",
            "SECRET",
            "its numbers cannot be read",
        ),
        ("UPDATE jobs SET due = ?", "SECRET", "row 1 of its table jobs"),
        ("UPDATE jobs SET due = ?", float("inf"), "row 1 of its table jobs"),
        ("UPDATE jobs SET kind = ?", "SECRET", "job 0 cannot be read"),
        ("UPDATE jobs SET key = ?", 5, ""),
        (
            "UPDATE records SET value = ? WHERE place = 'payscore.permissions'",
            '{"openid": "openid-of-somebody"',
            "payscore.permissions",
        ),
        (
            "UPDATE records SET place = ? WHERE place = 'payscore.orders'",
            "-----BEGIN PRIVATE KEY-----\nSECRET",
            "table ? cannot be read",
        ),
        (
            "INSERT INTO records VALUES ('faults.rules', ?, "
            '\'{"number":1,"kind":"slow","options":{"seconds":"SECRET"},'
            '"on":"","times":1,"used":0}\')',
            "1",
            "faults.rules 1 cannot be read",
        ),
    ],
)
def test_each_fact_row_and_job_is_looked_at(
    path: Path, statement: str, value: Any, told: str
) -> None:
    change(path, statement, value)
    if told:
        assert told in refused(path)
    else:  # a number as a text is one
        Gateway(state=path).close()


def test_the_version_of_a_damaged_file_is_shown_where_it_is_one(path: Path) -> None:
    change(path, f"UPDATE facts SET value = '{{' WHERE {IDENTITY}")
    assert "an unknown version" not in refused(path)
    change(path, "UPDATE facts SET value = 'SECRET' WHERE name = 'version'")
    assert "an unknown version wrote it" in refused(path)


def test_a_clock_that_is_given_goes_before_that_of_the_file(path: Path) -> None:
    change(path, CLOCK, '{"ahead": Infinity, "runs": false}')
    with Gateway(state=path, clock=Clock(5)) as gateway:
        assert gateway.clock() == 5
    with Gateway(state=path) as gateway:  # and is kept
        assert len(gateway.orders) == 1


def test_what_is_refused_does_not_come_into_the_file(path: Path) -> None:
    with Gateway(state=path) as gateway:
        before = gateway.clock()
        for days in (float("inf"), 3_000_000):
            with pytest.raises(ValueError, match=r"finite|time ends"):
                gateway.advance(days=days)
    with Gateway(state=path) as gateway:
        assert gateway.clock() == before
        gateway.advance(gateway.clock.left)
    with Gateway(state=path) as gateway:
        assert gateway.clock() == LATEST
