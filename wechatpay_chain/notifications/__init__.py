"""Notifications (回调通知): reading what WeChat Pay posts, and what to answer.

``client.notifications.parse(headers, body)`` verifies and decrypts; :class:`Router`
finds the handler of an event; :class:`Answer` is what to send back. Nothing here knows
a web framework.
"""

from .answers import Answer, accept, refuse
from .notification import Notification, Version
from .reading import Notifications
from .routing import Handler, Router

__all__ = [
    "Answer",
    "Handler",
    "Notification",
    "Notifications",
    "Router",
    "Version",
    "accept",
    "refuse",
]
