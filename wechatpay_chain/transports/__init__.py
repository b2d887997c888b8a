"""How requests leave: one module per HTTP library, and memory. Loaded when needed."""

from .base import AsyncTransport, Transport
from .memory import AsyncMemoryTransport, MemoryTransport

__all__ = ["AsyncMemoryTransport", "AsyncTransport", "MemoryTransport", "Transport"]
