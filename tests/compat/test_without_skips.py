"""The plugin that keeps a run of these suites from being green because nothing was tried."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent.parent
_TRIED = "def test_it():\n    pass\n"
_MODULE_SKIPPED = f'import pytest\n\npytest.importorskip("a_client_that_nobody_has")\n\n\n{_TRIED}'
_TEST_SKIPPED = f'import pytest\n\n\n@pytest.mark.skip(reason="no client")\n{_TRIED}'
_FAILURE_EXPECTED = "import pytest\n\n\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"


def run(folder: Path, *options: str, **files: str) -> tuple[int, str]:
    """Run pytest over a folder of its own; its exit status, and what it has printed."""
    for name, source in files.items():
        (folder / f"test_{name}.py").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            *options,
            str(folder),
        ],
        env={"PATH": os.defpath, "PYTHONPATH": str(_TESTS), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("source", [_MODULE_SKIPPED, _TEST_SKIPPED], ids=["a module", "a test"])
def test_what_is_skipped_has_failed(source: str, tmp_path: Path) -> None:
    """Beside a test that passes, it makes the run fail and says why; without the plugin the run is green."""
    assert run(tmp_path, skipped=source, tried=_TRIED)[0] == 0
    status, printed = run(tmp_path, "-p", "compat.without_skips")
    assert status != 0
    assert "skipped, which is a failure here" in printed


@pytest.mark.slow
def test_what_is_tried_stays_as_it_is(tmp_path: Path) -> None:
    """A test that passes, and one whose failure is expected, are no skips."""
    status, printed = run(tmp_path, "-p", "compat.without_skips", tried=_TRIED, expected=_FAILURE_EXPECTED)
    assert (status, "1 passed, 1 xfailed" in printed) == (0, True)
