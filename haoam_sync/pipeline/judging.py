"""What a HAProxy on this machine says of the text that a commit declares for an instance.

That text is a part of a configuration: foreign sections, certificates and listeners may be elsewhere. What is missing
for that reason is made up for the moment, so that HAProxy judges what git says and nothing else.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from haoam_sync import haproxycfg
from haoam_sync.desired import file_references, references
from haoam_sync.desired.file_references import FileReference
from haoam_sync.desired.paths import Patterns, put_in
from haoam_sync.lab.haproxy import check
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.desired import Desired, DesiredFile, DesiredInstance
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import JsonObject, digest_bytes
from haoam_sync.model.section import SectionId, SectionKind
from haoam_sync.model.stored import FileKind, FileStore, text_in_directories

_GLOBAL = "global\n  maxconn 100\n  crt-base {directory}"
_LISTENER = "frontend haoam-validate\n  mode http\n  timeout client 1s\n  bind 127.0.0.1:1"
_NOTICE = re.compile(r"^\[NOTICE\].*\n?", re.MULTILINE)
"""Which HAProxy it was: not what is wrong."""
_PAGE = b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
_OF_THEIR_OWN_FORM = frozenset({"ssl_options", "filter_list"})
"""Fields whose files (DH parameters, SPOE configurations) no empty file stands for: HAProxy is shown what is named."""
_RUNS_CODE = re.compile(r"^[^\S\n]*+lua-", re.MULTILINE)
_QUOTES = re.compile(r"[\"'\\]")
"""Signs that HAProxy takes out of a word (manual, 2.2 "Quoting and escaping")."""
_OPENED = re.compile(r"(?:(?<!\S)-f\s+|\bmap(?:_[a-z0-9]+){0,3}\(\s*)([^\s,)]*)")
"""What expressions have HAProxy open, in text without quotes: patterns of an ACL, and maps."""
_SETS_VARIABLE = re.compile(r"^[^\S\n]*+(?:pre)?setenv\b", re.MULTILINE)
_HAPROXYS_OWN = re.compile(r"@[a-z-]+")
"""Words in place of a file: `@system-ca`."""
_ADDRESSES = Patterns(
    (None, "servers.*.address"),
    (None, "servers.*.health_check_address"),
    (None, "servers.*.agent-addr"),
    (None, "server_templates.*.fqdn"),
    (None, "default_server.health_check_address"),
    (None, "default_server.agent-addr"),
    (None, "binds.*.address"),
    (None, "log_target_list.*.address"),
    (None, "peer_entries.*.address"),
    (None, "mailer_entries.*.address"),
    (None, "nameservers.*.address"),
)
_HOST_NAME = re.compile(
    r"\A((?:(?:udp|tcp|ipv)[46]?@)?+)(?!stdout\b|stderr\b)(?=[0-9.-]*+[A-Za-z_])[A-Za-z0-9_.-]++(?=:[0-9]++$|$)"
)
"""A name, which HAProxy looks up when it starts, between what may stand around it (manual, 11.1 "Address formats")."""


def text_of(instance: DesiredInstance) -> str:
    """The declared sections of an instance, in the order of the server's normal form."""
    sections = (section for _, section in sorted(instance.sections.items()))
    return (
        "\n\n".join(haproxycfg.render(section.id.kind, section.body, NEWEST, complete=True) for section in sections)
        + "\n"
    )


