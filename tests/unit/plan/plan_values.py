"""Values for the plan's tests: an instance as git wants it, and as it is."""

from __future__ import annotations

from collections.abc import Mapping

from haoam_sync import plan
from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.desired import DesiredCertificate, DesiredInstance, DesiredSection
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import JsonObject, digest
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.model.mark import Mark, Owner
from haoam_sync.model.plan import InstancePlan
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference, SecretUse
from haoam_sync.model.section import SectionId

INSTANCE = InstanceId("edge", "e1")
REPOSITORY, COMMIT = "a" * 40, "c" * 40
TEXT = "global\n  master-worker\n\ndefaults base\n  mode http\n\nbackend web from base\n"


def compute(
    wanted: DesiredInstance,
    live: Live,
    applied: DesiredInstance | None,
    *,
    proven: bool = True,
    repository: str = REPOSITORY,
) -> InstancePlan:
    """The plan of an owner for whom every mark of its own repository is proven, unless `proven` says otherwise."""
    marks = {(one.id, one.mark) for one in live.sections.values() if one.mark and one.mark.repository == repository}
    return plan.compute_instance(
        wanted, live, applied, Owner(repository, COMMIT, frozenset(marks) if proven else frozenset())
    )


_Marking = DesiredSection | Mark | bool | None


class Given:
    """Builds desired and live values with as few words as a test needs."""

    def section(
        self,
        identity: str,
        body: JsonObject,
        *,
        ignore: tuple[str, ...] = (),
        protected: bool = False,
        secrets: Mapping[tuple[str | int, ...], str] | None = None,
        resolved: bool = True,
    ) -> DesiredSection:
        """A declared section; `secrets` maps paths in the body to references."""
        section = SectionId.parse(identity)
        uses = tuple(
            SecretUse(
                SecretReference.parse(reference), section.kind.document_kind, ".".join(map(str, path)), "edge", path
            )
            for path, reference in (secrets or {}).items()
        )
        return DesiredSection(
            id=section,
            body={"name": section.name, **body},
            position=Position(f"haproxy/{section.name}.yaml", 3, 1),
            digest=digest({"id": identity, "body": body if not uses else sorted(map(str, uses))}),
            protected=protected,
            ignore=ignore,
            secrets=uses,
            resolved=resolved,
        )

    def desired(self, *sections: DesiredSection, certificates: tuple[DesiredCertificate, ...] = ()) -> DesiredInstance:
        """What git wants of the instance."""
        return DesiredInstance(INSTANCE, {s.id: s for s in sections}, {c.name: c for c in certificates})

    def live(
        self,
        *sections: LiveSection,
        text: str = TEXT,
        certificates: tuple[str, ...] = (),
        certificate_dir: str | None = None,
        api: str = "3.2",
        phantom: bool = False,
        foreign: tuple[str, ...] = (),
    ) -> Live:
        """What the instance's API says."""
        return Live(
            id=INSTANCE,
            api=ApiVersion.parse(api),
            version=7,
            checksum="sha256:00",
            text=text,
            sections={s.id: s for s in sections},
            foreign_texts=foreign,
            certificates=certificates,
            certificate_dir=certificate_dir,
            phantom=phantom,
            file_version=6 if phantom else 7,
            requests=8,
        )

    def there(self, identity: str, body: JsonObject, *, mark: _Marking = True) -> LiveSection:
        """A section as read back, with our mark unless `mark` says otherwise."""
        section = SectionId.parse(identity)
        value = None
        if isinstance(mark, DesiredSection):
            value = Mark(mark.position.file, mark.digest, REPOSITORY, "b" * 40)
        elif isinstance(mark, Mark):
            value = mark
        elif mark:
            value = Mark("haproxy/x.yaml", "sha256:older", REPOSITORY, "b" * 40)
        return LiveSection(section, {"name": section.name, **body}, value)
