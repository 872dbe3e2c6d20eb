"""Who may use the console: programs on the same machine, and pages that the emulator itself has served.

A browser on the machine runs pages of strangers, which reach local ports as well. Such a request names the
stranger's page as its `Origin`, or, where a stranger's name has been made to point to this machine, as its
`Host`.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["is_loopback", "may_use"]


def is_loopback(host: str) -> bool:
    """Whether an address or a name means this machine, and only this machine can reach it."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower() == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def may_use(request: web.Request) -> bool:
    """Whether a request comes from this machine, and not from a stranger's page in a browser."""
    origin = request.headers.get("Origin")
    return (
        is_loopback(request.remote or "")
        and is_loopback(_name(f"//{request.host}"))
        and (origin is None or origin == f"http://{request.host}")
    )


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
