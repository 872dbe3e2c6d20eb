"""How sessions are brought to Galtea, and found again.

A session goes out with POST /sessions, its turns with POST /inferenceResults/batch, and its status, once the
turns are there, with PATCH /sessions/{id}: adding a turn opens a session again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from attrs import define, evolve, field

from galtea_async.bulk.session_import.provider import FoundSession
from galtea_async.galtea.listing import Listing
from galtea_async.galtea.listings import Listings
from galtea_async.galtea.session_creation import in_enclosing_run
from galtea_async.http.channel import Channel
from galtea_async.http.gauge import JobGauge
from galtea_async.http.meter import metered
from galtea_async.http.priority import urgently
from galtea_async.http.requests import list_answer_call, object_call
from galtea_async.models.converter import unstructure
from galtea_async.models.inference_result import InferenceResult
from galtea_async.models.session import Session, SessionStatus
from galtea_async.models.session_input import SessionInput
from galtea_async.models.turn import Turn

__all__ = ["GalteaSessionImport", "import_service"]


@final
@define(kw_only=True)
class GalteaSessionImport:
    """Galtea as an import sees it.

    Args:
        target: The base URL.
        channel: The way to the service.
        sessions: Its sessions.
        inference_results: Their turns.
    """

    target: str
    channel: Channel
    sessions: Listing[Session]
    inference_results: Listing[InferenceResult]
    gauge: JobGauge = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin to count."""
        self.gauge = JobGauge(self.channel)

    async def create(self, wanted: SessionInput) -> str:
        """Create a session (POST /sessions); one with turns is left open for them."""
        bare = evolve(wanted, turns=(), status=SessionStatus.PENDING) if wanted.turns else wanted
        with metered(self.gauge.meter):
            call = object_call("POST", "/sessions", Session, body=unstructure(in_enclosing_run(bare)))
            return (await self.channel.send(call)).id

    async def find(self, wanted: SessionInput) -> FoundSession | None:
        """Look for a session by its custom id, on its version or else on its product (GET /sessions)."""
        anchor = "version_ids" if wanted.version_id else "product_ids"
        filters = {"custom_ids": wanted.custom_id, anchor: wanted.version_id or wanted.product_id}
        with metered(self.gauge.meter), urgently():
            listed = await self.sessions.page(filters)
        found = [
            FoundSession(session.id, None if session.created_at is None else session.created_at.timestamp())
            for session in listed
            if session.custom_id == wanted.custom_id
        ]
        return max(found, key=lambda session: session.created_at or 0.0, default=None)

    async def add_turns(self, session_id: str, turns: Sequence[Turn]) -> None:
        """Add turns to a session (POST /inferenceResults/batch)."""
        body: dict[str, object] = {
            "sessionId": session_id,
            "conversationTurns": [turn.message() for turn in turns],
        }
        with metered(self.gauge.meter):
            await self.channel.send(list_answer_call("/inferenceResults/batch", InferenceResult, body))

    async def count_turns(self, session_id: str) -> int:
        """Count the turns of a session (GET /inferenceResults); a result has what one or both sides said."""
        with metered(self.gauge.meter), urgently():
            return sum(
                [
                    (result.input is not None) + (result.actual_output is not None)
                    async for result in self.inference_results.rows({"session_ids": session_id})
                ]
            )

    async def close(self, session_id: str, wanted: SessionInput) -> None:
        """Give a session its status (PATCH /sessions/{id}): the wanted one, or else COMPLETED."""
        status = wanted.status or SessionStatus.COMPLETED
        if status is SessionStatus.PENDING:
            return
        with metered(self.gauge.meter):
            call = object_call(
                "PATCH", "/sessions/{id}", Session, ids={"id": session_id}, body={"status": status}
            )
            await self.channel.send(call)


def import_service(channel: Channel, base_url: str) -> GalteaSessionImport:
    """Return what brings sessions in and finds them again. It waits for its turn, as long as it takes."""
    patient = channel.patient()
    listings = Listings(patient, base_url)
    return GalteaSessionImport(
        target=base_url,
        channel=patient,
        sessions=listings.sessions(),
        inference_results=listings.inference_results(),
    )
