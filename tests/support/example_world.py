"""What the documentation's examples find: an emulator of each service, with five sessions."""

from __future__ import annotations

import asyncio
import datetime
import importlib
import threading
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import attrs

import galtea_async
from galtea_async import AsyncGaltea, AsyncPandaProbe
from galtea_async.emulator import GalteaEmulator, PandaProbeEmulator

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path
    from types import ModuleType

__all__ = [
    "ExampleWorld",
    "example_world",
    "example_world_in_a_thread",
    "names_in_docstrings",
    "names_on_pages",
]


@attrs.frozen(kw_only=True)
class ExampleWorld:
    """Running emulators, the ids of what is in them, and a client of PandaProbe."""

    emulator: GalteaEmulator
    product_id: str
    version_id: str
    session_ids: list[str]
    metric_id: str
    panda_emulator: PandaProbeEmulator
    panda_session_ids: list[str]
    panda: AsyncPandaProbe


@asynccontextmanager
async def example_world() -> AsyncGenerator[ExampleWorld]:
    """Start the emulators on the running loop, and fill them."""
    async with (
        GalteaEmulator() as emulator,
        PandaProbeEmulator() as panda_emulator,
        AsyncPandaProbe(
            panda_emulator.api_key,
            project_name=panda_emulator.project_name,
            base_url=panda_emulator.url,
        ) as panda,
    ):
        product_id = await emulator.add_product()
        accuracy = await emulator.add_metric(product_id=product_id, name="accuracy")
        await emulator.add_specification(product_id, metric_ids=[accuracy])
        version_id = await emulator.add_version(product_id=product_id, sessions=5)
        yield ExampleWorld(
            emulator=emulator,
            product_id=product_id,
            version_id=version_id,
            session_ids=list(await emulator.session_ids(version_id)),
            metric_id=await emulator.add_metric(product_id=product_id, name="Politeness"),
            panda_emulator=panda_emulator,
            panda_session_ids=await panda_emulator.add_sessions(5),
            panda=panda,
        )


@contextmanager
def example_world_in_a_thread() -> Generator[ExampleWorld]:
    """Start an emulator on a loop of its own in a thread, for scripts that call `asyncio.run` themselves."""
    ready: Future[tuple[ExampleWorld, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with example_world() as world:
            ready.set_result((world, asyncio.get_running_loop(), stop))
            await stop.wait()

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=work, name="emulator")
    thread.start()
    try:
        world, loop, stop = ready.result(timeout=10)
        try:
            yield world
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()


def names_on_pages(world: ExampleWorld, galtea: AsyncGaltea, path: Path) -> dict[str, Any]:
    """The names that the blocks of a page may use without defining them."""
    return {
        "__name__": "__main__",
        "galtea": galtea,
        "product_id": world.product_id,
        "version_id": world.version_id,
        "session_ids": world.session_ids,
        "metric_id": world.metric_id,
        "path": path,
    }


def names_in_docstrings(module: str, world: ExampleWorld, galtea: AsyncGaltea, path: Path) -> dict[str, Any]:
    """Those of a page, the emulators, and what `galtea_async` and the docstring's own module export."""
    return {
        **names_on_pages(world, galtea, path),
        **_exported_by(galtea_async),
        **_exported_by(importlib.import_module(module)),
        "asyncio": asyncio,
        "datetime": datetime,
        "emulator": world.emulator,
        "panda": world.panda,
        "panda_emulator": world.panda_emulator,
        "panda_session_ids": world.panda_session_ids,
    }


def _exported_by(module: ModuleType) -> dict[str, Any]:
    return {name: getattr(module, name) for name in module.__all__}
