"""Runs the benchmarks: `python -m nox -s bench`, or this file where the package is installed.

run.py [--quick] [NAME ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

# The folder above goes last: measured is the package that is installed, if one is.
sys.path.append(str(Path(__file__).parents[1]))

from benchmarks.suite import main

if __name__ == "__main__":  # once more imported, and not run, by the processes that memory is measured in
    main()
