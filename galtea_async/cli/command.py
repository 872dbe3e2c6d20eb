"""What `main` needs to know of a command."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from attrs import frozen

from galtea_async.cli.exit_code import ExitCode

__all__ = ["Command"]


@frozen(kw_only=True)
class Command:
    """A command of the command line.

    Attributes:
        description: What it does, for its help.
        epilog: The end of its help.
        add_arguments: Adds its arguments to its parser.
        run: Runs it. An error of the library leaves it as an exception; `main` prints those.
    """

    description: str
    epilog: str | None = None
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], ExitCode]
