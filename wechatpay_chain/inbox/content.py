"""A notification as text, to be handled by another process or another day."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import fields
from datetime import datetime
from typing import Any

from ..notifications import Notification


def dump(notification: Notification) -> str:
    """Plain ASCII, for every database holds that."""
    # Not asdict: that copies the resource, which may be large.
    data = {field.name: getattr(notification, field.name) for field in _FIELDS}
    created = notification.create_time
    data["create_time"] = None if created is None else created.isoformat()
    data["raw"] = b64encode(notification.raw).decode()
    data["envelope"] = dict(notification.envelope)
    return json.dumps(data, separators=(",", ":"))


def load(text: str) -> Notification:
    """What :func:`dump` was given."""
    data: dict[str, Any] = json.loads(text)
    created = data["create_time"]
    data["create_time"] = None if created is None else datetime.fromisoformat(created)
    data["raw"] = b64decode(data["raw"])
    return Notification(**data)


_FIELDS = fields(Notification)
