"""The documentation of the control API, made from its table.

``python -m wechatpay_chain.sandbox.control.page`` prints it; ``--write`` writes it into
the checkout that it is run from.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .api import PREFIX
from .commands import Command, table

if TYPE_CHECKING:
    from ..gateway import Gateway

#: Where it stands in the checkout.
PAGE = "docs/control-api.md"

#: After this line all is made.
_MARK = "| command | takes | |\n| --- | --- | --- |\n"


def page(text: str, gateway: Gateway) -> str:
    """The page that stands as *text*, with the present table."""
    head, mark, _ = text.partition(_MARK)
    return head + mark + "".join(_row(command) for command in table(gateway))


def _row(command: Command) -> str:
    takes = ", ".join(
        f"`{one.name}`" if one.required else f"[`{one.name}`]"
        for one in command.parameters
    )
    rest = ", ..." if takes and command.open_ended else ""
    about = command.about.replace("|", "\\|")
    return f"| `{command.method} {PREFIX}{command.path}` | {takes}{rest} | {about} |\n"


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
