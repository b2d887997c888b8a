from collections.abc import Mapping, Sequence
from os import PathLike
from typing import IO, Generic, TypeAlias, TypedDict, TypeVar

from typing_extensions import Unpack

from .._flow import Layer
from .._node import Node
from .._reply import Reply
from .._stack import Stack
from ..catalogue import Operation

Body = TypeVar("Body")
Query = TypeVar("Query")
Data = TypeVar("Data")

_Content: TypeAlias = bytes | bytearray | memoryview | IO[bytes] | PathLike[str]

#: ``{"file": path}`` or ``{"file": (name, content)}``: one file.
Files: TypeAlias = Mapping[str, str | PathLike[str] | IO[bytes] | tuple[str, _Content]]

# Named, for a checker copies the types below once for each of 2,000 calls, but not an
# alias in them: 47,000 objects less, and with them mypy's only collection of garbage.
_Headers: TypeAlias = Mapping[str, str] | Sequence[tuple[str, str]] | None
_Timeout: TypeAlias = float | tuple[float, float] | None
_BaseUrl: TypeAlias = str | None
_Middleware: TypeAlias = Sequence[Layer] | Stack
_Data: TypeAlias = bytes | bytearray | memoryview | str | None

class Options(TypedDict, total=False):
    """Keywords that every verb takes."""

    headers: _Headers
    """Further headers of the request."""
    timeout: _Timeout
    """Seconds, or seconds to connect and to read."""
    stream: bool
    """Leave a file unread: ``iter_content``, ``aiter_content``."""
    base_url: _BaseUrl
    """Scheme and host, where it is not WeChat Pay's own."""
    middleware: _Middleware
    """Layers around this call, or a whole stack in place of the client's."""

class BodyOptions(Options, total=False):
    """Keywords of the verbs that have a body."""

    data: _Data
    """A body that is sent as it is."""

class TypedNode:
    """A path that the catalogue knows: typed segments, and the verbs that it has.

    An item gives the open :class:`Node`, on which everything goes.
    """

    def __getitem__(self, item: str, /) -> Node: ...
    def chain(self, path: str) -> Node:
        """The open node of *path*, verbatim, below this one."""

    @property
    def operation(self) -> Operation | None:
        """The endpoint of this path, from the catalogue."""

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The endpoints of this path by method, ``"POST"``."""

    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

class JsonPost(TypedNode, Generic[Body, Data]):
    """A node whose ``post`` takes a body alone: the further forms of it."""

    async def post_async(
        self, body: Body = ..., /, *, json: Body = ..., **options: Unpack[BodyOptions]
    ) -> Reply[Data]:
        """Await ``post``, which says what it does."""

    def __call__(self, body: Body, /, **options: Unpack[BodyOptions]) -> Reply[Data]:
        """Calling a node is its ``post``."""

class XmlPost(TypedNode, Generic[Body, Data]):
    """The same for APIv2."""

    async def post_async(
        self, body: Body = ..., /, *, xml: Body = ..., **options: Unpack[BodyOptions]
    ) -> Reply[Data]:
        """Await ``post``, which says what it does."""

    def __call__(self, body: Body, /, **options: Unpack[BodyOptions]) -> Reply[Data]:
        """Calling a node is its ``post``."""

class QueryGet(TypedNode, Generic[Query, Data]):
    """A node whose ``get`` takes a query alone: the further form of it."""

    async def get_async(
        self,
        query: Query = ...,
        /,
        *,
        params: Query = ...,
        **options: Unpack[Options],
    ) -> Reply[Data]:
        """Await ``get``, which says what it does."""
