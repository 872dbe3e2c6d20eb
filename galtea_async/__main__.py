"""Runs the command line as `python -m galtea_async`."""

from __future__ import annotations

import sys

from galtea_async.cli.main import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
