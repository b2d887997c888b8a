"""``docs/cli.md``: the help of every command, as it is printed.

python -m wechatpay_chain.cli.manual [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from .program import COMMANDS, program

#: Columns of the help, so that it is the same in every terminal.
WIDTH = 80
PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
_MARK = "<!-- Below: python -m wechatpay_chain.cli.manual -->\n"


def manual() -> str:
    """The generated part of the page."""
    context = _context(program, "wxpay", None)
    parts = [_MARK, "## Commands\n", _block(program.get_help(context))]
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        parts += _pages(command, name, context)
    return "\n".join(parts)


def _pages(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    """The help of *command*, and of the commands below it."""
    context = _context(command, name, parent)
    yield f"### {context.command_path}\n"
    yield _block(command.get_help(context))
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from _pages(found, inner, context)


def _context(
    command: click.Command, name: str, parent: click.Context | None
) -> click.Context:
    return click.Context(
        command, parent, name, terminal_width=WIDTH, help_option_names=["-h", "--help"]
    )


def _block(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return f"```text\n{lines}\n```\n"


def page(text: str) -> str:
    """*text*, the page as it is, with its generated part made anew."""
    return text.partition(_MARK)[0] + manual()


def main() -> int:
    """Write the page, or with ``--check`` say whether it is up to date."""
    now = PAGE.read_text("utf-8")
    made = page(now)
    if sys.argv[1:] == ["--check"]:
        if made != now:
            click.echo(f"{PAGE} is old: python -m wechatpay_chain.cli.manual", err=True)
        return int(made != now)
    PAGE.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
