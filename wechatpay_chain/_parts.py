"""What a client asks of the parts that it is put together from, for type checkers.

``_assembly`` has them. It imports most of the package and asyncio, which a checker that
follows it would read for each program that imports a client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ._calls import Defaults
    from ._flow import Entry
    from ._messages import Request, Response
    from ._options import Settings
    from ._stack import Stack
    from .middleware.certificates import Certificates


class Parts(Protocol):
    """Settings, layers and connections."""

    settings: Settings
    stack: Stack
    xml_stack: Stack
    #: What downloads the platform certificates, where they are downloaded.
    certificates: Certificates | None

    @property
    def closed(self) -> bool:
        """Whether nothing is sent any more."""
        ...

    def close(self) -> None:
        """Send nothing more, and close the connections that are not shared."""

    async def aclose(self) -> None:
        """The same for both modes."""

    @property
    def defaults(self) -> Defaults:
        """What the client contributes to each request."""
        ...

    @property
    def connections(self) -> Connections:
        """The pools, shared by all that ``with_options`` makes."""
        ...


class Connections(Protocol):
    """The pools of both modes."""

    @property
    def sync(self) -> Driver:
        """What runs a call."""
        ...

    @property
    def awaited(self) -> AsyncDriver:
        """What runs an awaited call."""
        ...


class Driver(Protocol):
    """What runs a call."""

    def run(self, entries: Sequence[Entry], request: Request) -> Response:
        """Send *request* through the layers of *entries*."""
        ...


class AsyncDriver(Protocol):
    """What runs an awaited call."""

    async def run(self, entries: Sequence[Entry], request: Request) -> Response:
        """Send *request* through the layers of *entries*."""
        ...
