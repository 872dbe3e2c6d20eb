"""What is checked before a change is merged: `python -m nox`, or one session of it with `-s`."""

from __future__ import annotations

from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["tests", "lint", "types", "docs", "demo", "compat"]

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
EXTRAS = ",".join(PYPROJECT["project"]["optional-dependencies"])


def install(session: nox.Session, *groups: str) -> None:
    """Install the package as a built wheel, with all extras, and dependency groups.

    A wheel and not an editable install: what was forgotten in the packaging then fails here, not at a user's.
    """
    session.install(f".[{EXTRAS}]", *nox.project.dependency_groups(PYPROJECT, *groups))


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests against the installed package, on all cores; arguments after `--` go to pytest."""
    install(session, "tests")
    session.run("pytest", "--numprocesses", "auto", "--dist", "worksteal", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Take the safeguards of "exactly once" away one by one; tests have to fail. Words choose among them."""
    install(session, "tests")
    session.run("python", "-m", "mutants.run", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style and the direction of imports."""
    install(session, "lint")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, and that the public interface is completely typed."""
    install(session, "tests", "types")
    session.install("nox")
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "galtea_async", "--ignoreexternal")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, warnings being errors, and run its examples."""
    install(session, "tests", "docs")
    html = Path(session.create_tmp()) / "html"
    session.run(
        "sphinx-build", "-W", "-n", "--keep-going", "-q", "-E", "-d", f"{html}.cache", "docs", str(html)
    )
    session.run("pytest", "tests/test_documentation.py", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Evaluate a version of 2,500 sessions on the emulator, and show what happened."""
    session.install(".")
    session.run("galtea-async", "demo", *session.posargs)


@nox.session
def compat(session: nox.Session) -> None:
    """Let software by others work against the emulators: official clients, and what tries out an API."""
    install(session, "tests", "compat")
    no_skips = ("-p", "compat.without_skips")  # the suite of a client that is missing is not to be left out
    session.run("pytest", *no_skips, "tests/compat", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed and memory as ratios within one run; arguments after `--` go to the benchmarks."""
    session.install(".")
    session.run("python", "-P", "benchmarks/run.py", *session.posargs)
