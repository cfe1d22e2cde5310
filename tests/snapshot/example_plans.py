"""Plans of the example repository against instances that are made up: they come out the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from haoam_sync import desired, haproxycfg
from haoam_sync import plan as plans
from haoam_sync.haproxycfg.reading import sections_in
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.desired import Desired, DesiredInstance
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import digest_bytes
from haoam_sync.model.live import Live, LiveSection
from haoam_sync.model.mark import Owner
from haoam_sync.model.plan import Plan
from haoam_sync.model.secret import SecretUse
from haoam_sync.model.section import SectionId
from haoam_sync.model.stored import FileStore, StoredFiles, text_in_directories

EXAMPLE = Path(__file__).parents[2] / "example-repo"
BLOBS = {path.relative_to(EXAMPLE).as_posix(): path.read_bytes() for path in EXAMPLE.rglob("*") if path.is_file()}
COMMIT, EARLIER = "c" * 40, "b" * 40
CANARY, EU_1 = InstanceId("edge-canary", "canary-1"), InstanceId("edge-eu", "eu-1")
DIRECTORIES = {
    FileStore.CERTIFICATES: "/etc/haproxy/ssl/",
    FileStore.GENERAL: "/etc/haproxy/general/",
    FileStore.MAPS: "/etc/haproxy/maps/",
}
BY_HAND = """\
global
  master-worker
  stats socket /run/haproxy/admin.sock mode 600 level admin expose-fd listeners

# written by hand
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s

userlist controller
  user admin insecure-password a-password-that-must-not-be-shown

backend web
  balance   roundrobin
  server web-a 127.0.0.1:18701 weight 10

listen stats
  bind 127.0.0.1:9000
  stats enable
"""
"""Somebody's file, before the first apply."""


def reveal(use: SecretUse) -> str:
    """The same secrets every time; what looks like a certificate is none."""
    if use.kind == "Certificate":
        parts = ("CERTIFICATE", "PRIVATE KEY")
        return "".join(f"-----BEGIN {part}-----\nAA\n-----END {part}-----\n" for part in parts)
    return "a-secret-that-must-not-be-shown"


def example(changes: Mapping[str, tuple[str, str]] | None = None, *, resolved: bool = True) -> Desired:
    """The example's desired state, with text replaced in some of its files."""
    blobs = dict(BLOBS)
    for path, (old, new) in (changes or {}).items():
        assert old.encode() in blobs[path]
        blobs[path] = blobs[path].replace(old.encode(), new.encode())
    return desired.load(COMMIT, blobs, reveal if resolved else None)


def by_hand(identity: InstanceId) -> Live:
    """An instance that runs somebody's file."""
    sections = {section: LiveSection(section, body) for section, body in sections_in(BY_HAND, NEWEST).items()}
    return _live(identity, BY_HAND, sections, ("listen stats",), (), {})


def as_applied(wanted: DesiredInstance) -> Live:
    """An instance that is what git wants."""
    bodies = {
        section.id: haproxycfg.canonical(section.id.kind, section.body, NEWEST) for section in wanted.sections.values()
    }
    text = "\n\n".join(haproxycfg.render(one.kind, body, NEWEST) for one, body in sorted(bodies.items())) + "\n"
    text = text_in_directories(text, DIRECTORIES)
    sections = {section: LiveSection(section, body) for section, body in sections_in(text, NEWEST).items()}
    names = tuple(sorted(certificate.storage_name for certificate in wanted.certificates.values()))
    return _live(wanted.id, text, sections, (), names, _files(wanted))


def _files(wanted: DesiredInstance) -> Mapping[FileStore, StoredFiles]:
    """The other files, each with its content where one is known."""
    found: dict[FileStore, dict[str, bytes]] = {FileStore.GENERAL: {}, FileStore.MAPS: {}}
    for one in wanted.files.values():
        content = text_in_directories((one.content or b"").decode(), DIRECTORIES).encode()
        found[one.id.kind.store][one.storage_name] = content
    return {
        store: StoredFiles(tuple(sorted(contents)), DIRECTORIES[store], contents) for store, contents in found.items()
    }


def changed(live: Live, old: str, new: str) -> Live:
    """The same instance after somebody replaced a piece of its file."""
    assert old in live.text
    text = live.text.replace(old, new)
    sections = {section: LiveSection(section, body) for section, body in sections_in(text, NEWEST).items()}
    return replace(live, text=text, sections=sections, version=live.version + 1, checksum=digest_bytes(text.encode()))


def plan(wanted: Desired, lives: tuple[Live, ...], applied: Desired | None = None) -> Plan:
    """The plan stage."""
    owner = Owner("a" * 40, COMMIT)
    found = tuple(
        plans.compute_instance(
            wanted.instances[live.id], live, applied.instances.get(live.id) if applied else None, owner
        )
        for live in sorted(lives, key=lambda live: live.id)
    )
    applied_commits = {live.id.cluster: EARLIER for live in lives} if applied else {}
    return Plan(COMMIT, applied_commits, "sha256:" + "d" * 64, found)


def _live(
    identity: InstanceId,
    text: str,
    sections: Mapping[SectionId, LiveSection],
    foreign: tuple[str, ...],
    certificates: tuple[str, ...],
    files: Mapping[FileStore, StoredFiles],
) -> Live:
    return Live(
        id=identity,
        api=NEWEST,
        version=7,
        checksum=digest_bytes(text.encode()),
        text=text,
        sections=sections,
        foreign_texts=foreign,
        certificates=certificates,
        certificate_dir=DIRECTORIES[FileStore.CERTIFICATES],
        phantom=False,
        file_version=7,
        requests=8,
        files={store: found for store, found in files.items() if found.names},
    )
