"""A fleet behind one inbox: every event three times, and workers that die.

    python tests/inbox/fleet.py postgresql+psycopg://localhost/test

Processes receive the same events, each event several times and at several of them. One
event in a hundred kills its worker with SIGKILL: before the business write, after it,
or between the commit and the answer; one in a hundred fails by an exception. What got
no 2xx is delivered again, as WeChat Pay does it, in rounds that are a lease apart.

The business table has no key: a second handling would show as a second row.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from sqlalchemy import Column, Connection, MetaData, String, Table, func, insert, select
from sqlalchemy.exc import OperationalError

from wechatpay_chain.inbox import Inbox, InboxBusy, inbox_table
from wechatpay_chain.notifications import Notification

METADATA = MetaData()
INBOX = inbox_table(METADATA, "fleet_inbox")
EFFECTS = Table("fleet_effects", METADATA, Column("id", String(64), nullable=False))
LEASE = 60.0
#: Rounds after which an event that is still not answered counts as lost.
ROUNDS = 12


class Report(NamedTuple):
    """What a run came to."""

    events: int
    deliveries: int
    kills: int
    failures: int
    busy: int
    rounds: int
    seconds: float
    #: Events without an effect, and with more than one.
    lost: list[str]
    twice: list[str]
    #: Rows of the inbox that are not marked as handled.
    unhandled: int

    @property
    def good(self) -> bool:
        return not (self.lost or self.twice or self.unhandled)


# A worker: one process.


class Mishaps:
    """Which event meets what, once: whoever makes the file is the one who meets it."""

    def __init__(self, folder: str, percent: float) -> None:
        self.folder = Path(folder)
        self.percent = percent

    def kind(self, number: str) -> str | None:
        roll = crc32(number.encode()) % 10_000
        if roll < self.percent * 100:
            return ("early", "late", "after")[roll % 3]
        return "fails" if roll < self.percent * 200 else None

    def meet(self, number: str, place: str) -> None:
        if self.kind(number) != place:
            return
        try:
            (self.folder / f"{number}.{place}").touch(exist_ok=False)
        except FileExistsError:
            return
        if place == "fails":
            raise RuntimeError("a handler on a bad day")
        os.kill(os.getpid(), signal.SIGKILL)


def build(url: str, offset: float, mishaps: Mishaps) -> Inbox:
    """The merchant's program."""
    inbox = Inbox(url, table=INBOX, lease=LEASE, clock=lambda: time.time() + offset)

    @inbox.within("*")
    def handle(notification: Notification, connection: Connection) -> None:
        mishaps.meet(notification.id, "early")
        connection.execute(insert(EFFECTS).values(id=notification.id))
        mishaps.meet(notification.id, "fails")
        mishaps.meet(notification.id, "late")

    return inbox


def answer(inbox: Inbox, number: str, mishaps: Mishaps) -> str:
    """What a delivery is answered with."""
    resource = {"out_order_no": number, "openid": "o" * 28}
    event = Notification(number, "PAYSCORE.USER_PAID", resource, mchid="1900000001")
    try:
        inbox.dispatch(event)
    except InboxBusy:
        return "busy"
    except (RuntimeError, OperationalError) as error:
        return type(error).__name__
    mishaps.meet(number, "after")
    return "ok"


def worker(job: dict[str, Any]) -> None:
    """Take deliveries one by one, and say of each how it was answered."""
    mishaps = Mishaps(job["folder"], job["percent"])
    with build(job["url"], job["offset"], mishaps) as inbox:
        if job["works"]:
            inbox.work(limit=1_000_000)
        for at, number in enumerate(job["deliveries"]):
            os.write(1, f"{at} {answer(inbox, number, mishaps)}\n".encode())


# The other side: WeChat Pay, and whoever restarts what died.


class Fleet:
    """Processes, and what they have still to take."""

    def __init__(self, url: str, processes: int, percent: float, folder: str) -> None:
        self.job = {"url": url, "percent": percent, "folder": folder}
        self.processes = processes
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def deliver(self, deliveries: list[str], turn: int) -> list[str]:
        """One round; what was not answered with 2xx."""
        shares = [deliveries[at :: self.processes] for at in range(self.processes)]
        with ThreadPoolExecutor(self.processes) as pool:
            turns = [turn * 2 + at % 2 for at in range(self.processes)]
            missed = list(pool.map(self._share, shares, turns))
        return [number for share in missed for number in share]

    def _share(self, share: list[str], turn: int) -> list[str]:
        missed: list[str] = []
        while share:
            job = {
                **self.job,
                "offset": (turn // 2) * (LEASE + 1),
                # Half of them look for what others left, before they take deliveries.
                "works": turn % 2 and turn > 1,
                "deliveries": share,
            }
            taken, code = self._run(job, share, missed)
            if code == 0 and taken == len(share):
                break
            assert code == -signal.SIGKILL, f"a worker ended with {code}"
            with self._lock:
                self.counts["killed"] += 1
            # What it was at got no answer. If it died at work, it took none.
            missed += share[taken : taken + 1] if taken or not job["works"] else []
            share = share[taken + 1 :] if taken or not job["works"] else share
        return missed

    def _run(
        self, job: dict[str, Any], share: list[str], missed: list[str]
    ) -> tuple[int, int]:
        command = [sys.executable, __file__, "--worker"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(job))
            process.stdin.close()
            taken = 0
            for line in process.stdout:
                at, result = line.split()
                taken = int(at) + 1
                with self._lock:
                    self.counts[result] += 1
                if result != "ok":
                    missed.append(share[int(at)])
        return taken, process.returncode


def run(
    url: str,
    *,
    processes: int = 8,
    events: int = 10_000,
    times: int = 3,
    percent: float = 1.0,
) -> Report:
    """Deliver all, until all are answered, and count what was done."""
    numbers = [f"EV-{at:06d}" for at in range(events)]
    deliveries = numbers * times
    random.Random(7).shuffle(deliveries)
    with Inbox(url, table=INBOX) as inbox, tempfile.TemporaryDirectory() as folder:
        METADATA.drop_all(inbox.engine)
        METADATA.create_all(inbox.engine)
        fleet = Fleet(url, processes, percent, folder)
        started = time.perf_counter()
        missed, turn = deliveries, 0
        while missed and turn < ROUNDS:
            missed = fleet.deliver(missed, turn)
            turn += 1
        seconds = time.perf_counter() - started
        with inbox.engine.begin() as connection:
            rows = connection.execute(
                select(EFFECTS.c.id, func.count()).group_by(EFFECTS.c.id)
            )
            effects = {row[0]: row[1] for row in rows}
            done = connection.scalar(
                select(func.count()).where(INBOX.c.handled_at.is_not(None))
            )
        METADATA.drop_all(inbox.engine)
    return Report(
        events,
        sum(fleet.counts[name] for name in fleet.counts),
        fleet.counts["killed"],
        fleet.counts["RuntimeError"],
        fleet.counts["busy"],
        turn,
        seconds,
        [number for number in numbers if number not in effects] + missed,
        [number for number, count in effects.items() if count > 1],
        events - (done or 0),
    )


def main() -> int:
    if sys.argv[1:] == ["--worker"]:
        worker(json.load(sys.stdin))
        return 0
    parser = argparse.ArgumentParser(description="A fleet behind one inbox.")
    parser.add_argument("url")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--percent", type=float, default=1.0)
    options = vars(parser.parse_args())
    report = run(options.pop("url"), **options)
    for name, value in report._asdict().items():
        print(f"{name:>11}  {value}")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
