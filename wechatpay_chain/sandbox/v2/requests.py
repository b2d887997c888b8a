"""What a request of APIv2 holds: fields of XML, of a query or of an upload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..._messages import Request
from ...middleware import xml_body
from ..checks import uploads
from ..checks.parsing import parse_query
from ..refusals import Problem, parameters
from ..routing import File


class Form(NamedTuple):
    """Fields by name, in the order of sending, and files; what is signed is there."""

    fields: Mapping[str, str]
    files: Mapping[str, File]
    #: What stands in the URL of a call that has a body too.
    query: Mapping[str, str]


def form(request: Request) -> Form:
    """The fields of *request*. Raises :class:`Refusal` for what is none."""
    query = parse_query(request.target.partition("?")[2])
    if request.method == "GET":
        return Form(query, {}, {})
    kind = request.headers.get("Content-Type", "")
    if kind.lower().startswith("multipart/form-data"):
        return Form(*uploads.form(request), query)
    try:
        return Form(xml_body.load(request.body), {}, query)
    except ValueError as error:
        issue = f"flat XML in one <xml> expected: {error}"
        raise parameters([Problem("/", issue[:300])]) from None
