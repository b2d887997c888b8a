"""Leads SDKs with a fixed host to a sandbox: a proxy that ends their TLS.

Such an SDK has an option for a proxy. It asks the proxy for a tunnel to the host that
it means, and speaks TLS in it; here the other end of the tunnel is the sandbox, under a
certificate for that host which the test has it trust.
"""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import ssl
import threading

PATIENCE = 20.0
_CHUNK = 65536


class Bridge(socketserver.ThreadingTCPServer):
    """Use it as a context manager; it listens on a free port of the loopback."""

    def __init__(self, target: tuple[str, int], context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.target = target
        self.context = context
        #: What was asked for, as ``host:port``.
        self.asked: list[str] = []
        #: What a client takes as its proxy.
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))

    def __enter__(self) -> Bridge:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()  # which waits for the tunnels


class _Tunnel(socketserver.BaseRequestHandler):
    """One connection, from CONNECT to its end."""

    server: Bridge

    def handle(self) -> None:
        self.request.settimeout(PATIENCE)
        method, target, _ = self._head().split(b"\r\n")[0].decode("ascii").split(" ")
        assert method == "CONNECT", "a proxy for https is asked for a tunnel"
        self.server.asked.append(target)
        self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        # Either side may leave without a word; what was lost shows in the test.
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            wrapped = self.server.context.wrap_socket(self.request, server_side=True)
            near = stack.enter_context(wrapped)
            far = stack.enter_context(socket.create_connection(self.server.target))
            _relay(near, far)

    def _head(self) -> bytes:
        """The head of the request: a client says no more before it is answered."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            received = self.request.recv(_CHUNK)
            assert received, "the client left before it had asked"
            head += received
        return head


def _relay(near: ssl.SSLSocket, far: socket.socket) -> None:
    """Carry bytes both ways until one side ends, or both are silent."""
    while True:
        # What TLS has decrypted already does not show in the socket.
        pending = [near] if near.pending() else []
        ready = pending or select.select([near, far], [], [], PATIENCE)[0]
        if not ready:
            return
        for one, other in ((near, far), (far, near)):
            if one in ready:
                received = one.recv(_CHUNK)
                if not received:
                    return
                other.sendall(received)
