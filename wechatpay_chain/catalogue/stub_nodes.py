"""The typed tree: one class for each node of the chain, with the verbs it has."""

from __future__ import annotations

from collections.abc import Iterable

from .. import _chain
from .._calls import OPTIONS
from .model import Operation
from .stub_calls import Call
from .stub_names import Names, camel, shorten
from .stub_shapes import Shapes, documented, note

#: Verbs whose positional argument is the query.
_QUERIED = frozenset({"GET", "DELETE"})


class Branch:
    """A place in the tree of paths."""

    def __init__(self, segment: str) -> None:
        self.segment = segment
        #: Calls by method.
        self.calls: dict[str, Call] = {}
        self.below: dict[str, Branch] = {}

    def add(self, parts: list[str], call: Call) -> None:
        """Hang *call* in below *parts*."""
        branch = self
        for part in parts:
            branch = branch.below.setdefault(part, Branch(part))
        branch.calls[call.operation.method] = call


def source(root: Branch, shapes: Shapes) -> str:
    """The classes of *root* and of all below it."""
    writer = _Writer(shapes)
    writer.branch(root, [])
    return "\n".join(writer.blocks)


class _Writer:
    def __init__(self, shapes: Shapes) -> None:
        self.blocks: list[str] = []
        self._shapes = shapes
        self._names = Names()

    def branch(self, branch: Branch, path: list[str]) -> str:
        """Write the class of *branch*, which stands at *path* in its segment."""
        parts = path or [branch.segment]
        name = self._names.take(shorten(parts), "".join(map(camel, parts)))
        body = ""
        for segment, below in sorted(branch.below.items()):
            kind = self.branch(below, [*path, segment])
            body += f"    {_chain.attribute(segment)}: {kind}\n"
        bases: list[str] = []
        for method in sorted(branch.calls):
            call = branch.calls[method]
            base = self._base(call)
            bases += [base] if base else []
            body += self._verbs(call, alone=bool(base))
        # After those that it mentions: a name ahead costs mypy another round.
        above = ", ".join(bases) or "TypedNode"
        self.blocks.append(f"class {name}({above}):\n{body}")
        return name

    def _base(self, call: Call) -> str:
        """What has the further forms of a verb, where body and answer say it all.

        Half of the endpoints: a class that is read once is dearer than one that is
        not, but a method that is not read costs a checker nothing.
        """
        if call.placeholders or call.files:
            return ""
        method, data = call.operation.method, self._text(call.data)
        if method == "POST" and call.body and not call.query:
            kind = "XmlPost" if call.operation.version == "v2" else "JsonPost"
            return f"{kind}[{self._text(call.body)}, {data}]"
        if method == "GET" and call.query and not call.body:
            return f"QueryGet[{self._text(call.query)}, {data}]"
        return ""

    def _verbs(self, call: Call, *, alone: bool) -> str:
        """The verb of *call* and, unless *alone*, its other forms."""
        verb = call.operation.method.lower()
        given = self._parameters(call)
        gives = f"Reply[{self._text(call.data)}]"
        title = documented(call.operation.title)
        out = (
            f"    def {verb}(self, {given}) -> {gives}:\n"
            f'        """{documentation(call.operation)}"""\n'
        )
        if not alone:
            out += (
                f"    async def {verb}_async(self, {given}) -> {gives}:\n"
                f'        """{title}."""\n'
            )
        if not alone and verb == "post" and (call.body or call.files):
            given = self._parameters(call, demanded=True)
            out += f"    def __call__(self, {given}) -> {gives}:\n"
            out += f'        """{title}: POST."""\n'
        if call.pages:
            out += self._pages(call, title)
        return out

    def _pages(self, call: Call, title: str) -> str:
        walk = Call(call.operation, query=call.pages, placeholders=call.placeholders)
        given = self._parameters(walk)
        items = self._text(call.items)
        return (
            f"    def paginate(self, {given}) -> Iterator[{items}]:\n"
            f'        """{title}: every item, page after page."""\n'
            f"    def paginate_async(self, {given}) -> AsyncIterator[{items}]:\n"
            f'        """{title}: every item, page after page."""\n'
        )

    def _parameters(self, call: Call, *, demanded: bool = False) -> str:
        """The parameters after ``self``; *demanded*: a body must be given."""
        body, query = self._text(call.body), self._text(call.query)
        queried = call.operation.method in _QUERIED
        old = call.operation.version == "v2"
        first: list[str] = []
        more: list[str] = []
        if queried and query:
            first = [f"query: {query} = ..."]
        elif body and not queried:
            first = [f"body: {body}{'' if demanded and not call.files else ' = ...'}"]
        if body and not demanded:
            more.append(f"{'xml' if old else 'json'}: {body} = ...")
        if query:
            more.append(f"params: {query} = ...")
        if call.files:
            more.append("files: Files")
        clashing = [n for n, _ in call.placeholders if n in OPTIONS]
        if clashing:
            more.append("path: Mapping[str, str | int]")
        more += [f"{n}: {kind}" for n, kind in call.placeholders if n not in clashing]
        options = "Options" if queried or call.files else "BodyOptions"
        marks = [*first, "/"] if first else []
        stars = ["*", *more] if more else []
        return ", ".join([*marks, *stars, f"**options: Unpack[{options}]"])

    def _text(self, kind: str) -> str:
        return self._shapes.text(kind, "t.")


def documentation(operation: Operation) -> str:
    """What a typed verb says of itself: title, roles, placeholders, document."""
    lines = [f"{operation.title}."]
    facts = [", ".join(operation.roles)] if operation.roles else []
    facts += ["deprecated"] if operation.deprecated else []
    facts += ["answers a file"] if operation.download else []
    facts += ["needs the client certificate"] if operation.cert else []
    if facts:
        lines += ["", "; ".join(facts)]
    noted = [f"{n}: {note(f, 'request')}" for n, f in operation.path.items()]
    if noted:
        lines += ["", *noted]
    if operation.docs:
        lines += ["", operation.docs[0]]
    text = "\n        ".join(documented(line) for line in lines)
    text = text.replace("        \n", "\n")
    return text if len(lines) == 1 else f"{text}\n        "


def tree(calls: Iterable[Call], root: str) -> Branch:
    """The branch of *root*, ``v3/payscore``, with *calls* in their places.

    Calls that no attributes reach are left out: item access gives the open node.
    """
    branch = Branch(root.rpartition("/")[2])
    for call in calls:
        below = call.operation.template.removeprefix(root)
        parts = below.removeprefix("/").split("/") if below else []
        if all(_chain.attribute(part) for part in parts):
            branch.add(parts, call)
    return branch
