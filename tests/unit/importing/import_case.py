"""Imports of text, without any I/O beside the files that an import writes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from haoam_sync import desired, pipeline
from haoam_sync import plan as plans
from haoam_sync.haproxycfg.reading import sections_in
from haoam_sync.importing import Choice, fleet_document
from haoam_sync.live import checksum_of, split_mark
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.desired import DesiredInstance
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.model.mark import Owner
from haoam_sync.model.plan import InstancePlan
from haoam_sync.pipeline import Imported, Target

IMPORTS = Path(__file__).parents[2] / "data" / "imports"
SAMPLES = sorted(file.stem for file in IMPORTS.glob("*.cfg"))
LB1 = InstanceId("eu", "lb1")


def sample(name: str) -> str:
    """One of the sample configurations, each `@name@` another port."""
    ports: dict[str, str] = {}
    text = (IMPORTS / f"{name}.cfg").read_text(encoding="utf-8")
    return re.sub(r"@([a-z]+)@", lambda found: ports.setdefault(found[1], str(7000 + len(ports))), text)


class Case:
    """Imports into one directory.

    Attributes:
        tree: where documents go.
        secrets: where values of secrets go.
    """

    def __init__(self, directory: Path) -> None:
        self.tree = directory / "tree"
        self.secrets = directory / "secrets.env"
        self._source = directory / "haproxy.cfg"

    def imported(self, text: str, choice: Choice | None = None) -> Imported:
        """Import `text`."""
        self._source.write_text(text, encoding="utf-8")
        target = Target("eu", "lb1", self.tree, self.secrets)
        return pipeline.import_file(self._source, NEWEST, target, choice or Choice())

    def reasons(self, text: str, choice: Choice | None = None) -> Mapping[str, str]:
        """What stays foreign, and why."""
        return {one.heading: one.reason for one in self.imported(text, choice).foreign}

    def document(self, section: str) -> str:
        """The document of `backend-web`."""
        return (self.tree / f"haproxy/eu/{section}.yaml").read_text(encoding="utf-8")

    def wanted(self) -> DesiredInstance:
        """What the tree says, secrets resolved as a shell reads their file."""
        blobs = {str(f.relative_to(self.tree)): f.read_bytes() for f in self.tree.rglob("*.yaml")}
        fleet = fleet_document("eu", "lb1", "http://127.0.0.1:5555/v3", "admin", "PASSWORD", "")
        lines = self.secrets.read_text(encoding="utf-8").splitlines() if self.secrets.exists() else []
        values = dict(shlex.split(line)[0].split("=", 1) for line in lines)
        blobs["haoam.yaml"] = fleet.encode()
        loaded = desired.load("c" * 40, blobs, lambda use: values.get(use.reference.locator, "unused"))
        return loaded.instances[LB1]

    def plan(self, text: str) -> InstancePlan:
        """What an apply of the tree to an instance that runs `text` would do."""
        return plans.compute_instance(self.wanted(), live(text), None, Owner("a" * 40, "c" * 40))


def live(text: str) -> Live:
    """What the Data Plane API says of an instance that runs `text`, in whose file proxies may have no `from`."""
    sections = {}
    for identity, body in sections_in(text, NEWEST).items():
        mark, rest = split_mark(body)
        sections[identity] = LiveSection(identity, rest, mark)
    return Live(
        LB1, NEWEST, 1, checksum_of(text), text, sections, (), (), None, phantom=False, file_version=1, requests=0
    )
