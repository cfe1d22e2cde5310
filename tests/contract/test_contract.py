"""Every recorded conversation, replayed against a fresh lab, and against a real `dataplaneapi` where there is one.

The conversations name the ports they were recorded with; HAProxy shares a port with other HAProxies, so runs side by
side do not disturb each other.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from haoam_sync.errors import UsageError
from haoam_sync.lab.http import Login
from haoam_sync.lab.real import RealServer, find_dataplaneapi
from haoam_sync.lab.server import LabServer
from haoam_sync.lab.settings import LabSettings
from haoam_sync.model.api_version import ApiVersion

HERE = Path(__file__).parent
VERSIONS = ("3.2", "3.4")
LOGIN = Login("admin", "adminpwd")
REAL = find_dataplaneapi()


def _replay() -> ModuleType:
    """The replayer beside this file: test folders are no packages."""
    spec = importlib.util.spec_from_file_location("contract_replay", HERE / "replay.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


replay = _replay()


def conversations(version: str) -> list[str]:
    """Names of the recordings of a version."""
    return sorted(path.stem for path in (HERE / version).glob("*.json"))


@contextmanager
def served(server: LabServer | RealServer) -> Iterator[str]:
    """`server`, answering within the block."""
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        thread.join()
        server.close()


def settings(directory: Path, version: str) -> LabSettings:
    """A lab in `directory`."""
    return LabSettings("127.0.0.1", 0, directory, LOGIN, api=ApiVersion.parse(version))


def test_the_recordings_are_complete() -> None:
    """Both versions have all of their 34 recordings, so that none is lost without a word."""
    assert [len(conversations(version)) for version in VERSIONS] == [34, 34]


@pytest.mark.e2e
@pytest.mark.parametrize(("version", "name"), [(v, name) for v in VERSIONS for name in conversations(v)])
def test_the_lab_answers_as_recorded(version: str, name: str, short_path: Path) -> None:
    """The lab gives the recorded answer to every request of the conversation."""
    with served(LabServer(settings(short_path, version))) as url:
        server = replay.Server(url, str(short_path), LOGIN.user, LOGIN.password)
        assert replay.play(server, HERE / version / f"{name}.json") == []


@pytest.mark.e2e
def test_conversations_follow_each_other_on_one_lab(short_path: Path) -> None:
    """One lab can play conversations one after the other: what one leaves behind does not change the next."""
    names = ["11-reload-fails", "08-version-conflict", "28-reading-rings-poisons", "19-edited-on-disk", "16-raw"]
    with served(LabServer(settings(short_path, "3.2"))) as url:
        server = replay.Server(url, str(short_path), LOGIN.user, LOGIN.password)
        assert [replay.play(server, HERE / "3.2" / f"{name}.json") for name in names] == [[]] * len(names)


if REAL is not None:
    # Collected only where there is a real server: the recordings are its own, so this tells of a server that changed.

    @pytest.fixture(scope="module")
    def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, str]]:
        """URL, directory and version of a real server."""
        directory = tmp_path_factory.mktemp("real")
        try:
            server = RealServer(settings(directory, "3.2"), REAL or Path())
        except UsageError as error:  # the machine's own fault, not the contract's
            pytest.fail(str(error))
        with served(server) as url:
            yield url, directory, _version_of(url)

    def _version_of(url: str) -> str:
        """3.2 or 3.4: what the server says of itself, or `HAOAM_DATAPLANEAPI_VERSION` for a build that does not."""
        opener = urllib.request.build_opener()
        login = urllib.request.HTTPPasswordMgrWithPriorAuth()
        login.add_password(None, url, LOGIN.user, LOGIN.password, is_authenticated=True)
        opener.add_handler(urllib.request.HTTPBasicAuthHandler(login))
        with opener.open(f"{url}/info") as answer:
            said = json.load(answer)["api"]["version"]
        try:
            version = ApiVersion.parse(said)
        except ValueError:
            version = ApiVersion.parse(os.environ.get("HAOAM_DATAPLANEAPI_VERSION", "3.2"))
        return max((v for v in VERSIONS if ApiVersion.parse(v) <= version), default=VERSIONS[0])

    @pytest.mark.e2e
    @pytest.mark.parametrize("name", conversations("3.2"))
    def test_a_real_server_answers_as_recorded(name: str, real_server: tuple[str, Path, str]) -> None:
        """A real server gives the recorded answers of its version."""
        url, directory, version = real_server
        server = replay.Server(url, str(directory), LOGIN.user, LOGIN.password)
        assert replay.play(server, HERE / version / f"{name}.json") == []
