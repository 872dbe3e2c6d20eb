"""Opens, ends and deletes runs, each once, although answers get lost.

A run's `customId` is unique among the runs of its product, so the service itself refuses a second one, and a
run whose answer was lost can be found again. Every run is therefore opened with one, made up where the caller
has none. Ending a run twice is refused, and what has ended is what was wanted; so is what is gone.
"""

from __future__ import annotations

from galtea_async.errors import BadRequestError, ConflictError
from galtea_async.galtea.current_run import leave_run
from galtea_async.galtea.listing import Listing
from galtea_async.http.channel import Channel
from galtea_async.http.lost_answers import delete_surely, send_surely
from galtea_async.http.requests import object_call
from galtea_async.models.converter import unstructure
from galtea_async.models.run import Run, RunInput, RunStatus

__all__ = ["close_run", "delete_run", "open_run", "opened_run"]


async def open_run(channel: Channel, runs: Listing[Run], wanted: RunInput) -> Run:
    """Open a run.

    Raises:
        ConflictError: The product had a run with this custom id before.
        UnknownOutcomeError: No attempt brought a verdict.
    """

    async def look() -> Run | None:
        return await opened_run(runs, wanted)

    call = object_call("POST", "/runs", Run, body=unstructure(wanted))
    return await send_surely(channel, call, look, done_already=(ConflictError,))


async def opened_run(runs: Listing[Run], wanted: RunInput) -> Run | None:
    """Look for a run whose answer was lost. One that has ended, or has something in it, is another one."""
    found = await runs.page({"product_ids": wanted.product_id, "custom_ids": wanted.custom_id})
    return next((run for run in found if run.custom_id == wanted.custom_id and _is_fresh(run)), None)


async def close_run(channel: Channel, id_: str) -> Run:
    """End a run, and let nothing more of the current task belong to it.

    Raises:
        BadRequestError: It had ended before, or the service opened it.
        ConflictError: The same, from a service that says it so.
        UnknownOutcomeError: No attempt brought a verdict.
    """

    async def look() -> Run | None:
        run = await channel.send(object_call("GET", "/runs/{id}", Run, ids={"id": id_}))
        return run if run.status is not None and run.status.is_ended else None

    call = object_call("POST", "/runs/{id}/close", Run, ids={"id": id_})
    closed = await send_surely(channel, call, look, done_already=(BadRequestError, ConflictError))
    leave_run(id_)
    return closed


async def delete_run(channel: Channel, id_: str) -> None:
    """Delete a run, and let nothing more of the current task belong to it.

    Raises:
        NotFoundError: It was not there before.
        UnknownOutcomeError: No attempt brought a verdict.
    """
    await delete_surely(channel, "/runs/{id}", id_)
    leave_run(id_)


def _is_fresh(run: Run) -> bool:
    is_open = run.status in (None, RunStatus.RUNNING)
    return is_open and not run.evaluation_count and not run.session_count
