"""Takes each safeguard of `mutations.py` away in a copy of the package, and insists that tests then fail.

    PYTHONPATH=tests python -m mutants.run [words of names]

Exits with 1 if a mutation survives, if one breaks so much that no test can even run, or if the tests fail
without any.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from mutants.mutations import MUTATIONS, Mutation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["main"]

ROOT: Final = Path(__file__).parents[2]
PARTS: Final = ("galtea_async", "tests", "pyproject.toml")
PASSED, FAILED = 0, 1
"""What pytest returns; anything else means that the tests could not be run."""

LONGEST_RUN: Final = 300.0
"""Seconds after which a run of a few tests hangs."""


def main(words: Sequence[str]) -> int:
    """Try all mutations, or those with one of the words in their names; returns the exit code."""
    chosen = [mutation for mutation in MUTATIONS if not words or any(word in mutation.name for word in words)]
    if not chosen:
        say(f"no mutation has {' or '.join(words)} in its name")
        return 1
    with TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        copy_project(copy)
        check_that_the_copy_is_tested(copy)
        code, said = run_tests(copy, dict.fromkeys(test for mutation in chosen for test in mutation.tests))
        if code != PASSED:
            say(f"the tests do not pass without any mutation:\n{said}")
            return 1
        say(f"{'mutation':<28} {'verdict':<9} {'seconds':>7}  the safeguard that it removes")
        killed = [is_killed(mutation, copy) for mutation in chosen]
        return int(not all(killed))


def copy_project(copy: Path) -> None:
    """Copy what the tests need; the checkout itself is never changed."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, copy / part)


def check_that_the_copy_is_tested(copy: Path) -> None:
    """Refuse to go on where Python imports another copy of the package, which no mutation would reach."""
    program = "import galtea_async; print(galtea_async.__file__)"
    imported = subprocess.check_output(
        [sys.executable, "-c", program], cwd=copy, env=environment(copy), text=True
    )
    if not Path(imported.strip()).resolve().is_relative_to(copy.resolve()):
        raise RuntimeError(f"the tests would run against {imported.strip()}, and not against the copy")


def is_killed(mutation: Mutation, copy: Path) -> bool:
    """Apply a mutation, run its tests, restore the file; prints a line of the table."""
    file = copy / "galtea_async" / mutation.file
    original = file.read_text()
    if original.count(mutation.old) != 1:
        found = f"occurs {original.count(mutation.old)} times in {mutation.file}, and not once"
        raise RuntimeError(f"{mutation.name!r} is out of date: {mutation.old!r} {found}")
    began = time.monotonic()
    file.write_text(original.replace(mutation.old, mutation.new))
    try:
        code, said = run_tests(copy, mutation.tests)
    finally:
        file.write_text(original)
    verdict = {PASSED: "SURVIVED", FAILED: "killed"}.get(code, "BROKEN")
    seconds = time.monotonic() - began
    say(f"{mutation.name:<28} {verdict:<9} {seconds:7.1f}  {mutation.removes}")
    if verdict == "BROKEN":
        say(said)
    return verdict == "killed"


def run_tests(copy: Path, tests: Iterable[str]) -> tuple[int, str]:
    """Run tests in the copy until one fails; returns pytest's exit code and what it said."""
    options = ("-q", "-x", "--no-header", "--tb=short", "-p", "no:cacheprovider", "-p", "no:randomly")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=copy,
        env=environment(copy),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_RUN,
        check=False,
    )
    return done.returncode, done.stdout


def environment(copy: Path) -> dict[str, str]:
    """The environment in which Python finds the copy first, and no compiled file of an earlier mutation."""
    return {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
