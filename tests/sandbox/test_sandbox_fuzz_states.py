"""Whatever a call that would be accepted is spoiled with, the answer is clean.

And where it is a refusal, it is all that happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, is_dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stateful_calls import Call, Scene

from wechatpay_chain import catalogue
from wechatpay_chain.catalogue.model import Field

SCENE = Scene(seed=9, mode="migrating")
GATEWAY = SCENE.gateway
CALLS = {str(call): call for call in SCENE.calls}
SNAPSHOT = GATEWAY.snapshot()
#: Steps to a member of a call: ``("body", "amount", "total")``.
Place = tuple[Any, ...]
GONE: Any = object()


def state() -> Any:
    """All that a call may change, as plain values."""
    tables = {
        table.name: {
            key: asdict(record) if is_dataclass(record) else record
            for key, record in table.copy().items()
        }
        for table in GATEWAY.world.tables
    }
    return tables, sorted(GATEWAY.world.agenda.jobs)


BEFORE = state()


def described(field: Field, place: Place) -> Iterator[Place]:
    """Where the catalogue knows of a member."""
    for name, member in (field.fields or {}).items():
        yield (*place, name)
        yield from described(member, (*place, name))
        if member.items is not None:
            yield (*place, name, 0)
            yield from described(member.items, (*place, name, 0))


def held(value: Any, place: Place) -> Iterator[Place]:
    """Where something is."""
    steps: Any = value if isinstance(value, dict) else ()
    if isinstance(value, list):
        steps = range(len(value))
    for step in steps:
        yield (*place, step)
        yield from held(value[step], (*place, step))


def places(call: Call) -> list[Place]:
    """Every member that *call* has or may have; a path has no less."""
    found = {*held(call.query, ("query",)), *held(call.body, ("body",))}
    found |= {("path", name) for name in call.path}
    operation = catalogue.find(call.method, call.template[1:])
    if operation is not None:
        found |= {("query", name) for name in operation.query}
        found |= set(described(operation.body or Field(), ("body",)))
    return sorted((one for one in found if call.body or one[0] != "body"), key=str)


def spoil(call: Call, place: Place, value: Any) -> None:
    """Put *value* there, and whatever it needs around it."""
    kind, *steps = place
    if kind == "path" and not (isinstance(value, str) and value):
        return  # no request has such a path
    if call.template.startswith("/v2/") and not isinstance(value, (str, int)):
        value = GONE  # what XML has instead of null and of anything nested
    at = getattr(call, kind)
    for step, following in pairwise(steps):
        inner: Any = [{}] if following == 0 else {}
        if isinstance(at, list):
            at.extend([inner] if not at else [])
            at = at[0]
        else:
            at = at.setdefault(step, inner)
        if not isinstance(at, (dict, list)):
            return  # another value spoiled it already
    last = steps[-1]
    if isinstance(at, list):
        at[:] = [] if value is GONE else [value]
    elif value is GONE:
        at.pop(last, None)
    else:
        at[last] = value


def assert_clean(call: Call, spoiled: list[tuple[Place, Any]], mode: str) -> None:
    call = deepcopy(call)
    for place, value in spoiled:
        spoil(call, place, deepcopy(value) if value is not GONE else GONE)
    GATEWAY.validation.mode = mode
    response = GATEWAY.handle(call.request(GATEWAY))
    assert 200 <= response.status_code < 500, response.content
    failed = b"_code><![CDATA[FAIL]]>" in response.content  # of APIv2, with a 200
    if failed or response.status_code >= 400:
        assert state() == BEFORE
    else:
        GATEWAY.restore(SNAPSHOT)


modes = pytest.mark.parametrize("mode", ["strict", "warn", "off"])
calls = pytest.mark.parametrize("name", CALLS)


def test_there_is_a_call_for_each_endpoint_that_keeps_state() -> None:
    assert set(CALLS) == {str(route) for route in GATEWAY.router.routes}


@calls
def test_each_call_would_be_accepted(name: str) -> None:
    GATEWAY.validation.mode = "strict"
    response = GATEWAY.handle(CALLS[name].request(GATEWAY))
    GATEWAY.restore(SNAPSHOT)
    assert response.ok, response.content
    assert b"FAIL" not in response.content


@calls
def test_any_member_may_be_null_or_empty(name: str) -> None:
    for place in places(CALLS[name]):
        for value in (None, ""):
            # What refuses here refuses in every mode.
            assert_clean(CALLS[name], [(place, value)], "off")


def nested(depth: int) -> Any:
    return reduce(lambda inner, _: [inner], range(depth), None)


odd = st.sampled_from(
    [
        *(None, GONE, "", [], {}, True, 0, -1, 1.5, 1e300, 10**30, -(10**30)),
        *([None], [[]], [{}], {"a": None}, nested(20), nested(40)),
        *("x", "x" * 300, "9" * 30, "9" * 5000, "٣", "-5", "false", "\t", "{x}"),
        *("00010101000000", "99991231235959", "0001-01-01T00:00:00+14:00"),
        *("9999-12-31T23:59:59-12:00", "2024-13-45", "http://[", "OnAccept"),
    ]
)


SPOILABLE = [name for name, call in CALLS.items() if places(call)]


@modes
@given(data=st.data())
@settings(deadline=None, max_examples=150)
def test_any_members_may_be_spoiled(mode: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(SPOILABLE))
    one = st.tuples(st.sampled_from(places(CALLS[name])), odd)
    spoiled = data.draw(st.lists(one, min_size=1, max_size=4))
    assert_clean(CALLS[name], spoiled, mode)
