"""Tables and progress, as a terminal shows them, and what a pipe gets of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from unicodedata import east_asian_width

import click

#: Seconds between two looks of progress.
_PAUSE = 0.1


def width(text: str) -> int:
    """The columns that *text* takes: a Chinese character takes two.

    >>> width("a 账单")
    6
    """
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in click.unstyle(text))


def table(rows: Sequence[Sequence[str]], heads: Sequence[str] = ()) -> str:
    """Rows in columns; *heads* are for people, and so for a terminal alone."""
    lines = [list(row) for row in rows]
    if heads and sys.stdout.isatty():
        lines.insert(0, [click.style(head, bold=True) for head in heads])
    if not lines:
        return ""
    wide = [max(width(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            text + " " * (columns - width(text)) for text, columns in zip(line, wide)
        ).rstrip()
        for line in lines
    )


def size(count: int) -> str:
    """Bytes for people.

    >>> size(999), size(1_530_000)
    ('999 B', '1.5 MB')
    """
    number, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


class Meter:
    """Shows on stderr how much of a download has arrived, where that is a terminal."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._shown = 0.0
        self._on = sys.stderr.isatty()

    def __call__(self, done: int, total: int | None) -> None:
        """Tell of *done* bytes."""
        now = time.monotonic()
        if not self._on or (now - self._shown < _PAUSE and done != total):
            return
        self._shown = now
        text = f"{self._label}  {size(done)}"
        if total:
            text += f" of {size(total)}, {done * 100 // total} %"
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)

    def end(self) -> None:
        """Take the line away."""
        if self._on and self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)
