"""Bring recorded conversations in, each exactly once."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

from galtea_async.bulk.arguments import (
    check_callback,
    check_client,
    check_open,
    check_options,
    checked_path,
)
from galtea_async.bulk.session_import.intake import ImportIntake, SessionInputs, checked_inputs
from galtea_async.bulk.session_import.journal import ImportJournal
from galtea_async.bulk.session_import.outcome import ImportOutcome
from galtea_async.bulk.session_import.progress import ImportProgressCallback
from galtea_async.bulk.session_import.provider import ImportClient
from galtea_async.bulk.session_import.report import ImportReport
from galtea_async.bulk.session_import.run import ImportRun
from galtea_async.settings import ReconcilePolicy

__all__ = ["create_sessions"]


async def create_sessions(
    client: ImportClient,
    inputs: SessionInputs,
    *,
    journal: str | PathLike[str] | None = None,
    retry_failed: bool = False,
    reconcile: ReconcilePolicy = ReconcilePolicy(),  # noqa: B008  frozen
    progress: ImportProgressCallback | None = None,
    on_outcome: Callable[[ImportOutcome], object] | None = None,
) -> ImportReport:
    """Create any number of sessions, with their turns, each exactly once.

    Each session goes out in a request of its own (POST /sessions), as many at once as the client allows. The
    custom id makes it safe: the service refuses a second session with the same one, and after a lost answer
    the session is looked up by it. An input without a custom id gets one that is derived from its content.

    A session with turns is created open, its turns are added in one request (POST /inferenceResults/batch),
    and then it gets its status: the one of the input, or COMPLETED. After a lost answer its turns are counted
    and only what is missing is sent. A session that was there before is left as it is; so import with turns
    wants a journal, without which a session that a crash left without its turns is taken for such a one.

    Inputs that the service refuses harm no others. 401, 403 and out of credits end the import at once.

    Args:
        client: An open client.
        inputs: Any iterable or async iterable of inputs; it is read as the import proceeds, never held in
            memory. An input that comes again is one session.
        journal: The path of a SQLite file. Calling again with it and the same inputs continues the import:
            what was decided is kept, lost answers are looked up first. `None` uses a temporary one.
        retry_failed: Also send the inputs again that failed in an earlier run of the journal.
        reconcile: How long lost answers are looked for where the custom id alone does not make sure.
        progress: Gets an `ImportProgress` ten times a second at most, and every few seconds at least.
        on_outcome: Gets an `ImportOutcome`, with custom id and session id, for each input that this call
            sees to its outcome, in completion order and once the journal has it. Called in the event loop.

    Returns:
        The account of the import; of a continued journal, over all its runs.

    Raises:
        InvalidRequestError: The arguments cannot be right, and nothing was sent; or something in the inputs
            cannot, such as two with one custom id and different content, and what was sent before is in the
            journal.
        LifecycleError: The client is not open; nothing was sent.
        JournalError: The journal cannot be used.
        JournalMismatchError: It belongs to another service, or to an evaluation.
        BulkImportError: The import ended early; carries the report and can be continued.

    Example:
        >>> chats = [
        ...     SessionInput(
        ...         version_id=version_id,
        ...         custom_id=f"chat-{number}",
        ...         turns=[Turn(role="user", content="Hello"), Turn(role="assistant", content="Hi!")],
        ...     )
        ...     for number in range(3)
        ... ]
        >>> report = await create_sessions(galtea, chats, journal=path / "import.db")
        >>> report.sessions_created, report.requests
        (3, 9)
        >>> (await create_sessions(galtea, chats, journal=path / "import.db")).requests
        9
    """
    intake = ImportIntake(checked_inputs(inputs))
    path = None if journal is None else checked_path(journal)
    check_options(retry_failed=retry_failed, reconcile=reconcile, progress=progress)
    check_callback("on_outcome", on_outcome)
    check_client(
        client,
        ImportClient,
        "create_sessions is for Galtea: it needs an open AsyncGaltea",
        advice="at PandaProbe a session comes into being with its first trace: use traces.create",
    )
    service = client.import_service()
    check_open(service.gauge)
    store = await ImportJournal(path, service.target).open()
    run: ImportRun | None = None
    try:
        if retry_failed:
            await store.reopen_failed()
        run = ImportRun(
            service=service,
            journal=store,
            intake=intake,
            policy=reconcile,
            progress=progress,
            on_outcome=on_outcome,
        )
        await run.execute()
        return run.report()
    finally:
        await store.close(
            requests=service.gauge.requests,
            retries=service.gauge.retries,
            elapsed=0.0 if run is None else run.elapsed,
        )
