"""The list of benchmarks, and the table of what they measured.

Absolute times depend on the machine and on what else it does, by a factor of two within minutes. So whatever
has a goal is a ratio, and both of its sides are measured alternately in one process; only the emulator, which
is far from its goals, has absolute ones. The client's opposite is a server that does nothing but answer, in
another process, so that the client is what limits the speed.

A missed goal is a line in the table and no failure: speed is judged by people.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from typing import Final

from benchmarks import (
    bulk_pipeline,
    concurrency_with_latency,
    emulator_speed,
    import_time,
    iterate_evaluations,
    million_sessions,
    page_decoding,
    session_create,
    session_import,
    unknown_limit,
)
from benchmarks.measurement import Effort, Measurement

__all__ = ["main"]

BENCHMARKS: Final[dict[str, Callable[[Effort], Iterable[Measurement]]]] = {
    "session-create": session_create.measure,
    "concurrency-with-latency": concurrency_with_latency.measure,
    "page-decoding": page_decoding.measure,
    "iterate-evaluations": iterate_evaluations.measure,
    "bulk-pipeline": bulk_pipeline.measure,
    "million-sessions": million_sessions.measure,
    "unknown-limit": unknown_limit.measure,
    "session-import": session_import.measure,
    "emulator": emulator_speed.measure,
    "import-time": import_time.measure,
}


def main() -> None:
    """Run what the arguments name, or all of it."""
    parser = ArgumentParser(description="Measure speed and memory of galtea_async.")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run, and not how fast")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; all by default"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    rows = [("what", "measured", "goal", "")]
    for name in arguments.names or BENCHMARKS:
        print(f"{name} ...", flush=True)
        rows += [measurement.row() for measurement in BENCHMARKS[name](Effort(quick=arguments.quick))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    note = "Sizes are too small to judge anything by.\n" if arguments.quick else ""
    print(f"\n{note}")
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
