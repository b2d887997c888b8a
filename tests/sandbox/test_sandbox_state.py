"""A world in a file: what was answered is there, whoever ends the process and how."""

from __future__ import annotations

import builtins
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from wechatpay_chain import (
    ConfigurationError,
    ServerError,
    TransportError,
    WeChatPay,
)
from wechatpay_chain.sandbox import Clock, Gateway, KeySet
from wechatpay_chain.sandbox.state.persistence import converter
from wechatpay_chain.sandbox.state.statefile import Changes, StateError, StateFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "world.db"


def cancel(client: WeChatPay, gateway: Gateway, number: str) -> Any:
    body = {"appid": gateway.appid, "service_id": gateway.service_id, "reason": "x"}
    orders = client.v3.payscore.serviceorder
    return orders._out_order_no_.cancel.post(body, out_order_no=number)


def worlds(gateway: Gateway) -> dict[str, Any]:
    """All that is kept, in a form that compares."""
    made = converter()
    tables = {
        table.name: {
            at: made.dumps(record, unstructure_as=table.record)
            for at, record in table.copy().items()
        }
        for table in gateway.world.tables
    }
    return {
        "tables": {name: records for name, records in tables.items() if records},
        "jobs": sorted(gateway.world.agenda.jobs),
        "clock": gateway.clock(),
        "counts": gateway.ids.counts,
        "merchants": {
            name: (one.serial, one.sub_mchids)
            for name, one in gateway.world.merchants.items()
        },
        "services": gateway.world.services,
        "platforms": list(gateway.certificates),
    }


def scene(gateway: Gateway) -> None:
    """Something in many tables."""
    for state in ("CREATED", "CONFIRMED", "PAYING", "PAID", "ZERO", "REVOKED"):
        gateway.given.order(state=state)
        gateway.given.order(state=state, partner=True)
    gateway.user.authorize()
    gateway.enrol("1900000002", sub_mchids=["1900000110"])
    gateway.rotate_certificate()
    gateway.advance(days=2)


def test_a_world_is_the_same_after_a_restart(path: Path) -> None:
    with Gateway(state=path) as gateway:
        scene(gateway)
        before = worlds(gateway)
    with Gateway(state=path) as gateway:
        assert worlds(gateway) == before


def test_clients_of_before_work_after_a_restart(path: Path, call: Any) -> None:
    with Gateway(seed=7, mode="migrating", state=path) as gateway:
        others = gateway.enrol("1900000002")
        serial = gateway.rotate_certificate()
        credentials = [dict(gateway.credentials), others]
    with Gateway(state=path) as gateway:
        assert (gateway.ids.seed, gateway.mode) == (7, "migrating")
        assert gateway.certificate_serial == serial
        for one in credentials:
            client = gateway.client(**one)
            assert call(client.v3.security.echo.post, {"echo_message": "hi"}).verified
            call.close(client)


def test_numbers_go_on_after_a_restart(path: Path) -> None:
    with Gateway(state=path) as gateway:
        first = gateway.given.order()
    with Gateway(state=path) as gateway:
        second = gateway.given.order()
        assert second != first
        assert len(gateway.orders) == 2


def test_what_falls_due_is_done_after_a_restart(path: Path) -> None:
    with Gateway(state=path) as gateway:
        number = gateway.given.order()
        gateway.advance(days=29)
    with Gateway(state=path) as gateway:
        assert gateway.orders[number].state == "CREATED"
        gateway.advance(days=1)
        assert gateway.orders[number].state == "EXPIRED"
    with Gateway(state=path) as gateway:
        assert gateway.orders[number].state == "EXPIRED"


def test_a_clock_that_ran_runs_on(path: Path) -> None:
    with Gateway(state=path) as gateway:
        gateway.advance(hours=1)
        with gateway.serve():
            number = gateway.given.order()
            created = gateway.orders[number].created_at
    with Gateway(state=path) as gateway:
        assert gateway.clock.runs
        with gateway.serve():
            assert gateway.orders[number].created_at == created
            assert 0 <= gateway.clock() - created < 3600


def test_a_clock_that_is_given_is_left_alone(path: Path) -> None:
    with Gateway(state=path) as gateway:
        gateway.advance(hours=1)
    with Gateway(state=path, clock=Clock(5.0)) as gateway:
        assert gateway.clock() == 5.0


def test_every_table_can_be_written_and_read() -> None:
    made = converter()
    for table in Gateway(seed=1).world.tables:
        made.get_structure_hook(table.record)
        made.get_unstructure_hook(table.record)


def test_reset_is_kept_too(path: Path) -> None:
    with Gateway(state=path) as gateway:
        scene(gateway)
        gateway.reset()
        before = worlds(gateway)
    with Gateway(state=path) as gateway:
        assert len(gateway.orders) == 0
        assert worlds(gateway) == before


def test_a_snapshot_put_back_is_kept_too(path: Path) -> None:
    with Gateway(state=path) as gateway:
        number = gateway.given.order()
        snapshot = gateway.snapshot()
        gateway.user.confirm(number)
        gateway.advance(days=40)
        gateway.restore(snapshot)
        before = worlds(gateway)
    with Gateway(state=path) as gateway:
        assert gateway.orders[number].state == "CREATED"
        assert worlds(gateway) == before


