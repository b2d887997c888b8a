"""The control API under ``/_sandbox/``: commands, views, and what they may set."""
