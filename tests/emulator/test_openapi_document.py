"""The description of each API, held against what the emulator does."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal, cast

import aiohttp
import attrs
import pytest
from aiohttp.test_utils import make_mocked_request
from emulator import api as galtea_api
from emulator import pandaprobe_api
from emulator.api import Api

from galtea_async.emulator import EmulatorRules, GalteaEmulator, PandaProbeEmulator, PandaProbeRules
from galtea_async.emulator.gate import call_of
from galtea_async.emulator.routes import Route

Kind = Literal["galtea", "pandaprobe"]
each_service = pytest.mark.parametrize("kind", ["galtea", "pandaprobe"])

_WITHOUT_LIMITS = PandaProbeRules(run_requests=10_000, trace_requests=10_000, other_requests=10_000)
_SECONDS_OF_JUDGING = 60
_VALUES_WITHOUT_EFFECT = {
    "excludeTestIds",  # leaves out what is not there anyway
    "evaluationTypes",  # no document says what the types are
    "includeLegacy",  # nothing here has a successor
}
_EXTREMES = {
    "boolean": ("false", "true"),
    "number": ("0", "1"),
    "date-time": ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"),
}


@attrs.frozen(kw_only=True)
class Described:
    """A service that runs, with the description that it gives of itself."""

    api: Api
    routes: tuple[Route, ...]
    document: dict[str, Any]

    def operations(self) -> list[tuple[str, str, dict[str, Any]]]:
        return [
            (method.upper(), path, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        ]

    def parameters(self) -> list[tuple[str, dict[str, Any]]]:
        """The parameters of the query of all lists, with the paths."""
        return [
            (path, parameter)
            for method, path, operation in self.operations()
            if method == "GET" and "{" not in path
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "query"
        ]


@asynccontextmanager
async def described(kind: Kind) -> AsyncGenerator[Described]:
    """A service with something in each of its lists, on which its description has been read without a key."""
    if kind == "galtea":
        async with GalteaEmulator() as galtea, galtea_api.connected(galtea) as api:
            await _fill(galtea, api)
            yield Described(api=api, routes=galtea.routes, document=await _document(galtea.url))
    else:
        emulator = PandaProbeEmulator(rules=_WITHOUT_LIMITS)
        async with emulator as pandaprobe, pandaprobe_api.connected(pandaprobe) as api:
            session_ids = await pandaprobe.add_sessions(2, traces=1)
            await pandaprobe_api.batch(api, session_ids)
            await asyncio.sleep(_SECONDS_OF_JUDGING)
            yield Described(api=api, routes=pandaprobe.routes, document=await _document(pandaprobe.url))


async def _document(url: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/openapi.json") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        document: dict[str, Any] = await response.json()
        return document


async def _fill(galtea: GalteaEmulator, api: Api) -> None:
    """Put something into each list; one evaluation waits for a person."""
    version_id = await galtea.add_version(sessions=2, turns=1)
    await galtea.add_test_case()
    by_people = await galtea.add_metric(source="HUMAN_EVALUATION")
    unseen = await galtea.add_metric(excluded_from_analytics=True)
    metrics = [{"id": metric_id} for metric_id in (by_people, unseen, await galtea.add_metric())]
    await api.evaluate(await galtea.session_ids(version_id), metrics=metrics)
    await asyncio.sleep(_SECONDS_OF_JUDGING)


def _size(listed: Any) -> int:
    """How long a list is, a page of PandaProbe, or one of the evaluations that wait for a person."""
    return len(cast("list[object]", listed)) if isinstance(listed, list) else int(listed["total"])


def _references(document: object) -> set[str]:
    return set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))


@each_service
async def test_every_route_is_described_once(kind: Kind) -> None:
    """Verbs, paths and statuses are those of the table, names are unique, references lead somewhere."""
    async with described(kind) as service:
        operations = service.operations()
        assert {(method, path) for method, path, _ in operations} == {
            (route.method, route.path) for route in service.routes if route.path != "/openapi.json"
        }
        names = [operation["operationId"] for _, _, operation in operations]
        assert len(names) == len(set(names))
        commands = [(operation["tags"][0], operation["x-cli-name"]) for _, _, operation in operations]
        assert len(commands) == len(set(commands))
        components = service.document["components"]["schemas"]
        assert _references(service.document) == {f"#/components/schemas/{name}" for name in components}
        for _, path, operation in operations:
            in_path = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
            assert in_path == re.findall(r"{(\w+)}", path)


@each_service
async def test_who_must_say_who_he_is_is_described(kind: Kind) -> None:
    """Without a key, what the description calls open is answered, and nothing else is."""
    async with described(kind) as service, aiohttp.ClientSession() as nobody:
        for method, path, operation in service.operations():
            url = service.api.url + path.replace("{id}", "some")
            body = b"{}" if "requestBody" in operation else None
            headers = {"Content-Type": "application/json"}
            async with nobody.request(method, url, data=body, headers=headers) as response:
                assert (response.status != 401) == (operation.get("security") == []), path


@each_service
async def test_what_all_lists_share_is_described_in_words(kind: Kind) -> None:
    """Pages, order and times at Galtea, pages at PandaProbe: the official command line shows the words."""
    shared = {"limit", "offset", *({"sort", "fromCreatedAt", "toCreatedAt"} if kind == "galtea" else ())}
    async with described(kind) as service:
        words = {name: set[str]() for name in shared}
        for path, parameter in service.parameters():
            if parameter["name"] in shared:
                assert parameter["description"], path
                words[parameter["name"]].add(parameter["description"])
        assert {name: len(texts) for name, texts in words.items()} == dict.fromkeys(shared, 1)


async def test_galtea_accepts_the_parameters_that_are_described_and_no_others() -> None:
    """The names that a refusal lists are the description's."""
    async with described("galtea") as service:
        names: dict[str, set[str]] = {}
        for path, parameter in service.parameters():
            names.setdefault(path, set()).add(parameter["name"])
        assert {"/sessions", "/evaluations", "/runs"} <= set(names)
        for path, known in names.items():
            refused = await service.api.get(path, ("nonsense", "1"))
            assert refused.status == 400
            assert set(refused.message.partition("Accepted: ")[2].split(", ")) == known


