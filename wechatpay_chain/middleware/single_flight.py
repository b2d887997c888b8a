"""One piece of work at a time, for all threads and tasks at once, in both modes."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from .._flow import Flow, Wait, Work

if TYPE_CHECKING:

    class Future(Work):
        # What is used of it. By its name checkers would read all of multiprocessing,
        # with every program that uses this package.
        def done(self) -> bool:
            return False

        def result(self, timeout: float | None = None) -> Exception | None:
            del timeout

        def set_running_or_notify_cancel(self) -> bool:
            return True

        def set_result(self, result: Exception | None) -> None:
            del result

else:
    from concurrent.futures import Future


class SingleFlight:
    """Whoever comes first does the work, the others wait for it.

    Nothing here holds a lock between two steps of a flow, so that none is held at a
    fork. A child does not wait for its parent, of whose threads it has none.
    """

    def __init__(self) -> None:
        #: Work under way; its result is the error that it ended with.
        self._flights: dict[int, Future] = {}  # by process

    @property
    def underway(self) -> bool:
        """Whether someone is at it."""
        return os.getpid() in self._flights

    def join(
        self, work: Callable[[], Flow[None]], patience: float | None
    ) -> Flow[Exception | None]:
        """Do *work*, or wait for the one who does: the error that *that* ended with.

        ``None`` where it went well, was cancelled, or is not waited for, without
        *patience*. Who leads looks first whether there still is work to do. After
        *patience* seconds one of those who wait does it: the leader may not be able to
        go on, as when a call that is not awaited stands in the way of its event loop.
        """
        process = os.getpid()
        mine = Future()
        mine.set_running_or_notify_cancel()  # none of those who wait can cancel it
        flight = self._flights.setdefault(process, mine)
        if flight is not mine:
            if patience is None:
                return None
            yield Wait(flight, patience)
            if flight.done():
                return flight.result()
            if self._flights.get(process) is not flight:
                return None  # another has taken its place
            self._flights[process] = mine
        yield from self._lead(mine, work, process)
        return None

    def _lead(
        self, flight: Future, work: Callable[[], Flow[None]], process: int
    ) -> Flow[None]:
        failure = None
        try:
            yield from work()
        except Exception as error:
            failure = error
            raise
        finally:
            if self._flights.get(process) is flight:
                self._flights.pop(process, None)
            flight.set_result(failure)
            failure = None  # it would keep this frame, and this frame it
