"""A node: an immutable value of client and template, with the verbs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from . import _chain, _help
from ._help import verb
from ._uri import parse

if TYPE_CHECKING:
    from ._paging import Pages
    from ._reply import Reply
    from .catalogue import Operation
    from .client import WeChatPay


class Node:
    """One path of the API. Attributes and items go further, a verb sends.

    Nodes are values: keep them, share them between threads, compare them. Nothing is
    sent until a verb is called. ``str(node)`` is the URI template.
    """

    __slots__ = ("_client", "_text")
    if not TYPE_CHECKING:
        __doc__ = _help.Doc(__doc__, _help.node_doc)
    _client: WeChatPay
    _text: str

    def __init__(self, client: WeChatPay, text: str) -> None:
        object.__setattr__(self, "_client", client)
        object.__setattr__(self, "_text", text)

    def __getattr__(self, name: str) -> Node:
        text = _chain.segment(name)
        if text is None:
            raise AttributeError(
                f"{name!r} is not a path segment; for one that no attribute gives use "
                f"an item: node[{name!r}]",
                name=name,
                obj=self,
            )
        return Node(self._client, _chain.join(self._text, text))

    def __getitem__(self, item: str) -> Node:
        text = _chain.join(self._text, item)
        parse(text)  # a bad one fails here, not at the call
        return Node(self._client, text)

    def chain(self, path: str) -> Node:
        """The node of *path*, verbatim, below this one; the same as ``node[path]``."""
        return self[path]

    # The verbs. Their one parameter list is that of ``post``.

    @verb
    def post(self, body: Any = None, /, **options: Any) -> Reply:
        """Send POST and return the verified reply.

        *body*: JSON on v3, a mapping of XML fields on v2. Keywords: ``json=``,
        ``xml=``, ``data=`` (bytes, text or form fields), ``files={"file": path}`` (or
        an open file, or a pair of name and bytes), ``params=`` (query), ``headers=``,
        ``timeout=`` (seconds, or connect and read), ``stream=`` (leave a file unread),
        ``base_url=``, ``middleware=`` (layers around this call, or a whole ``Stack``),
        ``path={...}`` (placeholders whose names collide with one of these). Any other
        keyword fills the placeholder of that name, with a ``str`` or an ``int``.

        Raises ``TemplateError`` or ``EncodeError`` before anything is sent, then
        ``TransportError``, ``APIError``, ``SignatureError`` or ``DecodeError``, whose
        ``outcome`` says whether the operation may have happened.
        """
        return self._client._call("POST", self._text, body, options)

    @verb
    async def post_async(self, body: Any = None, /, **options: Any) -> Reply:
        """Await POST; see :meth:`post`."""
        return await self._client._call_async("POST", self._text, body, options)

    @verb
    def get(self, params: Any = None, /, **options: Any) -> Reply:
        """Send GET with *params* as the query; keywords as for :meth:`post`."""
        return self._client._call("GET", self._text, params, options)

    @verb
    async def get_async(self, params: Any = None, /, **options: Any) -> Reply:
        """Await GET; see :meth:`get`."""
        return await self._client._call_async("GET", self._text, params, options)

    @verb
    def put(self, body: Any = None, /, **options: Any) -> Reply:
        """Send PUT; see :meth:`post`."""
        return self._client._call("PUT", self._text, body, options)

    @verb
    async def put_async(self, body: Any = None, /, **options: Any) -> Reply:
        """Await PUT; see :meth:`post`."""
        return await self._client._call_async("PUT", self._text, body, options)

    @verb
    def patch(self, body: Any = None, /, **options: Any) -> Reply:
        """Send PATCH; see :meth:`post`."""
        return self._client._call("PATCH", self._text, body, options)

    @verb
    async def patch_async(self, body: Any = None, /, **options: Any) -> Reply:
        """Await PATCH; see :meth:`post`."""
        return await self._client._call_async("PATCH", self._text, body, options)

    @verb
    def delete(self, params: Any = None, /, **options: Any) -> Reply:
        """Send DELETE with *params* as the query; keywords as for :meth:`post`."""
        return self._client._call("DELETE", self._text, params, options)

    @verb
    async def delete_async(self, params: Any = None, /, **options: Any) -> Reply:
        """Await DELETE; see :meth:`delete`."""
        return await self._client._call_async("DELETE", self._text, params, options)

    def __call__(self, body: Any = None, /, **options: Any) -> Reply:
        """POST, as in the JS SDK: calling a node demands a body argument."""
        given = (body, *map(options.get, ("json", "xml", "data", "files")))
        if all(one is None for one in given):
            raise TypeError(
                f"calling {self} posts, and needs a body: give one, or use .post()"
            )
        return self.post(body, **options)

    def paginate(self, params: Any = None, /, **options: Any) -> Iterator[Any]:
        """Yield the items of a list, page after page, lazily.

        *params*, or ``params=``, is the query; ``limit`` in it is the page size
        (default 20), ``offset`` where to start. Ends at ``total_count``, or at a page
        that is not full. With ``page_size`` in it, the walk goes by the
        ``next_page_token`` of each answer. Keywords as for :meth:`get`.
        """
        pages = self._pages(params, options)
        while pages.wanted:
            ask = self.post if pages.in_body else self.get
            reply = ask(pages.params, **options)
            yield from pages.items(reply.data, reply.content)

    async def paginate_async(
        self, params: Any = None, /, **options: Any
    ) -> AsyncIterator[Any]:
        """Yield the same for ``async for``; see :meth:`paginate`."""
        pages = self._pages(params, options)
        while pages.wanted:
            ask = self.post_async if pages.in_body else self.get_async
            reply = await ask(pages.params, **options)
            for item in pages.items(reply.data, reply.content):
                yield item

    def _pages(self, params: Any, options: dict[str, Any]) -> Pages:
        from ._paging import Pages, chosen

        given = chosen(params, options.pop("params", None))
        return Pages(given, str(self), _help.layout(self._text))

    # A value, and nothing that Python would take for a sequence.

    __iter__ = None
    __contains__ = None

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a node is immutable: {name!r} cannot be set", name=name)

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"a node is immutable: {name!r} cannot be deleted", name=name
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Node):
            return NotImplemented
        return self._client is other._client and self._text == other._text

    def __hash__(self) -> int:
        return hash((id(self._client), self._text))

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: object) -> Node:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a node is not pickled, because its client holds keys: send str(node) and "
            "build client[...] there"
        )

    # What the catalogue knows. It is loaded with the first question.

    @property
    def operation(self) -> Operation | None:
        """The endpoint of this path, from the catalogue; ``None`` for one it lacks.

        Where the path has several verbs, the one that comes first of POST, GET, PUT,
        PATCH and DELETE: calling a node posts. All of them: :attr:`operations`.
        """
        return _help.operation(self._text)

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The endpoints of this path by method; empty for an unknown path."""
        return _help.operations(self._text)

    def __dir__(self) -> list[str]:
        return sorted([*_help.names(self._text), *_help.attributes(self._text)])

    def _ipython_key_completions_(self) -> list[str]:
        return _help.items(self._text)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<Node {self._text} of merchant {self._client.mchid}>"
