"""Who sends while a gateway is served: a thread that waits for what falls due."""

from __future__ import annotations

import math
import threading
import time

from .courier import PATIENCE, Courier


class Postman:
    """The thread that sends while a gateway is served, and does what real time brings.

    Started by the server, and ended with it.
    """

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._woken = threading.Event()
        self._over = False
        #: By the timer, when it looks again; it may sleep until then.
        self._until = 0.0
        self._thread = threading.Thread(
            target=self._run, name="wechatpay sandbox postman", daemon=True
        )
        courier.postman = self
        self._thread.start()

    def look(self, pause: float) -> None:
        """Something is due in *pause* seconds."""
        # What the thread itself let go of it looks at anyway, before it sleeps.
        own = threading.current_thread() is self._thread
        if not own and time.monotonic() + pause < self._until:
            self._woken.set()

    def _run(self) -> None:
        while not self._over:
            self._until = math.inf  # whatever is entered from now on is looked at
            self._courier.flush(PATIENCE)
            pause = self._courier.settle()
            self._until = time.monotonic() + pause
            self._woken.wait(min(pause, threading.TIMEOUT_MAX))
            self._woken.clear()

    def close(self) -> None:
        """End, once what is on its way has arrived; safe to call again."""
        self._over = True
        if self._courier.postman is self:
            self._courier.postman = None
        self._woken.set()
        self._thread.join()

    def __repr__(self) -> str:
        return "<Postman>"
