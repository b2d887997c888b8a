"""The only sync/async pair: two loops that perform what flows yield.

A driver knows commands and nothing of payments. It owns every response it opened and
closes all but the one it returns, cancellation included.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from contextlib import suppress
from functools import partial
from inspect import iscoroutine, iscoroutinefunction
from typing import Any, cast

from ._flow import (
    Call,
    Close,
    Compute,
    Delegate,
    Entry,
    Fetch,
    Flow,
    Read,
    Sleep,
    Wait,
    compose,
    layer_name,
)
from ._messages import AsyncStream, Body, Request, Response, SyncStream
from ._offload import Offload
from ._run import Run, close_body
from .errors import LayerError, WeChatPayError
from .transports.base import AsyncTransport, Transport

#: Calls in flight on one event loop from which signatures are made beside it, and the
#: cores that it takes. On two cores it gives a fifth of speed for a fifth more CPU.
#: Measured in docs/benchmarks.md.
OFFLOAD_FROM = 16
OFFLOAD_CORES = 2


class SyncDriver:
    """Performs commands by plain calls."""

    def __init__(self, transport: Transport, closed: Callable[[], bool] = bool) -> None:
        self._transport = transport
        #: Whether the client has been closed.
        self._closed = closed

    def run(self, entries: Sequence[Entry], request: Request) -> Response:
        """Drive one call to its response, whose body is read unless it is a stream."""
        run = Run(entries, closed=self._closed)
        keep = None
        try:
            response = self._drive(compose(entries, request), run)
            if not (request.stream and response.body.content is None):
                self._read(response.body)
            keep = response.body
            return response
        except WeChatPayError as error:
            run.complete(error, request)
            raise
        finally:
            run.close(keep)
            if self._closed():  # meanwhile: what was in use then is idle now
                with suppress(Exception):  # the answer counts, whatever this meets
                    self._transport.close()

    def _drive(self, flow: Flow[Response], run: Run) -> Response:
        try:
            command = next(flow)
            while True:
                try:
                    result = self._perform(command, run)
                except Exception as error:
                    command = flow.throw(error)
                else:
                    command = flow.send(result)
        except StopIteration as done:
            return cast(Response, done.value)
        finally:
            flow.close()

    def _perform(self, command: object, run: Run) -> Any:
        if isinstance(command, Request):
            return self._open(command, run)
        if isinstance(command, Read):
            return self._read(command.response.body)
        if isinstance(command, (Compute, Call)):
            return _plain(command.function(*command.arguments), command)
        if isinstance(command, Sleep):
            return self._transport.sleep(command.seconds)
        if isinstance(command, Close):
            return close_body(command.response.body)
        if isinstance(command, Fetch):
            return self._fetch(command, run)
        if isinstance(command, Wait):
            return wait([cast(Any, command.future)], command.seconds)
        assert isinstance(command, Delegate)
        guest = _guest(command, awaited=False)
        return guest(command.request, partial(self._next, command, run))

    def _open(self, request: Request, run: Run) -> Response:
        attempt = run.sending(request)
        try:
            response = self._transport.open(request)
        except WeChatPayError as error:
            run.failed(attempt, error)
            raise
        run.answered(attempt, response)
        return response if response.request else response.replace(request=request)

    def _read(self, body: Body) -> bytes:
        if body.content is None:
            stream, body.stream = body.stream, None
            body.content = b"" if stream is None else cast(SyncStream, stream).read()
        return body.content

    def _fetch(self, command: Fetch, run: Run) -> Response:
        inner = run.inner(command.without)
        try:
            response = self._drive(compose(inner.entries, command.request), inner)
            self._read(response.body)
            return response
        finally:
            run.leave(inner, command.request)

    def _next(self, command: Delegate, run: Run, request: Request) -> Response:
        response = self._drive(compose(command.inner, request), run)
        if not request.stream:
            self._read(response.body)
        return response


class AsyncDriver:
    """Performs the same commands by awaiting."""

    def __init__(
        self,
        transport: AsyncTransport,
        offload_from: int | None = None,
        closed: Callable[[], bool] = bool,
    ) -> None:
        self._transport = transport
        #: Whether the client has been closed.
        self._closed = closed
        self._in_flight = 0
        if offload_from is None:
            spare = (os.cpu_count() or 1) >= OFFLOAD_CORES
            offload_from = OFFLOAD_FROM if spare else 1 << 30
        self._offload_from = offload_from
        self._offload = Offload()

    async def run(self, entries: Sequence[Entry], request: Request) -> Response:
        """Drive one call to its response, whose body is read unless it is a stream."""
        run = Run(entries, closed=self._closed)
        keep = None
        self._in_flight += 1
        try:
            response = await self._drive(compose(entries, request), run)
            if not (request.stream and response.body.content is None):
                await self._read(response.body)
            keep = response.body
            return response
        except WeChatPayError as error:
            run.complete(error, request)
            raise
        finally:
            self._in_flight -= 1
            run.close(keep)
            if self._closed():  # meanwhile: threads may have been started since
                self.close()

    def close(self) -> None:
        """End the signing threads."""
        self._offload.close()

    async def _drive(self, flow: Flow[Response], run: Run) -> Response:
        try:
            command = next(flow)
            while True:
                try:
                    result = await self._perform(command, run)
                except Exception as error:
                    command = flow.throw(error)
                else:
                    command = flow.send(result)
        except StopIteration as done:
            return cast(Response, done.value)
        finally:
            flow.close()

    async def _perform(self, command: object, run: Run) -> Any:
        if isinstance(command, Request):
            return await self._open(command, run)
        if isinstance(command, Read):
            return await self._read(command.response.body)
        if isinstance(command, Compute):
            return await self._compute(command)
        if isinstance(command, Call):
            result = command.function(*command.arguments)
            return await result if hasattr(result, "__await__") else result
        if isinstance(command, Sleep):
            return await self._transport.sleep(command.seconds)
        if isinstance(command, Close):
            return close_body(command.response.body)
        if isinstance(command, Fetch):
            return await self._fetch(command, run)
        if isinstance(command, Wait):
            future = asyncio.wrap_future(cast(Any, command.future))
            return await asyncio.wait([future], timeout=command.seconds)
        assert isinstance(command, Delegate)
        guest = _guest(command, awaited=True)
        return await guest(command.request, partial(self._next, command, run))

    async def _open(self, request: Request, run: Run) -> Response:
        attempt = run.sending(request)
        try:
            response = await self._transport.open(request)
        except WeChatPayError as error:
            run.failed(attempt, error)
            raise
        run.answered(attempt, response)
        return response if response.request else response.replace(request=request)

    async def _read(self, body: Body) -> bytes:
        if body.content is None:
            stream, body.stream = body.stream, None
            if stream is None:
                body.content = b""
            else:
                body.content = await cast(AsyncStream, stream).aread()
        return body.content

    async def _compute(self, command: Compute) -> Any:
        if self._in_flight < self._offload_from:
            return command.function(*command.arguments)
        return await self._offload.submit(command.function, command.arguments)

    async def _fetch(self, command: Fetch, run: Run) -> Response:
        inner = run.inner(command.without)
        try:
            response = await self._drive(compose(inner.entries, command.request), inner)
            await self._read(response.body)
            return response
        finally:
            run.leave(inner, command.request)

    async def _next(self, command: Delegate, run: Run, request: Request) -> Response:
        response = await self._drive(compose(command.inner, request), run)
        if not request.stream:
            await self._read(response.body)
        return response


def _guest(command: Delegate, *, awaited: bool) -> Callable[..., Any]:
    if _is_coroutine_function(command.guest) is awaited:
        return command.guest
    name = layer_name(command.guest)
    if awaited:
        raise LayerError(
            f"the guest {name!r} is a plain function and this call is awaited: write "
            "async def, or a generator with @middleware, which serves both"
        )
    raise LayerError(
        f"the guest {name!r} is a coroutine function and this call is not awaited: use "
        "the _async verb, or a generator with @middleware, which serves both"
    )


def _plain(result: Any, command: Compute | Call) -> Any:
    """*result*, unless it is a coroutine, which nothing here would await.

    Making one runs none of its code, so that to look at the function first, at a higher
    price, would say no more.
    """
    if not iscoroutine(result):
        return result
    result.close()
    raise LayerError(
        f"{layer_name(command.function)!r} is a coroutine function and this call is "
        "not awaited: use the _async verb, or give a plain function"
    )


def _is_coroutine_function(function: Any) -> bool:
    while isinstance(function, partial):
        function = function.func
    return iscoroutinefunction(function) or iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object's own __call__
    )
