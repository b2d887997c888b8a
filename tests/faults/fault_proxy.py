"""A TCP proxy between client and gateway that breaks what passes through it.

It reads HTTP as far as it must, to know where an exchange begins and ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from asyncio import StreamReader, StreamWriter

from deck import Deck
from fault_gateway import LOSE

#: What happens to exchanges, of :data:`SIZE`, and to new connections.
CARDS = {
    "reset before": 3,
    "reset after": 5,
    "delay before": 4,
    "delay after": 4,
    "stall": 1,
    "truncate": 3,
    "corrupt head": 3,
    "corrupt body": 3,
    "twice": 2,
    "trickle": 1,
    "restart": 1,
}
SIZE = 300
CONNECTION_CARDS = {"refuse": 1}
CONNECTIONS = 20

#: Seconds: of a delay, of a restart, between two bytes of a trickle, and the longest
#: that a connection is held for a client that does not hang up.
DELAY = (0.01, 0.15)
DOWN = (0.05, 0.15)
DRIP = 0.04
PATIENCE = 60.0

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.I)
_Message = tuple[bytes, bytes]
_GONE = (OSError, EOFError, asyncio.LimitOverrunError)


class FaultyProxy:
    """Listens on two ports, host and backup, and forwards to one gateway."""

    def __init__(self, seed: str, gateway_port: int) -> None:
        self.deck = Deck(f"{seed}/exchanges", SIZE, CARDS)
        self.connections = Deck(f"{seed}/connections", CONNECTIONS, CONNECTION_CARDS)
        self._upstream = _Upstream(gateway_port)
        self._servers: dict[int, asyncio.Server] = {}
        self._idle: set[StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        #: Exchanges that reached the proxy whole, and connections taken.
        self.exchanges = 0
        self.accepted = 0

    async def start(self, count: int = 2) -> list[int]:
        """Listen; the ports."""
        for _ in range(count):
            await self._listen(0)
        return list(self._servers)

    async def stop(self) -> None:
        """End every connection."""
        for server in self._servers.values():
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._upstream.close()

    async def _listen(self, port: int) -> None:
        server = await asyncio.start_server(
            self._accept, "127.0.0.1", port, backlog=1024
        )
        self._servers[server.sockets[0].getsockname()[1]] = server

    def _start(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.accepted += 1
        if self.connections.deal() is not None:
            self.connections.done("refuse")
            _reset(writer)
            return
        self._start(self._connection(reader, writer))

    async def _connection(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while True:
                self._idle.add(writer)
                head = await reader.readuntil(b"\r\n\r\n")
                self._idle.discard(writer)
                if not await self._exchange(head, reader, writer):
                    break
        except _GONE:
            pass
        finally:
            self._idle.discard(writer)
            writer.transport.abort()

    async def _exchange(
        self, head: bytes, reader: StreamReader, writer: StreamWriter
    ) -> bool:
        """One request and its answer; whether the connection goes on."""
        self.exchanges += 1
        fault = self.deck.deal()
        request = head, await reader.readexactly(_length(head))
        if fault == "reset before":
            self.deck.done(fault)
            _reset(writer)
            return False
        if fault == "delay before":
            self.deck.done(fault)
            await asyncio.sleep(self.deck.between(*DELAY))
            if reader.at_eof() or reader.exception() is not None:
                return False  # what nobody waits for any more arrives nowhere
        answer = await self._upstream.send(request)
        if LOSE.lower().encode() in answer[0]:
            _reset(writer)
            return False
        if fault == "delay after":
            self.deck.done(fault)
            await asyncio.sleep(self.deck.between(*DELAY))
        elif fault == "restart":
            self.deck.done(fault)
            self._start(self._restart())
        elif fault is not None and fault != "delay before":
            return await self._break(fault, answer, reader, writer)
        return await _write(writer, b"".join(answer))

    async def _break(
        self, fault: str, answer: _Message, reader: StreamReader, writer: StreamWriter
    ) -> bool:
        """Do to *answer* what *fault* says."""
        head, body = answer
        if fault == "corrupt body" and not body:
            self.deck.put_back(fault)
            return await _write(writer, head)
        self.deck.done(fault)
        whole = head + body
        if fault == "reset after":
            _reset(writer)
        elif fault == "truncate":
            await _write(writer, whole[: 1 + self.deck.below(len(whole) - 1)])
            writer.close()
        elif fault == "corrupt head":
            return await _write(writer, self._corrupted_head(head) + body)
        elif fault == "corrupt body":
            return await _write(writer, head + self._corrupted(body, 0))
        elif fault == "twice":  # the second is the answer to no request
            return await _write(writer, whole + whole)
        elif fault == "trickle":
            await _trickle(whole, reader, writer)
        else:  # a stall
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(reader.read(1), PATIENCE)
        return False

    def _corrupted_head(self, head: bytes) -> bytes:
        # Not the status: no signature covers it, and a 400 that is made a 200 is a lie
        # that only TLS prevents.
        status = len(b"HTTP/1.1 200")
        return head[:status] + self._corrupted(head[status:], 0)

    def _corrupted(self, content: bytes, start: int) -> bytes:
        """*content* with one to three bytes changed."""
        changed = bytearray(content)
        for _ in range(1 + self.deck.below(3)):
            at = start + self.deck.below(len(changed) - start)
            changed[at] ^= 1 + self.deck.below(255)
        return bytes(changed)

    async def _restart(self) -> None:
        """Close what is idle, and listen to nobody for a moment."""
        servers, self._servers = self._servers, {}
        for server in servers.values():
            server.close()
        for number, writer in enumerate(list(self._idle)):
            if number % 2:
                writer.close()
            else:
                _reset(writer)
        await asyncio.sleep(self.deck.between(*DOWN))
        for port in servers:
            await self._listen(port)


class _Upstream:
    """Kept-alive connections to the gateway, which never fail."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[StreamReader, StreamWriter]] = []

    async def send(self, request: _Message) -> _Message:
        reader, writer = await self._take()
        try:
            writer.write(b"".join(request))
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
        except BaseException:
            writer.transport.abort()
            raise
        self._free.append((reader, writer))
        return head, body

    async def _take(self) -> tuple[StreamReader, StreamWriter]:
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        for _, writer in self._free:
            writer.transport.abort()


def _length(head: bytes) -> int:
    match = _LENGTH.search(head)
    return int(match[1]) if match else 0


async def _write(writer: StreamWriter, content: bytes) -> bool:
    writer.write(content)
    await writer.drain()
    return True


async def _trickle(content: bytes, reader: StreamReader, writer: StreamWriter) -> None:
    """One byte at a time, until the client has hung up."""
    for at in range(len(content)):
        await _write(writer, content[at : at + 1])
        try:
            await asyncio.wait_for(reader.read(1), DRIP)
        except asyncio.TimeoutError:
            continue
        return


def _reset(writer: StreamWriter) -> None:
    """End a connection by RST, not by FIN."""
    sock: socket.socket = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):  # it may be gone already
        linger = struct.pack("ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