def refusals(wanted: Desired, haproxy: Path) -> tuple[Mapping[InstanceId, str], tuple[InstanceId, ...]]:
    """What HAProxy says against each instance's text, for those that it refuses; and those that it was not asked about.

    Nobody has reviewed that text yet, and HAProxy would run what it loads, and quote what it reads: a text that loads
    Lua, or names a file for which nothing can stand in, is not judged. HAProxy gets no environment (`lab.haproxy`), so
    that `"${NAME}"` reads nothing of ours.
    """
    refused = {}
    unjudged = []
    with tempfile.TemporaryDirectory(prefix="haoam-validate-") as folder:
        directory = Path(folder)
        pem = _throw_away_certificate()
        for identity, declared in sorted(wanted.instances.items()):
            if _RUNS_CODE.search(text_of(declared)):
                unjudged.append(identity)
                continue
            stand_ins = _StandIns(directory, pem)
            instance = stand_ins.instead_of_files_elsewhere(declared)
            text = text_of(instance)
            foreign = {name for one in instance.sections.values() for _, name in references.certificates(one.body)}
            stored = {one.storage_name for one in instance.certificates.values()}
            for name in {*stored, *foreign}:
                (directory / name).write_bytes(pem)
            directories = dict.fromkeys(FileStore, f"{directory}/")
            for file in instance.files.values():
                patterns = f"-f {file.path}" in text
                content = b"" if patterns and file.content is None else _content(file, pem, directories)
                if file.id.kind is FileKind.CRT_LIST:
                    content = stand_ins.in_list(content.decode()).encode()
                (directory / file.storage_name).write_bytes(content)
            text = text_in_directories(text, directories)
            if _reads_elsewhere(instance, text, directory):
                unjudged.append(identity)
                continue
            text = "\n\n".join([*_made_up(instance, directory), text])
            accepted, words = check(text, haproxy)
            if not accepted:
                refused[identity] = _NOTICE.sub("", words).strip() or words
    return refused, tuple(unjudged)


def _reads_elsewhere(instance: DesiredInstance, text: str, directory: Path) -> bool:
    """Whether HAProxy would open a file of this machine, and could quote it: one that no file in `directory` is for."""
    bare = _QUOTES.sub("", text)
    if "$" in bare and _SETS_VARIABLE.search(bare):
        return True  # any word may be anything
    fields = (name for one in instance.sections.values() for name in file_references.held(one.body))
    named = (*(found[1] for found in _OPENED.finditer(bare)), *fields)
    places = {f"{directory}/", *(store.placeholder for store in FileStore)}
    return any(
        not _HAPROXYS_OWN.fullmatch(name) and (".." in name or not name.startswith(tuple(places))) for name in named
    )


class _StandIns:
    """What stands where a section names a file that git does not declare.

    It may be on the instance, and on this machine is something else: HAProxy would quote a file of the runner in its
    refusals, and nobody has reviewed yet what the commit names.

    Args:
        directory: where they are made.
        pem: a certificate with its key.
    """

    def __init__(self, directory: Path, pem: bytes) -> None:
        self._directory = directory
        self._pem = pem

    def instead_of_files_elsewhere(self, instance: DesiredInstance) -> DesiredInstance:
        """`instance`, its sections naming stand-ins, for hosts as well: who they are, this machine need not know."""
        sections = {identity: replace(one, body=self._body(one.body)) for identity, one in instance.sections.items()}
        return replace(instance, sections=sections)

    def in_list(self, text: str) -> str:
        """A crt-list, files in it that git does not declare replaced as well."""
        certificate = self._made("certificate.pem", self._pem)
        authorities = self._made("authorities.pem", self._pem.partition(b"-----BEGIN PRIVATE KEY")[0])
        here = re.escape(f"{self._directory}/")
        text = re.sub(rf"^(?!{here})\S+", certificate, text, flags=re.MULTILINE)
        return re.sub(rf"(?<=ca-file )(?!{here})[^\s\]]+", authorities, text)

    def _body(self, body: JsonObject) -> JsonObject:
        body = file_references.with_paths(body, self._path)
        body = file_references.with_names(body, self._path)
        for place, path in list(references.certificate_fields(body)):
            if path.startswith("/"):
                body = put_in(body, place, self._made("certificate.pem", self._pem))
        for _, place, address in list(_ADDRESSES.found(body)):
            body = put_in(body, place, _HOST_NAME.sub(_some_host, address) if _HOST_NAME.match(address) else address)
        return body

    def _path(self, reference: FileReference) -> str | None:
        """Empty files do for maps and patterns, of whatever type their keys and values are."""
        if reference.name.startswith(f"{self._directory}/") or reference.path[0] in _OF_THEIR_OWN_FORM:
            return None
        match reference.kind:
            case FileKind.CA_FILE:
                return self._made("authorities.pem", self._pem.partition(b"-----BEGIN PRIVATE KEY")[0])
            case FileKind.CRT_LIST:
                certificate = self._made("certificate.pem", self._pem)
                return self._made("list.txt", f"{certificate}\n".encode())
            case FileKind.FILE if reference.or_kind is None and reference.path[-1] != "acl_file":
                return self._made("page.http", _PAGE)
            case _:
                # one for each name: HAProxy refuses one file as a map here and as a list of patterns there
                return self._made(digest_bytes(reference.name.encode()).removeprefix("sha256:"), b"")

    def _made(self, name: str, content: bytes) -> str:
        place = self._directory / f"stand-in-{name}"
        place.write_bytes(content)
        return str(place)


