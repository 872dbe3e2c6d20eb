"""How PandaProbe words its refusals.

Two statuses mean two things each, and the shape of the body tells which:

| status | body                                              | means                                      |
|--------|---------------------------------------------------|--------------------------------------------|
| 422    | `{"detail": "..."}`                               | a rule is broken, as by an unknown metric  |
| 422    | `{"detail": "Validation error", "errors": [...]}` | fields have a wrong form; it says which    |
| 429    | `{"error": "Rate limit exceeded: ..."}`           | too soon: wait, and send it again          |
| 429    | `{"detail": "..."}`, without `Retry-After`        | the quota is used up: to wait is of no use |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from galtea_async.errors import ApiError, NotFoundError, PaymentRequiredError, RequestBlockedError
from galtea_async.http.dialect import Dialect
from galtea_async.http.exchange import Answer
from galtea_async.http.usual_refusal import is_html, json_object, kind_by_status, plain_text

__all__ = ["PANDAPROBE_DIALECT"]

_MOST_FIELDS: Final = 5
"""So many wrong fields are named; there can be one for each id."""


def _kind_of(answer: Answer) -> tuple[type[ApiError], str | None]:
    if answer.status < 400:
        return ApiError, "redirects are not followed: check base_url"
    if answer.status == 429 and _is_about_quota(answer):
        return PaymentRequiredError, None
    if answer.status == 403 and is_html(answer):
        return RequestBlockedError, None
    if answer.status == 404 and _is_about_route(answer):
        return NotFoundError, "there is no such route: check base_url"
    return kind_by_status(answer.status), None


def _message_of(answer: Answer) -> str:
    said = json_object(answer) or {}
    wrong = list(_wrong_fields(said))
    texts = [said.get(name) for name in ("detail", "error", "message")]
    summary = next((text for text in texts if isinstance(text, str) and text.strip()), None)
    if not wrong:
        return plain_text(answer) if summary is None else summary
    more = f"; and {len(wrong) - _MOST_FIELDS} more" if len(wrong) > _MOST_FIELDS else ""
    return f"{summary or 'Validation error'}: {'; '.join(wrong[:_MOST_FIELDS])}{more}"


def _is_about_quota(answer: Answer) -> bool:
    return isinstance((json_object(answer) or {}).get("detail"), str) and "retry-after" not in answer.headers


def _is_about_route(answer: Answer) -> bool:
    return is_html(answer) or (json_object(answer) or {}).get("detail") == "Not Found"


def _wrong_fields(said: dict[str, object]) -> Iterator[str]:
    """Say of each wrong field what is wrong, in the service's own form or in that of its documents."""
    listed = said.get("errors") or said.get("detail")
    for item in cast(list[object], listed) if isinstance(listed, list) else ():
        if isinstance(item, dict):
            problem = cast(dict[str, object], item)
            place = _place(problem.get("field", problem.get("loc")))
            message = problem.get("message", problem.get("msg"))
            yield f"{place}: {message}" if place else str(message)


def _place(field: object) -> str:
    if isinstance(field, list):
        return " -> ".join(str(step) for step in cast(list[object], field) if step != "body")
    return field if isinstance(field, str) else ""


PANDAPROBE_DIALECT: Final = Dialect(kind_of=_kind_of, message_of=_message_of)
"""Reads the refusals of PandaProbe."""
