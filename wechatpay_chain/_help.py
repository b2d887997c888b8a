"""What the catalogue says of a node, asked when somebody asks: completion and help.

The one place of the core that reaches up to the catalogue, and never at import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from . import _chain

if TYPE_CHECKING:
    from inspect import Signature

    from .catalogue import Operation
    from .catalogue.paging import Layout

Function = TypeVar("Function", bound=Callable[..., Any])


class Place(Protocol):
    """What a bound verb knows of its node."""

    _text: str

    def post(self, *args: Any, **kwargs: Any) -> Any: ...


def operations(text: str) -> Mapping[str, Operation]:
    """The operations at the template *text*, by method; empty where none is known."""
    from .catalogue import at

    return at(_path(text))


#: The order in which one verb of several stands for a path: calling a node posts.
_FIRST = ("POST", "GET", "PUT", "PATCH", "DELETE")


def operation(text: str) -> Operation | None:
    """The one operation at *text*; of several, the first of POST, GET, PUT, ..."""
    known = operations(text)
    return next((known[method] for method in _FIRST if method in known), None)


def layout(text: str) -> Layout | None:
    """How the endpoint at *text* hands out its pages; ``None`` where nothing is known.

    A reading verb first: most lists are asked for by GET, some by POST.
    """
    from .catalogue.paging import layout

    known = operations(text)
    found = (layout(known[verb]) for verb in ("GET", "POST") if verb in known)
    return next((one for one in found if one is not None), None)


def attributes(text: str) -> list[str]:
    """The attributes that lead from *text* to what the catalogue knows below it."""
    from .catalogue import children

    names = (_chain.attribute(segment) for segment in children(_path(text)))
    return [name for name in names if name is not None]


def names(text: str) -> list[str]:
    """The names that a node has itself, less the verbs that its endpoint lacks."""
    known = operations(text)
    if not known:
        return list(_chain.METHODS)
    absent = {verb.lower() for verb in _FIRST if verb not in known}
    if layout(text) is None:
        absent.add("paginate")
    return [one for one in _chain.METHODS if one.removesuffix("_async") not in absent]


def items(text: str) -> list[str]:
    """The items that lead from *text* to an endpoint: the rest of its template."""
    from .catalogue import templates

    path = _path(text)
    start = len(path) + 1 if path else 0
    return [template[start:] for template in templates(path) if template != path]


def _path(text: str) -> str:
    return text.partition("?")[0]


def node_doc(node: Place) -> str:
    """The help for a node: what can be called here, and what lies below."""
    from .catalogue import at, children
    from .catalogue.text import overview

    path = _path(node._text)
    return overview(path, at(path), children(path)) or cleandoc(
        type(node).__doc__ or ""
    )


def _verb_doc(node: Place, function: Callable[..., Any]) -> str:
    """The help for a verb: its endpoint, then what holds for any call."""
    from .catalogue.text import describe

    method = function.__name__.removesuffix("_async").upper()
    known = operations(node._text)
    if method in known:
        keywords = cleandoc(type(node).post.__doc__ or "").partition("\n\n")[2]
        return f"{describe(known[method])}\n\nAny call\n{_indented(keywords)}"
    general = cleandoc(function.__doc__ or "")
    if known:
        verbs = ", ".join(known)
        return f"The catalogue knows {verbs} of this path, not {method}.\n\n{general}"
    return general


def cleandoc(text: str) -> str:
    """As ``inspect`` does; it is not imported until somebody asks."""
    from inspect import cleandoc as clean

    return clean(text)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


class Doc:
    """A ``__doc__`` that is made when it is asked for; on the class, a plain text."""

    def __init__(self, text: str | None, make: Callable[[Any], str]) -> None:
        self._text = text
        self._make = make

    def __get__(self, instance: object, owner: object = None) -> str | None:
        return self._text if instance is None else self._make(instance)


class BoundVerb(partial[Any]):
    """A verb of one node: a bound method that explains the endpoint it calls.

    A ``partial`` because that is made and called without a frame of its own; the rest
    makes it behave as a bound method does.
    """

    __slots__ = ()
    if not TYPE_CHECKING:
        __doc__ = Doc(__doc__, lambda verb: _verb_doc(verb.__self__, verb.func))

    @property
    def __self__(self) -> Any:
        return self.args[0]

    @property
    def __name__(self) -> str:
        return self.func.__name__

    @property
    def __func__(self) -> Callable[..., Any]:
        return self.func

    @property
    def __signature__(self) -> Signature:
        from inspect import signature

        found = signature(self.func)
        return found.replace(parameters=list(found.parameters.values())[1:])

    def __getattr__(self, name: str) -> Any:
        if name == "__qualname__":  # no class can have that as a property
            return self.func.__qualname__
        raise AttributeError(f"a verb has no attribute {name!r}", name=name, obj=self)

    def __get__(self, instance: object, owner: object = None) -> BoundVerb:
        return self  # already bound, also where somebody keeps one in a class

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoundVerb):
            return NotImplemented
        return self.func is other.func and self.args == other.args

    def __hash__(self) -> int:
        return hash((self.func, self.args))

    def __reduce__(self) -> Any:
        return getattr, (self.__self__, self.__name__)

    def __repr__(self) -> str:
        return f"<bound method {self.__qualname__} of {self.__self__!r}>"


class _Verb:
    """A function that a node hands out bound, with help of its own.

    On the class it is the function itself, as any method is.
    """

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    # Made for each call, so it does nothing else: the help costs a call 0.2 µs.
    def __get__(self, node: object, owner: object = None) -> Callable[..., Any]:
        return self._function if node is None else BoundVerb(self._function, node)


def verb(function: Function) -> Function:
    """Make *function* a verb of the nodes; for type checkers it stays a method."""
    return cast(Function, _Verb(function))
