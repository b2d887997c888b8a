"""The words behind a status, for the doors that have to say some."""

from __future__ import annotations

from http import HTTPStatus


def reason(status: int) -> str:
    """What a status line says after the number.

    >>> reason(404), reason(499)
    ('Not Found', 'Unknown')
    """
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
