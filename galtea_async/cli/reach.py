"""Who can reach an emulator, by the address on which it listens."""

from __future__ import annotations

from enum import Enum
from ipaddress import ip_address

from galtea_async.emulator.console.neighbours import is_loopback

__all__ = ["Reach", "reach_of"]


class Reach(Enum):
    """Who can reach it, in a sentence.

    The status page is for the machine itself, at a loopback address, so it is promised only where there is
    one.
    """

    THIS_MACHINE = "Only this machine can reach it; a browser shows its state at this address."
    ALL_ADDRESSES = (
        "It listens on all addresses of this machine; a browser on this machine shows its state at this one."
    )
    ONE_ADDRESS = "It listens on this address alone."


def reach_of(host: str) -> Reach:
    """Say who can reach what listens on a host.

    Example:
        >>> reach_of("::1").name, reach_of("0.0.0.0").name, reach_of("192.168.0.7").name
        ('THIS_MACHINE', 'ALL_ADDRESSES', 'ONE_ADDRESS')
    """
    if is_loopback(host):
        return Reach.THIS_MACHINE
    return Reach.ALL_ADDRESSES if _is_unspecified(host) else Reach.ONE_ADDRESS


def _is_unspecified(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return host == ""
