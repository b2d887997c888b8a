"""Which host names are this machine, and no other can be behind."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether *host*, a name or an address, is this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("sandbox.example")
    (True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
