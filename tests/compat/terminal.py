"""The official command line as a process of its own.

Where it is not installed, importing this module skips the module that does so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import attrs
import pytest

__all__ = ["Outcome", "Terminal"]

pytest.importorskip("galtea_cli")

_COMMAND = Path(sys.executable).parent / "galtea"
_SECONDS = 30


@attrs.frozen(kw_only=True)
class Outcome:
    """How a command has ended.

    Attributes:
        status: Its exit status: 0, or 4 and 5 for answers of 4xx and 5xx, or 1.
        output: What it has printed.
        complaints: What it has printed to standard error.
    """

    status: int
    output: str
    complaints: str

    def succeeded(self) -> Self:
        """Insist on its having ended well."""
        assert self.status == 0, f"{self.output}\n{self.complaints}"
        return self

    @property
    def json(self) -> Any:
        """What it has printed, which is the body of the answer."""
        return json.loads(self.output)


@attrs.frozen(kw_only=True)
class Terminal:
    """Runs the command line, with a home of its own.

    Attributes:
        home: The folder for everything that it keeps.
    """

    home: Path

    def run(self, *arguments: str, api_key: str | None = None) -> Outcome:
        """Run a command to its end.

        Args:
            arguments: What follows the name of the program.
            api_key: The key to find in its environment.
        """
        done = subprocess.run(
            [str(_COMMAND), *arguments],
            env=self._environment(api_key),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=_SECONDS,
            check=False,
        )
        return Outcome(status=done.returncode, output=done.stdout, complaints=done.stderr)

    def _environment(self, api_key: str | None) -> dict[str, str]:
        key = {} if api_key is None else {"GALTEA_API_KEY": api_key}
        return {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "GALTEA_CONFIG_DIR": str(self.home / "settings"),
            "GALTEA_CACHE_DIR": str(self.home / "cache"),
            "NO_COLOR": "1",
            **key,
        }
