"""Faults as arguments."""

from __future__ import annotations

from argparse import ArgumentTypeError

from galtea_async.emulator import Fault, fault_from_text

__all__ = ["fault"]


def fault(text: str) -> Fault:
    """Read a fault for `ArgumentParser.add_argument(type=...)`.

    Raises:
        ArgumentTypeError: It is none; argparse tells the user.
    """
    try:
        return fault_from_text(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
