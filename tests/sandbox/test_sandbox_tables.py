"""What changes is noted for whoever keeps it, and for nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wechatpay_chain.sandbox import Gateway
from wechatpay_chain.sandbox.state.agenda import Agenda
from wechatpay_chain.sandbox.state.tables import Tables


def noted(gateway: Gateway) -> list[Any]:
    return [
        *(key for table in gateway.world.tables for key in table.touched),
        *gateway.world.agenda.changed,
    ]


def busy(gateway: Gateway) -> None:
    for _ in range(3):
        gateway.user.confirm(gateway.given.order())
        gateway.given.payment("SUCCESS")
    gateway.orders.find(gateway.mchid, "nobody's")
    gateway.advance(days=31)
    gateway.restore(gateway.snapshot())


def test_a_gateway_without_a_file_notes_nothing() -> None:
    gateway = Gateway(seed=1)
    busy(gateway)
    assert noted(gateway) == []


def test_a_gateway_with_a_file_has_written_all_that_it_noted(tmp_path: Path) -> None:
    with Gateway(seed=1, state=tmp_path / "world.db") as gateway:
        busy(gateway)
        assert noted(gateway) == []


def test_what_is_there_when_a_table_is_watched_counts_as_new() -> None:
    tables = Tables()
    table = tables.table("numbers", str)
    table.put("a", "1")
    tables.watch()
    assert table.touched == {"a"}
    later = tables.table("others", str)
    later.put("b", "2")
    assert later.touched == {"b"}


def test_asking_for_what_is_not_there_changes_nothing() -> None:
    tables = Tables()
    table = tables.table("numbers", str)
    tables.watch()
    assert table.get("a") is None
    assert table.touched == set()
    table.put("a", "1")
    table.touched.clear()
    assert table.get("a") == "1"
    assert table.touched == {"a"}
    table.touched.clear()
    table.delete("a")
    assert table.touched == {"a"}


def test_jobs_are_noted_from_when_an_agenda_is_watched() -> None:
    agenda = Agenda()
    done: list[str] = []
    agenda.serve("ring", lambda key, _due: done.append(key))
    agenda.add(1, "ring", "a")
    assert agenda.changed == {}
    agenda.watch()
    (job,) = agenda.jobs
    assert agenda.changed == {job.number: job}
    agenda.run(1)
    assert done == ["a"]
    assert agenda.changed == {job.number: None}