def _some_host(found: re.Match[str]) -> str:
    return found[1] + ("::1" if found[1].startswith(("ipv6", "udp6", "tcp6")) else "127.0.0.1")


def _content(file: DesiredFile, pem: bytes, directories: Mapping[FileStore, str]) -> bytes:
    """What HAProxy finds in a file; where only a secret tells, the least that it takes."""
    if file.template is not None:
        return text_in_directories(file.template, directories).encode()
    if file.content is not None:
        return file.content
    match file.id.kind:
        case FileKind.CA_FILE:
            return pem.partition(b"-----BEGIN PRIVATE KEY")[0]
        case FileKind.MAP:
            return b""  # good for keys and values of every type
        case _:
            return _PAGE


def _made_up(instance: DesiredInstance, directory: Path) -> Iterator[str]:
    """Sections that the text needs and git does not declare. A defaults section must stand before who uses it."""
    if not any(section.kind is SectionKind.GLOBAL for section in instance.sections):
        yield _GLOBAL.format(directory=directory)
    missing: dict[SectionId, str] = {}
    for section in instance.sections.values():
        for found in references.sections(section.id.kind, section.body):
            target = SectionId(found.kind, found.name)
            if target not in instance.sections:
                missing[target] = _mode(section.body, instance)
    groups = {
        (group.userlist, group.group)
        for section in instance.sections.values()
        if section.id.kind is not SectionKind.USERLIST
        for group in references.groups(section.body)
    }
    for target, mode in sorted(missing.items(), key=lambda item: (item[0].kind is not SectionKind.DEFAULTS, item[0])):
        yield "\n".join([f"{target.kind} {target.name}", *_least(target, mode, groups)])
    yield _LISTENER


def _least(target: SectionId, mode: str, groups: set[tuple[str, str]]) -> list[str]:
    """The least that HAProxy wants of such a section."""
    match target.kind:
        case SectionKind.BACKEND:
            return [f"  mode {mode}"]
        case SectionKind.USERLIST:
            return [f"  group {group}" for userlist, group in sorted(groups) if userlist == target.name]
        case SectionKind.RESOLVERS:
            return ["  nameserver ns 127.0.0.1:53"]
        case _:
            return []


def _mode(body: Mapping[str, object], instance: DesiredInstance) -> str:
    """The mode of a proxy: its own, else that of its defaults, else HAProxy's."""
    defaults = instance.sections.get(SectionId(SectionKind.DEFAULTS, str(body.get("from", ""))))
    return str(body.get("mode") or (defaults.body.get("mode") if defaults else None) or "tcp")


def _throw_away_certificate() -> bytes:
    """A self-signed certificate with its key, good for an hour: enough for `haproxy -c` to load a bind."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "haoam-sync validate")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + private
