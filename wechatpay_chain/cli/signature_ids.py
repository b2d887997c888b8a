"""Every mistake in signatures by its fixed id, as ``docs/signatures.md`` lists them.

``python -m wechatpay_chain.cli.signature_ids`` prints the lists; ``--write FILE`` puts
them between the marks in that page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..crypto.candidates import TABLE
from ..crypto.field_mistakes import FIELD_MISTAKES
from ..middleware.explaining_answers import REASONS
from ..sandbox.signatures.diagnosis import MISTAKES, earlier_nonces
from ..sandbox.signatures.diagnosis_v2 import MISTAKES_V2
from .verdict import ANSWER_FINDINGS, FINDINGS

BEGIN = "<!-- begin: python -m wechatpay_chain.cli.signature_ids --write FILE -->"
END = "<!-- end -->"

_PLACEHOLDER = re.compile(r"\{(\w*)(?:![rs])?\}")


def lists() -> str:
    """The lists, in Markdown."""
    texts = {one.id: one.says for one in (*TABLE, earlier_nonces(()))}
    sections: tuple[tuple[str, Mapping[str, str]], ...] = (
        ("A request", {**MISTAKES, **FINDINGS}),
        ("`mistakes`: the text that was signed", texts),
        ("An answer or notification", {**ANSWER_FINDINGS, **REASONS}),
        ("APIv2", MISTAKES_V2),
        ("`mistakes` of APIv2: how the sign was made", FIELD_MISTAKES),
    )
    return "\n".join(line for title, ids in sections for line in _table(title, ids))


def _table(title: str, ids: Mapping[str, str]) -> Iterator[str]:
    yield f"### {title}\n"
    yield "| id | |"
    yield "| --- | --- |"
    for identifier, sentence in ids.items():
        yield f"| `{identifier}` | {_plain(sentence)} |"
    yield ""


def _plain(sentence: str) -> str:
    """*sentence* with an ellipsis where values stand, as a cell of a table."""
    text = _PLACEHOLDER.sub("…", sentence)
    return text.replace("|", r"\|").replace("<", "&lt;").replace("*", r"\*")


def put(page: str) -> str:
    """*page* with the lists of today between its marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{lists()}\n{END}{tail}"


def main(arguments: Iterable[str]) -> None:
    """Print the lists, or write them into a page."""
    given = list(arguments)
    if len(given) == 2 and given[0] == "--write":
        page = Path(given[1])
        page.write_text(put(page.read_text("utf-8")), "utf-8")
    else:
        sys.stdout.write(lists())


if __name__ == "__main__":
    main(sys.argv[1:])
