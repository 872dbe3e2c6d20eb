"""Puts together what the bulk helpers need of Galtea. A job waits for its turn, as long as it takes."""

from __future__ import annotations

from galtea_async.bulk.provider import JobSettings
from galtea_async.galtea.batches import GalteaBatches
from galtea_async.galtea.evaluations import Evaluations
from galtea_async.galtea.expected_metrics import ExpectedMetrics
from galtea_async.galtea.listings import Listings
from galtea_async.galtea.ownership import Ownership
from galtea_async.galtea.run_batches import GalteaRunBatches
from galtea_async.http.channel import Channel

__all__ = ["batch_service", "run_service"]


def batch_service(channel: Channel, base_url: str, settings: JobSettings) -> GalteaBatches:
    """Return what submits batches and finds them again."""
    patient = channel.patient()
    listings = Listings(patient, base_url)
    return GalteaBatches(
        target=base_url,
        channel=patient,
        endpoint=Evaluations(patient, listings.evaluations()),
        sessions=listings.sessions(),
        evaluations=listings.evaluations(),
        ownership=Ownership(patient, listings.runs(), listings.sessions()),
        expected=ExpectedMetrics(listings.metrics(), settings),
        settings=settings,
    )


def run_service(channel: Channel, base_url: str, settings: JobSettings, token: str) -> GalteaRunBatches:
    """Return what submits sessions one by one into a run of the job's own, and finds them again."""
    patient = channel.patient()
    listings = Listings(patient, base_url)
    return GalteaRunBatches(
        target=base_url,
        channel=patient,
        evaluations=listings.evaluations(),
        runs=listings.runs(),
        expected=ExpectedMetrics(listings.metrics(), settings),
        settings=settings,
        token=token,
    )
