"""The file that keeps an emulator's data: whose it is, who has it open, and what it keeps."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from emulator.api import connected

from galtea_async.emulator import BackgroundGaltea, GalteaEmulator, PandaProbeEmulator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def a_folder(path: Path) -> None:
    path.mkdir()


def in_no_folder(path: Path) -> None:
    assert not path.parent.exists()


def garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


def another_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE sessions (id TEXT)")
    connection.close()


def an_owned_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 7")
    connection.close()


@pytest.mark.parametrize(
    ("name", "prepare", "said"),
    [
        ("folder", a_folder, "this is no file"),
        ("missing/galtea.db", in_no_folder, "its folder does not exist"),
        ("garbage", garbage, "this is no file of an emulator"),
        ("foreign.db", another_database, "this is no file of an emulator of Galtea"),
        ("owned.db", an_owned_database, "this is no file of an emulator of Galtea"),
    ],
)
def test_what_is_no_file_of_its_own_is_left_alone(
    name: str, prepare: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    """The error says why and names the path, and not a byte of the file has changed."""
    path = tmp_path / name
    prepare(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(OSError, match=said) as caught:
        BackgroundGaltea(GalteaEmulator(path=str(path))).start()
    assert caught.value.filename == str(path)
    assert (path.read_bytes() if path.is_file() else None) == before
    assert {one.name for one in tmp_path.iterdir()} <= {path.name}


async def test_a_file_belongs_to_one_service(tmp_path: Path) -> None:
    """PandaProbe does not write into Galtea's file, nor the other way round."""
    galteas, pandas = str(tmp_path / "galtea.db"), str(tmp_path / "panda.db")
    async with GalteaEmulator(path=galteas) as emulator:
        version_id = await emulator.add_version(sessions=3)
    async with PandaProbeEmulator(path=pandas) as other:
        session_ids = await other.add_sessions(2)
    with pytest.raises(OSError, match="no file of an emulator of PandaProbe"):
        await PandaProbeEmulator(path=galteas).start()
    with pytest.raises(OSError, match="no file of an emulator of Galtea"):
        await GalteaEmulator(path=pandas).start()
    async with GalteaEmulator(path=galteas) as emulator:
        assert len(await emulator.session_ids(version_id)) == 3
    async with PandaProbeEmulator(path=pandas) as other:
        assert await other.session_ids() == session_ids


async def test_a_file_is_one_emulators_at_a_time(tmp_path: Path) -> None:
    """A second emulator is refused at once, and gets the file when the first has closed."""
    path = str(tmp_path / "galtea.db")
    for _ in range(2):  # the file is new, and then it is not
        async with GalteaEmulator(path=path) as emulator:
            await emulator.add_product()
            with pytest.raises(OSError, match="another emulator, has this file open"):
                await GalteaEmulator(path=path).start()
            await emulator.add_product()
    async with GalteaEmulator(path=path) as emulator, connected(emulator) as api:
        assert len((await api.get("/products")).json) == 4


async def test_a_key_keeps_its_owner_from_one_start_to_the_next(tmp_path: Path) -> None:
    """What a person has claimed or created is that person's after a restart, and a colleague's is not."""
    path = str(tmp_path / "galtea.db")
    async with GalteaEmulator(path=path) as emulator, connected(emulator) as api:
        version_id = await emulator.add_version(sessions=1)
        metric_id = await emulator.add_metric(source="HUMAN_EVALUATION")
        [evaluation_id] = await emulator.add_evaluations(
            await emulator.session_ids(version_id), metric_id=metric_id
        )
        claimed = await api.post(f"/evaluations/{evaluation_id}/claim")
        created = (await api.post("/sessions", {"versionId": version_id})).json
        before = (await api.get("/auth/user")).json
    assert claimed.status == 200
    async with GalteaEmulator(path=path) as emulator:
        other_key = await emulator.add_api_key()
        async with connected(emulator) as api, connected(emulator, api_key=other_key) as other:
            assert (await api.get("/auth/user")).json == before
            again = await api.post(f"/evaluations/{evaluation_id}/claim")
            assert (again.status, again.json["humanEvaluatorId"]) == (200, claimed.json["humanEvaluatorId"])
            assert created["id"] in (await api.get("/sessions", ("userIds", created["userId"]))).ids
            assert (await other.post(f"/evaluations/{evaluation_id}/claim")).status == 409
            assert (await other.get("/auth/user")).json != before


async def test_a_further_key_ends_with_the_start_that_made_it(tmp_path: Path) -> None:
    """As its documentation says."""
    path = str(tmp_path / "galtea.db")
    async with GalteaEmulator(path=path) as emulator:
        other_key = await emulator.add_api_key()
    async with GalteaEmulator(path=path) as emulator, connected(emulator, api_key=other_key) as other:
        assert (await other.get("/auth/user")).status == 401