def test_looking_writes_no_records(path: Path) -> None:
    with Gateway(state=path) as gateway:
        number = gateway.given.order()
        with StateFileSpy(gateway) as written:
            assert list(gateway.orders)
            assert gateway.orders[number].state == "CREATED"
            gateway.lock.flush()
        assert [one.records for one in written] == []


class StateFileSpy:
    """Collects what is written."""

    def __init__(self, gateway: Gateway) -> None:
        assert gateway._keeper is not None
        self.file = gateway._keeper._file
        self.written: list[Changes] = []

    def __enter__(self) -> list[Changes]:
        write = self.file.write

        def noting(changes: Changes) -> None:
            self.written.append(changes)
            write(changes)

        setattr(self.file, "write", noting)  # noqa: B010 - a method, to checkers
        return self.written

    def __exit__(self, *exc: object) -> None:
        del self.file.write


def test_a_call_is_one_transaction(path: Path) -> None:
    with Gateway(state=path) as gateway, gateway.client() as client:
        body = gateway.given.create_body()
        gateway.lock.flush()
        with StateFileSpy(gateway) as written:
            client.v3.payscore.serviceorder.post(body)
        assert len(written) == 1
        assert written[0].records
        assert written[0].jobs


def test_a_call_that_cannot_be_kept_is_no_success(path: Path) -> None:
    with Gateway(state=path) as gateway, gateway.client(retry=1) as client:
        number = gateway.given.order()
        broken = "CREATE TRIGGER full BEFORE UPDATE ON records"
        broken += " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        file = gateway._keeper._file._connection  # type: ignore[union-attr]
        assert file is not None
        file.execute(broken)
        with pytest.raises(ServerError) as caught:
            cancel(client, gateway, number)
        assert caught.value.detail["sandbox"]["id"] == "state_not_kept"
        file.execute("DROP TRIGGER full")
        gateway.lock.flush()  # and nothing was lost meanwhile
    with Gateway(state=path) as gateway:
        assert gateway.orders[number].state == "REVOKED"


def test_the_file_is_for_its_owner_only(path: Path) -> None:
    with Gateway(state=path):
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_second_gateway_on_one_file_is_refused(path: Path) -> None:
    with Gateway(state=path):
        message = "in use by another gateway"
        with pytest.raises(StateError, match=message):
            Gateway(state=path)
    Gateway(state=path).close()


def test_a_closed_gateway_lets_go_once(path: Path) -> None:
    gateway = Gateway(state=path)
    gateway.close()
    gateway.close()
    with closing(StateFile(path)):
        pass
    Gateway(seed=1).close()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": 2}, "seed: the state file holds a world of seed 1, not 2"),
        ({"mode": "certificate"}, "mode: the state file holds a world of mode public"),
        ({"keys": KeySet.shared()}, "keys: the state file has its own"),
    ],
)
def test_another_world_than_that_of_the_file_is_refused(
    path: Path, options: dict[str, Any], told: str
) -> None:
    Gateway(state=path).close()
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match=told):
        Gateway(state=path, **options)
    assert path.read_bytes() == before
    Gateway(state=path).close()


def foreign(path: Path) -> None:
    path.write_bytes(b"not a database, but somebody's notes\n" * 100)


def short(path: Path) -> None:
    path.write_bytes(b"x")


def other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (a)")
        connection.commit()


def newer(path: Path) -> None:
    Gateway(state=path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def torn(path: Path) -> None:
    with Gateway(state=path) as gateway:
        scene(gateway)
    content = bytearray(path.read_bytes())
    content[4096 : len(content) - 4096] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)


