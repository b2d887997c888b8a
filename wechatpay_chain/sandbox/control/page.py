"""The documentation of the control API, made from its table.

``python -m wechatpay_chain.sandbox.control.page`` prints it; ``--write`` writes it into
the checkout that it is run from.
"""

from __future__ import annotations

import inspect
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from ..faults.fault import Fault
from ..faults.kinds import KINDS
from .api import PREFIX
from .commands import Command, table

if TYPE_CHECKING:
    from ..gateway import Gateway

#: Where it stands in the checkout.
PAGE = "docs/control-api.md"

#: After this line all is made.
_MARK = "| command | takes | |\n| --- | --- | --- |\n"

_FAULTS = """
## Kinds of faults

What `POST /_sandbox/faults` takes as `kind`, and as `options`, each with what it is
where it is left out; [faults](faults.md) has more about them.

| `kind` | options | |
| --- | --- | --- |
"""


def page(text: str, gateway: Gateway) -> str:
    """The page that stands as *text*, with the present table."""
    head, mark, _ = text.partition(_MARK)
    commands = "".join(_row(command) for command in table(gateway))
    return head + mark + commands + _FAULTS + "".join(map(_fault, KINDS.values()))


def _row(command: Command) -> str:
    takes = ", ".join(
        f"`{one.name}`" if one.required else f"[`{one.name}`]"
        for one in command.parameters
    )
    rest = ", ..." if takes and command.open_ended else ""
    about = command.about.replace("|", "\\|")
    return f"| `{command.method} {PREFIX}{command.path}` | {takes}{rest} | {about} |\n"


def _fault(kind: type[Fault]) -> str:
    options = ", ".join(
        f"`{one.name}` ({json.dumps(one.default)})" for one in fields(kind)
    )
    about = (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")
    about = about.replace("``", "`").replace("*", "`")
    return f"| `{kind.kind}` | {options} | {about} |\n"


def main() -> None:
    """Print the page, or write it."""
    from ..gateway import Gateway

    file = Path(PAGE)
    text = page(file.read_text(encoding="utf-8"), Gateway(seed=1))
    if "--write" in sys.argv[1:]:
        file.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
