"""A run that is about to be opened: awaited for the run, or entered for a block that belongs to it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, final
from uuid import uuid4

from attrs import define, field

from galtea_async.errors import BadRequestError, ConflictError, LifecycleError, NotFoundError
from galtea_async.galtea.clean_up import clean_up
from galtea_async.galtea.current_run import enclosed_in_run
from galtea_async.galtea.listing import Listing
from galtea_async.galtea.run_life import close_run, open_run, opened_run
from galtea_async.http.channel import Channel
from galtea_async.http.requests import object_call
from galtea_async.models.run import Run, RunInput

__all__ = ["RunStart"]


@final
@define(kw_only=True, eq=False, repr=False)
class RunStart:
    """What `runs.start` returns. Nothing is sent before it is awaited or entered.

    Example:
        >>> start = galtea.runs.start(product_id)
        >>> run = await start
        >>> await start
        Traceback (most recent call last):
        galtea_async.errors.LifecycleError: this run was started already -> call galtea.runs.start again...
    """

    _channel: Channel = field(alias="channel")
    _listing: Listing[Run] = field(alias="listing")
    _wanted: RunInput = field(alias="wanted")
    _is_custom_id_made_up: bool = field(alias="is_custom_id_made_up")
    _is_started: bool = field(default=False, init=False)
    _run: Run | None = field(default=None, init=False)
    _enclosure: AbstractContextManager[None] | None = field(default=None, init=False)

    @classmethod
    def of(
        cls,
        channel: Channel,
        listing: Listing[Run],
        *,
        product_id: str,
        version_id: str | None,
        custom_id: str | None,
    ) -> Self:
        """Check what is wanted, and make up a custom id where the caller has none.

        Raises:
            InvalidRequestError: An id is none.
        """
        token = f"galtea-async-{uuid4().hex}" if custom_id is None else custom_id
        wanted = RunInput(product_id=product_id, version_id=version_id, custom_id=token)
        return cls(channel=channel, listing=listing, wanted=wanted, is_custom_id_made_up=custom_id is None)

    def __await__(self) -> Generator[Any, None, Run]:
        return self._open().__await__()

    async def __aenter__(self) -> Run:
        """Open the run, and let what is created in the block belong to it."""
        try:
            run = await self._open()
        except asyncio.CancelledError as error:
            if self._is_custom_id_made_up and self._is_started:
                await clean_up(self._close_unseen, purpose="close the run", leaving=error)
            raise
        self._run, self._enclosure = run, enclosed_in_run(run.id)
        self._enclosure.__enter__()
        return run

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the run; nothing belongs to it any more."""
        assert self._enclosure is not None, "a block is entered before it is left"
        assert self._run is not None, "a block is entered before it is left"
        try:
            await clean_up(self._close, purpose=f"close run {self._run.id}", leaving=error)
        finally:
            self._enclosure.__exit__(kind, error, traceback)

    async def _open(self) -> Run:
        if self._is_started:
            raise LifecycleError(
                "this run was started already", advice="call galtea.runs.start again for another one"
            )
        self._is_started = True
        return await open_run(self._channel, self._listing, self._wanted)

    async def _close(self) -> None:
        """Close the run, unless it was closed or deleted inside of the block."""
        assert self._run is not None, "only what was opened is closed"
        try:
            await close_run(self._channel, self._run.id)
        except NotFoundError:
            return
        except (BadRequestError, ConflictError):
            if not await self._has_ended(self._run.id):
                raise

    async def _close_unseen(self) -> None:
        """Close the run that may have been opened by a request whose answer nobody waited for."""
        self._run = await opened_run(self._listing, self._wanted)
        if self._run is not None:
            await self._close()

    async def _has_ended(self, id_: str) -> bool:
        run = await self._channel.send(object_call("GET", "/runs/{id}", Run, ids={"id": id_}))
        return run.status is not None and run.status.is_ended