def cut(path: Path) -> None:
    with Gateway(state=path) as gateway:
        scene(gateway)
    os.truncate(path, path.stat().st_size // 2)


def record(text: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with Gateway(state=path) as gateway:
            gateway.given.order()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(
                "UPDATE records SET value = ? WHERE place = 'payscore.orders'", (text,)
            )
            connection.commit()

    return change


def table(path: Path) -> None:
    Gateway(state=path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO records VALUES ('of.the.future', 'a', '1')")
        connection.commit()


def identity(path: Path) -> None:
    Gateway(state=path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE facts SET value = '{}' WHERE name = 'identity'")
        connection.commit()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (foreign, "is no state file of the sandbox"),
        (short, "is no state file of the sandbox"),
        (other_database, "is no state file of the sandbox"),
        (newer, "is of form 99"),
        (torn, "is damaged"),
        (cut, "is damaged"),
        (record("{"), "payscore.orders 1900000001/SANDBOX.* cannot be read"),
        (record('{"mchid": 1}'), "payscore.orders .* cannot be read"),
        (table, "table of.the.future cannot be read"),
        (identity, "whose world it is cannot be read"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_file_that_cannot_be_read_is_named_and_left_as_it_is(
    path: Path, spoil: Callable[[Path], None], told: str
) -> None:
    spoil(path)
    before = path.read_bytes()
    for _ in range(2):  # nor is it held
        with pytest.raises(StateError, match=told):
            Gateway(state=path)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="No such file or directory"):
        Gateway(state=tmp_path / "missing" / "world.db")
    with pytest.raises(StateError, match="Is a directory"):
        Gateway(state=tmp_path)


def test_an_empty_file_is_a_new_world(path: Path) -> None:
    path.touch()
    with Gateway(state=path) as gateway:
        assert len(gateway.orders) == 0


def test_no_key_is_in_a_repr(path: Path) -> None:
    with Gateway(state=path) as gateway:
        keeper = gateway._keeper
        assert keeper is not None
        shown = f"{keeper!r} {keeper._file!r} {gateway._registry.identity()!r}"
    assert "PRIVATE" not in shown
    assert "sandboxv3" not in shown


def test_without_the_extra_the_error_names_it(
    monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    load = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.partition(".")[0] == "cattrs":
            raise ImportError(name)
        return load(name, *args)

    monkeypatch.delitem(sys.modules, "wechatpay_chain.sandbox.state.persistence")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=r"wechatpay-chain\[sandbox\]"):
        Gateway(state=path)


class Killed:
    """``wxpay sandbox --state`` in a process, to be killed while it is written to."""

    WRITERS = 4

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "world.db"
        #: By number: the state that was acknowledged last.
        self.acknowledged: dict[str, str] = {}
        self.writes = 0
        #: How many writers failed before the process was killed.
        self.broken = 0
        self.lock = threading.Lock()

    def run(self, goal: int, round: int) -> None:
        """Write until *goal* writes are acknowledged, and kill it amid others."""
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "wechatpay_chain", "sandbox", "--json"),
                *("--state", str(self.state), "--dir", str(self.folder / "files")),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process, process.stdout:
            facts = json.loads(process.stdout.readline())
            over = threading.Event()
            writers = [
                threading.Thread(
                    target=self._write, args=(facts, f"{round}-{at}", goal, over)
                )
                for at in range(self.WRITERS)
            ]
            for writer in writers:
                writer.start()
            over.wait()
            process.send_signal(signal.SIGKILL)
            for writer in writers:
                writer.join()

    def _write(
        self, facts: dict[str, Any], name: str, goal: int, over: threading.Event
    ) -> None:
        try:
            with self._client(facts) as client:
                for number in self._numbers(name):
                    self._live(client, facts, number)
                    if self.writes >= goal:
                        over.set()
        except TransportError:
            self.broken += not over.is_set()
        except BaseException:
            self.broken += 1
            raise
        finally:
            over.set()  # whatever fails, the test ends

    def _client(self, facts: dict[str, Any]) -> WeChatPay:
        files = self.folder / "files"
        return WeChatPay(
            mchid=facts["mchid"],
            serial=facts["serial"],
            private_key=str(files / "apiclient_key.pem"),
            certs={facts["public_key_id"]: str(files / "pub_key.pem")},
            base_url=facts["base_url"],
            retry=1,
        )

    def _numbers(self, name: str) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"K{name}-{number}"

    def _live(self, client: WeChatPay, facts: dict[str, Any], number: str) -> None:
        orders = client.v3.payscore.serviceorder
        who = {"appid": facts["appid"], "service_id": facts["service_id"]}
        fund = {"name": "DEPOSIT", "amount": 10000}
        order = {
            **who,
            "out_order_no": number,
            "service_introduction": "共享充电宝",
            "time_range": {"start_time": "OnAccept"},
            "risk_fund": fund,
            "notify_url": "https://merchant.example/notify",
        }
        orders.post(order)
        self._acknowledge(number, "CREATED")
        if number.endswith(("1", "4", "7")):
            orders._out_order_no_.cancel.post(
                {**who, "reason": "x"}, out_order_no=number
            )
            self._acknowledge(number, "REVOKED")

    def _acknowledge(self, number: str, state: str) -> None:
        with self.lock:
            self.acknowledged[number] = state
            self.writes += 1


@pytest.mark.timeout(300)  # ten seconds, and many more on a busy machine
def test_whatever_was_acknowledged_survives_kill_at_any_moment(tmp_path: Path) -> None:
    killed, random = Killed(tmp_path), Random(9)
    goals = [*sorted(random.sample(range(50, 1000), 3)), 1000]
    for round, goal in enumerate(goals):
        killed.run(goal, round)
        with Gateway(state=killed.state) as gateway:
            orders = {order.out_order_no: order for order in gateway.orders}
            for number, state in killed.acknowledged.items():
                after = {"CREATED": ("CREATED", "REVOKED"), "REVOKED": ("REVOKED",)}
                assert orders[number].state in after[state]
            for order in orders.values():
                assert order.history in (["CREATED"], ["CREATED", "REVOKED"])
            due = {job.key for job in gateway.world.agenda.jobs}
            assert {order.key for order in orders.values()} <= due
    assert killed.writes >= 1000
    assert killed.broken == 0
    # What was written and not acknowledged is what was under way at the end.
    assert len(orders) - len(killed.acknowledged) <= len(goals) * Killed.WRITERS
