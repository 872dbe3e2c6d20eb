"""The service that a command is about, from its options and the environment."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from galtea_async import AsyncGaltea, AsyncPandaProbe
from galtea_async.cli.number import whole_number

__all__ = ["KEYS", "add_service_options", "chosen_client"]

KEYS: Final = """\
The key is read from GALTEA_API_KEY, the address of the service from GALTEA_API_URL; those of PandaProbe from
PANDAPROBE_API_KEY and PANDAPROBE_ENDPOINT, and the name of its project from PANDAPROBE_PROJECT_NAME.
"""


def add_service_options(parser: ArgumentParser) -> None:
    """Add the options that say which service is asked, and by how many requests at once."""
    add = parser.add_argument
    add("--service", choices=("galtea", "pandaprobe"), default="galtea", help="which service (galtea)")
    add(
        "--concurrency",
        type=whole_number(least=1),
        metavar="N",
        help="requests in flight at once (16; 4 for pandaprobe)",
    )


def chosen_client(arguments: Namespace) -> AsyncGaltea | AsyncPandaProbe:
    """Return a client of the service, not yet open.

    Raises:
        ConfigurationError: The environment lacks its key, or something in it makes no sense.
    """
    if arguments.service == "pandaprobe":
        return AsyncPandaProbe(max_concurrency=arguments.concurrency or 4)
    return AsyncGaltea(max_concurrency=arguments.concurrency or 16)
