"""What a commit does to the desired state of each cluster, in canonical form: what reviewers sign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from haoam_sync import haproxycfg
from haoam_sync.desired.paths import at, put_in
from haoam_sync.model.api_version import NEWEST
from haoam_sync.model.desired import CERTIFICATE_DIR, Desired, DesiredFile, DesiredInstance, DesiredSection
from haoam_sync.model.fleet import Cluster, Fleet, Instance
from haoam_sync.model.json import Json, JsonObject, digest, digest_bytes
from haoam_sync.model.secret import secret_paths
from haoam_sync.model.section import SectionId
from haoam_sync.model.stored import renamed

_PLACEHOLDER = "haoam-secret-"


def change(base: Desired | None, head: Desired) -> JsonObject:
    """What `head` does to `base`: only what differs, each with the value before and after.

    ::

        {"haoam_change": 1,
         "codec": CODEC_VERSION of haproxycfg,
         "fleet": {"name": D, "management_networks": D, "limits": D, "clusters": {CLUSTER: D, ...}},
         "instances": {"CLUSTER/INSTANCE": {"sections": {"KIND/NAME": D, ...}, "certificates": {NAME: D, ...},
                                               "files": {"KIND/NAME": D, ...}}, ...}}

    `D` is `{"before": VALUE, "after": VALUE}`, null where there is none; a member of which nothing differs is absent,
    except that `fleet` and `instances` are always there. Values:

    - cluster: `{"labels", "vars", "wave", "instances": [{"name", "url", "user", "password": {"secret": REFERENCE},
      "ca": digest of the PEM or null, "vars"}, ...]}`, instances in the order of haoam.yaml;
    - section: `{"spec", "protected", "ignore"}`. `spec` is the canonical form for the newest API version, variables
      filled in, with `{"secret": REFERENCE}` in place of each secret and `@ssl_certs_dir/NAME`, `@general_dir/NAME`
      or `@maps_dir/NAME` in place of the path of the file that the document NAME declares; `ignore` is sorted;
    - certificate: `{"secret": REFERENCE, "chain": digest of the PEM in git or null}`;
    - file: `{"text": its whole content}`, variables filled in, with `@ssl_certs_dir/NAME` and `@general_dir/NAME`
      where a crt-list names other documents; or `{"secret": REFERENCE}`.

    It depends on what the two states mean only: not on commit ids, file names, comments, the order of keys, or whether
    secrets were resolved. Both must have been loaded with their own fleets.

    Args:
        base: what stands; None before the first commit.
        head: what is proposed.
    """
    return {
        "haoam_change": 1,
        "codec": haproxycfg.CODEC_VERSION,
        "fleet": _fleet(base.fleet if base is not None else None, head.fleet),
        "instances": _instances(base, head),
    }


def change_digest(base: Desired | None, head: Desired) -> str:
    """`sha256:` and the hex SHA-256 of the RFC 8785 form of `change(base, head)`."""
    return digest(change(base, head))


def _difference(before: Json, after: Json) -> JsonObject:
    return {"before": before, "after": after}


def _by_key(before: Mapping[str, Json], after: Mapping[str, Json]) -> dict[str, Json]:
    """`D` for each key whose value differs."""
    keys = sorted({*before, *after})
    return {key: _difference(before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}


def _fleet(base: Fleet | None, head: Fleet) -> JsonObject:
    found = _by_key(_fleet_values(base), _fleet_values(head))
    clusters = _by_key(_clusters(base), _clusters(head))
    return {**found, "clusters": clusters} if clusters else found


def _fleet_values(fleet: Fleet | None) -> dict[str, Json]:
    if fleet is None:
        return {}
    limits = fleet.limits
    return {
        "name": fleet.name,
        "management_networks": list(fleet.management_networks),
        "limits": {
            "changed_percent": limits.changed_percent,
            "deleted_percent": limits.deleted_percent,
            "from_sections": limits.from_sections,
            "capacity_left_percent": limits.capacity_left_percent,
            "delete_frontends": limits.delete_frontends,
        },
    }


def _clusters(fleet: Fleet | None) -> dict[str, Json]:
    return {name: _cluster(cluster) for name, cluster in fleet.clusters.items()} if fleet is not None else {}


def _cluster(cluster: Cluster) -> JsonObject:
    return {
        "labels": dict(cluster.labels),
        "vars": dict(cluster.vars),
        "wave": cluster.wave,
        "instances": [_instance(instance) for instance in cluster.instances],
    }


def _instance(instance: Instance) -> JsonObject:
    return {
        "name": instance.id.name,
        "url": instance.url,
        "user": instance.user,
        "password": {"secret": str(instance.password)},
        "ca": digest_bytes(instance.ca) if instance.ca is not None else None,
        "vars": dict(instance.vars),
    }


def _instances(base: Desired | None, head: Desired) -> JsonObject:
    """By instance, only those of which something differs."""
    before = base.instances if base is not None else {}
    meanings = _Meanings()
    found: dict[str, Json] = {}
    for identity in sorted({*before, *head.instances}):
        old, new = before.get(identity), head.instances.get(identity)
        pairs = [
            (str(key), meanings.section(a, old), meanings.section(b, new))
            for key, a, b in _pairs(old.sections if old else {}, new.sections if new else {})
            if not _alike(a, b)
        ]
        parts: dict[str, dict[str, Json]] = {
            "sections": _by_key({key: a for key, a, _ in pairs}, {key: b for key, _, b in pairs}),
            "certificates": _by_key(_certificates(old), _certificates(new)),
            "files": _by_key(_files(old), _files(new)),
        }
        if any(parts.values()):
            found[str(identity)] = {name: part for name, part in parts.items() if part}
    return found


def _pairs(
    before: Mapping[SectionId, DesiredSection], after: Mapping[SectionId, DesiredSection]
) -> Iterable[tuple[SectionId, DesiredSection | None, DesiredSection | None]]:
    return ((key, before.get(key), after.get(key)) for key in sorted({*before, *after}))


def _alike(before: DesiredSection | None, after: DesiredSection | None) -> bool:
    """Whether two sections mean the same without a look at their canonical form."""
    if before is None or after is None:
        return before is after
    if before is after:
        return True
    same = (before.digest, before.protected) == (after.digest, after.protected)
    return same and sorted(before.ignore) == sorted(after.ignore)


def _certificates(instance: DesiredInstance | None) -> dict[str, Json]:
    held = instance.certificates if instance is not None else {}
    return {
        name: {
            "secret": str(one.reference) if one.reference is not None else None,
            "chain": digest_bytes(one.chain) if one.chain is not None else None,
        }
        for name, one in held.items()
    }


def _files(instance: DesiredInstance | None) -> dict[str, Json]:
    held = instance.files if instance is not None else {}
    return {str(identity): _file(one) for identity, one in held.items()}


def _file(file: DesiredFile) -> JsonObject:
    meaning: dict[str, Json] = {"secret": str(file.reference)} if file.reference is not None else {"text": file.text}
    if file.adopted is not None:
        meaning["adopted"] = {"name": file.adopted.name, "digest": file.adopted.digest}
    return meaning


class _Meanings:
    """Canonical forms, one for each section object: instances share what is equal."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int, int], JsonObject] = {}
        self._names: dict[tuple[int, int], Mapping[str, str]] = {}

    def section(self, section: DesiredSection | None, instance: DesiredInstance | None) -> JsonObject | None:
        if section is None or instance is None:
            return None
        key = (id(section), id(instance.certificates), id(instance.files))
        if key not in self._made:
            self._made[key] = {
                "spec": _spec(section, self._names_of(instance)),
                "protected": section.protected,
                "ignore": sorted(section.ignore),
            }
        return self._made[key]

    def _names_of(self, instance: DesiredInstance) -> Mapping[str, str]:
        """The documents of an instance's files by their paths, once for all its sections."""
        key = (id(instance.certificates), id(instance.files))
        if key not in self._names:
            names = {one.path: CERTIFICATE_DIR + name for name, one in instance.certificates.items()}
            names |= {one.path: one.id.kind.store.placeholder + one.id.name for one in instance.files.values()}
            self._names[key] = names
        return self._names[key]


def _spec(section: DesiredSection, names: Mapping[str, str]) -> JsonObject:
    """The canonical body, secrets as references, files by name."""
    body = renamed(section.body, names)
    # a reference may hold characters that the codec would quote, so a plain word stands for each of them meanwhile
    references = {f"{_PLACEHOLDER}{index}": use for index, use in enumerate(section.secrets)}
    for word, use in references.items():
        body = put_in(body, use.path, word)
    if body is section.body:
        canonical = haproxycfg.canonical_of(section, NEWEST)
    else:
        canonical = haproxycfg.canonical(section.id.kind, body, NEWEST)
    for path in tuple(secret_paths(section.id.kind, canonical)):
        use = references.pop(str(at(canonical, path)))
        canonical = put_in(canonical, path, {"secret": str(use.reference)})
    if references:
        raise AssertionError(f"{section.id}: a secret is not in the canonical form")
    return canonical
