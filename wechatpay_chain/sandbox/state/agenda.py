"""What is to happen by itself, in order of time. Jobs are data; nothing here waits."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from itertools import count
from typing import NamedTuple


class Job(NamedTuple):
    """Something that is to happen: *kind* says what, *key* to which record."""

    due: float
    number: int
    kind: str
    key: str


class Agenda:
    """All jobs of a world, the next one first.

    Jobs are data, so that they can be copied and kept; who does a kind of them says so
    once, by :meth:`serve`.
    """

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        #: Jobs by number since this was last emptied, ``None`` for one that is gone;
        #: empty until :meth:`watch` is called.
        self.changed: dict[int, Job | None] = {}
        self._watched = False
        self._order = count()
        self._doers: dict[str, Callable[[str, float], None]] = {}

    def serve(self, kind: str, doer: Callable[[str, float], None]) -> None:
        """Have *doer* called with key and time of each job of *kind*."""
        self._doers[kind] = doer

    def serves(self, kind: str) -> bool:
        """Whether anybody does jobs of that kind."""
        return kind in self._doers

    def add(self, due: float, kind: str, key: str) -> None:
        """Enter a job for the time *due*."""
        job = Job(due, next(self._order), kind, key)
        heapq.heappush(self.jobs, job)
        self._note(job.number, job)

    def watch(self) -> None:
        """Note from now on what changes: what is there counts as new."""
        self._watched = True
        for job in self.jobs:
            self._note(job.number, job)

    def _note(self, number: int, job: Job | None) -> None:
        if self._watched:
            self.changed[number] = job

    def replace(self, jobs: Iterable[Job]) -> None:
        """Hold *jobs* instead of what is there."""
        for job in self.jobs:
            self._note(job.number, None)
        self.jobs = sorted(jobs)
        for job in self.jobs:
            self._note(job.number, job)
        self._order = count(max((job.number for job in self.jobs), default=-1) + 1)

    def shift(self, seconds: float) -> None:
        """Put everything off by *seconds*."""
        self.replace(job._replace(due=job.due + seconds) for job in list(self.jobs))

    def next_due(self) -> float | None:
        """When the next thing is to happen."""
        return self.jobs[0].due if self.jobs else None

    def run(self, now: float) -> None:
        """Do what is due, earliest first; a job may add others."""
        while self.jobs and self.jobs[0].due <= now:
            job = heapq.heappop(self.jobs)
            self._note(job.number, None)
            self._doers[job.kind](job.key, job.due)
