"""The house keeps its order: what is public, how long a file is, who imports whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import galtea_async
from galtea_async._homes import HOMES
from support.blocking import PACKAGE_FOLDER
from support.package import public_modules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

FILES = {str(file.relative_to(PACKAGE_FOLDER)): file for file in sorted(PACKAGE_FOLDER.rglob("*.py"))}
MODULES = {module.__name__: module for module in public_modules()}
MOST_LINES = 400

of_each_file = pytest.mark.parametrize("name", FILES)
of_each_public_module = pytest.mark.parametrize("name", MODULES)


@of_each_public_module
def test_a_module_says_what_it_is(name: str) -> None:
    """Every public module opens with a docstring."""
    assert (MODULES[name].__doc__ or "").strip()


@of_each_public_module
def test_a_module_lists_exactly_its_public_names(name: str) -> None:
    """`__all__` is exactly what a module defines in public, or what a package re-exports."""
    module = MODULES[name]
    tree = tree_of(file_of(module))
    is_package = hasattr(module, "__path__")
    expected = set(names_imported(tree) if is_package else names_defined(tree))
    assert set(module.__all__) == {public for public in expected if is_public(public)}
    assert len(module.__all__) == len(set(module.__all__))


@of_each_file
def test_a_file_stays_short(name: str) -> None:
    """A file holds one concept, which has room in 400 lines."""
    assert len(FILES[name].read_text("utf-8").splitlines()) <= MOST_LINES


@of_each_file
def test_only_the_transport_imports_the_client_of_aiohttp(name: str) -> None:
    """Outside `http/` only aiohttp's server and its errors are imported, where a server is at home."""
    imported = {
        module for module in modules_imported(tree_of(FILES[name])) if module.partition(".")[0] == "aiohttp"
    }
    ring = name.partition("/")[0]
    allowed = {
        "http": imported,
        "emulator": {"aiohttp.web", "aiohttp.http_exceptions"},
        "integrations": {"aiohttp.web"},
    }
    assert imported <= allowed.get(ring, set())


def modules_loaded_by(statement: str) -> list[str]:
    """What a fresh interpreter has imported after a statement."""
    probe = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    command = [sys.executable, *(["-P"] if "site-packages" in str(PACKAGE_FOLDER) else []), "-c", probe]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=PACKAGE_FOLDER.parent, timeout=30
    ).stdout.splitlines()


def test_importing_the_package_imports_nothing_of_it() -> None:
    """`import galtea_async` costs next to nothing; what is used is imported when it is."""
    loaded = modules_loaded_by("import galtea_async")
    ours = {module for module in loaded if module.startswith("galtea_async.")}
    assert ours == {"galtea_async._homes", "galtea_async._version"}
    assert "aiohttp" not in loaded


def test_each_public_name_has_its_home() -> None:
    """What type checkers see, what is exported and what is found at run time are the same names."""
    assert {*HOMES, "__version__"} == set(galtea_async.__all__) == set(dir(galtea_async))
    tree = tree_of(file_of(galtea_async))
    assert set(names_imported(tree)) == {*HOMES, "_HOMES", "__version__"}
    with pytest.raises(AttributeError, match="no_such_name"):
        galtea_async.no_such_name  # type: ignore[attr-defined]  # noqa: B018  it is what is tested


def test_a_client_imports_no_more_than_it_needs() -> None:
    """Using a client leaves the emulator, the command line and optional packages alone."""
    loaded = modules_loaded_by("from galtea_async import AsyncGaltea, evaluate_sessions")
    unwanted = (
        "galtea_async.emulator",
        "galtea_async.cli",
        "galtea_async.integrations",
        "galtea_async.results",
        "fastapi",
        "opentelemetry",
        "pandas",
        "polars",
    )
    assert "galtea_async.errors" in loaded
    assert [module for module in loaded if module.startswith(unwanted)] == []


def tree_of(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text("utf-8"))


def file_of(module: ModuleType) -> Path:
    """The file of a module of the package."""
    parts = module.__name__.split(".")[1:]
    folder = PACKAGE_FOLDER.joinpath(*parts)
    return folder / "__init__.py" if hasattr(module, "__path__") else folder.with_suffix(".py")


def is_public(name: str) -> bool:
    """Whether a name is meant for others; the version is public in spite of its underscores."""
    return not name.startswith("_") or name == "__version__"


def names_defined(tree: ast.Module) -> Iterator[str]:
    """The names that a module binds at its top level, other than by importing."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def names_imported(tree: ast.Module) -> Iterator[str]:
    """The names of the package itself that its `__init__` imports, for good or for type checkers."""
    guarded = [inner for node in tree.body if isinstance(node, ast.If) for inner in node.body]
    for node in (*tree.body, *guarded):
        if isinstance(node, ast.ImportFrom) and (
            node.level or (node.module or "").startswith("galtea_async")
        ):
            yield from (alias.asname or alias.name for alias in node.names)


def modules_imported(tree: ast.Module) -> Iterator[str]:
    """The modules imported anywhere in a file, `from aiohttp import web` being an import of `aiohttp.web`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield from (
                f"{node.module}.{alias.name}" if node.module == "aiohttp" else node.module
                for alias in node.names
            )