@pytest.mark.parametrize(
    "rules", [EmulatorRules(first_filters_only=True), EmulatorRules(runs=False, session_envelope="data")]
)
async def test_an_older_service_describes_what_it_knows(rules: EmulatorRules) -> None:
    """Filters, routes and shapes that it does not have are not described."""
    async with GalteaEmulator(rules=rules) as emulator, galtea_api.connected(emulator) as api:
        document = await _document(emulator.url)
        described = {one["name"] for one in document["paths"]["/evaluations"]["get"]["parameters"]}
        refused = await api.get("/evaluations", ("nonsense", "1"))
        assert set(refused.message.partition("Accepted: ")[2].split(", ")) == described
        assert "runIds" not in described
        assert ("/runs" in document["paths"]) == rules.runs
        listed = document["paths"]["/sessions"]["get"]["responses"]["200"]["content"]["application/json"]
        assert ("$ref" in listed["schema"]) == (rules.session_envelope == "data")


@each_service
async def test_each_parameter_that_is_described_is_read(kind: Kind) -> None:
    """A value that it does not take is refused; one that matches nothing leaves an empty list."""
    async with described(kind) as service:
        for path in {path for path, _ in service.parameters()}:
            everything = await service.api.get(path)
            assert (everything.status, _size(everything.json) > 0) == (200, True), path
        for path, parameter in service.parameters():
            name, schema = parameter["name"], parameter["schema"]
            if name in _VALUES_WITHOUT_EFFECT:
                continue
            answer = await service.api.get(path, (name, "nonsense"))
            is_free = schema["type"] == "string" and not {"enum", "format"} & set(schema)
            if is_free or (schema["type"] == "array" and "enum" not in schema["items"]):
                is_empty = answer.status == 200 and _size(answer.json) == 0
                assert is_empty or answer.status == (404 if name == "ids" else 422), (path, name)
            else:
                assert answer.status in {400, 422}, (path, name)


@each_service
async def test_each_parameter_that_is_described_has_an_effect(kind: Kind) -> None:
    """Of its choices, of the ends of its range, or of times long ago and far ahead, one changes the list."""
    async with described(kind) as service:
        for path, parameter in service.parameters():
            name, schema = parameter["name"], parameter["schema"].get("items", parameter["schema"])
            values = [*schema.get("enum", ()), *_EXTREMES.get(schema.get("format", schema["type"]), ())]
            if name in _VALUES_WITHOUT_EFFECT or name.startswith("sort") or not values:
                continue
            everything = _size((await service.api.get(path)).json)
            sizes = [_size((await service.api.get(path, (name, value))).json) for value in values]
            assert set(sizes) != {everything}, (path, name)


@each_service
async def test_a_value_that_the_description_allows_is_accepted(kind: Kind) -> None:
    """Each choice, each bound of a number, and the form of each time and truth value."""
    samples = {"boolean": ["true", "false"], "date-time": ["2026-01-01T00:00:00Z"]}
    async with described(kind) as service:
        for path, parameter in service.parameters():
            schema = parameter["schema"].get("items", parameter["schema"])
            bounds = [str(schema[word]) for word in ("minimum", "maximum") if word in schema]
            choices = [value for value in schema.get("enum", ()) if parameter["name"] != "sort"]
            others = samples.get(schema.get("format", schema["type"]), [])
            for value in [*bounds, *choices, *others]:
                answer = await service.api.get(path, (parameter["name"], value))
                assert answer.status == 200, (path, parameter["name"], value, answer.content)
        sorts = [(path, one) for path, one in service.parameters() if one["name"] == "sort"]
        for path, parameter in sorts:
            for field in set(parameter["schema"]["items"]["enum"]) - {"asc", "desc"}:
                assert (await service.api.get(path, ("sort", field), ("sort", "desc"))).status == 200


@each_service
async def test_a_handler_is_given_no_parameter_that_its_route_does_not_declare(kind: Kind) -> None:
    """So no handler can come to depend on one that the description leaves out."""
    async with described(kind) as service:
        listing = next(route for route in service.routes if route.path == "/sessions" and route.parameters)
        first, second, *_ = listing.parameters
        request = make_mocked_request("GET", f"/sessions?{first.name}=a&{second.name}=b&nonsense=c")
        given = {
            declared: call_of(request, attrs.evolve(listing, parameters=declared), None, user_id="").query
            for declared in ((first, second), (second,), ())
        }
        assert list(given.values()) == [
            [(first.name, "a"), (second.name, "b")],
            [(second.name, "b")],
            [],
        ]
