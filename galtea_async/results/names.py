"""Looks names up by id: many ids a request, each once as long as it is remembered.

The service answers 404 to a list of ids as soon as it does not know one of them, for example because it was
deleted. A refused list is therefore asked for again without the ids that the refusal names, or, where it
names none, in halves.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import anyio
from attrs import define, field

from galtea_async.errors import GalteaError, NotFoundError, RequestBlockedError

__all__ = ["Ask", "Names"]

Ask: TypeAlias = Callable[[Sequence[str]], Awaitable[Mapping[str, str | None]]]
"""Asks for the names of some ids in one request."""

_IDS_A_REQUEST: Final = 40
"""Proxies in front of the service refuse URLs from about 2,300 bytes on."""

_REQUESTS_AT_ONCE: Final = 8


@define
class Names:
    """The names of what has an id.

    Args:
        ask: Asks for the names of up to 40 ids.
        remembered: How many names are kept; those used last are.
    """

    _ask: Ask
    remembered: int = 10_000
    _known: dict[str, str | None] = field(factory=dict[str, str | None], init=False)

    async def of(self, ids: Iterable[str | None]) -> Mapping[str, str | None]:
        """Return the names of ids, looking up those that are not remembered.

        Args:
            ids: The ids; repeats do no harm, and `None` is left out.

        Returns:
            For each of them its name, or `None` where it has none or the service does not know it.

        Raises:
            GalteaError: A look-up failed.
        """
        wanted = dict.fromkeys(id_ for id_ in ids if id_ is not None)
        found = await self._looked_up([id_ for id_ in wanted if id_ not in self._known])
        names = {id_: found[id_] if id_ in found else self._known.pop(id_) for id_ in wanted}
        self._known.update(names)
        for oldest in list(self._known)[: max(0, len(self._known) - self.remembered)]:
            del self._known[oldest]
        return names

    async def _looked_up(self, ids: Sequence[str]) -> dict[str, str | None]:
        found: dict[str, str | None] = dict.fromkeys(ids)
        failures: list[GalteaError] = []
        slots = anyio.Semaphore(_REQUESTS_AT_ONCE)
        async with anyio.create_task_group() as tasks:

            async def look_up(piece: Sequence[str]) -> None:
                async with slots:
                    try:
                        found.update(await self._found(piece))
                    except GalteaError as error:
                        failures.append(error)
                        tasks.cancel_scope.cancel()

            for start in range(0, len(ids), _IDS_A_REQUEST):
                tasks.start_soon(look_up, ids[start : start + _IDS_A_REQUEST])
        if failures:
            raise failures[0]
        return found

    async def _found(self, ids: Sequence[str]) -> dict[str, str | None]:
        """Ask for ids, and again for those that are known where others are not."""
        smaller: list[Sequence[str]] = []
        try:
            return dict(await self._ask(ids))
        except NotFoundError as refusal:
            smaller = _without_named(ids, refusal.message) if len(ids) > 1 else []
        except RequestBlockedError:
            if len(ids) == 1:
                raise
            smaller = _halves(ids)
        return {id_: name for part in smaller for id_, name in (await self._found(part)).items()}


def _without_named(ids: Sequence[str], refusal: str) -> list[Sequence[str]]:
    named = {*re.split(r"[\s,;:'\"\[\]]+", refusal.rstrip("."))}
    others = [id_ for id_ in ids if id_ not in named]
    return [others] if 0 < len(others) < len(ids) else _halves(ids)


def _halves(ids: Sequence[str]) -> list[Sequence[str]]:
    middle = len(ids) // 2
    return [ids[:middle], ids[middle:]]
