"""The program ``wxpay``: which commands there are, each in a module of its own."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, cast

import click

from .._version import __version__

#: Commands by name; the module of that name has a function ``command``.
COMMANDS = (
    *("demo", "sandbox", "trigger", "listen", "logs", "replay"),
    *("req", "crt", "doctor", "bill", "api", "explain"),
)


class Unread(Exception):
    """Whoever read the output has gone. click has a status of its own for that."""


@contextmanager
def _told() -> Generator[None, None, None]:
    """One line for what is not used rightly, where click has four."""
    try:
        yield
    except BrokenPipeError:
        raise Unread from None
    except click.UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # of click 8.2 and later
            raise
        where = error.ctx.command_path if error.ctx is not None else "wxpay"
        text = " ".join(error.format_message().split())
        click.echo(f"{where}: {text} ({where} --help)", err=True)
        raise SystemExit(error.exit_code) from None


class Commands(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{cmd_name}", __package__)
        if not gc.isenabled():  # see main
            gc.freeze()
            gc.enable()
        return cast(click.Command, module.command)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """The context; ``--help`` is printed while it is made."""
        with _told():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _told():
            return super().invoke(ctx)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wxpay")
def program() -> None:
    """Work with WeChat Pay (微信支付) from the command line."""
