"""Files, envelopes, selectors: what a commit may hold, and where."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desired_commits import BACKEND, FLEET, Files, blobs

from haoam_sync import desired
from haoam_sync.errors import InvalidDesiredError
from haoam_sync.model.desired import Desired
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.position import Position
from haoam_sync.model.section import SectionId, SectionKind

Load = Callable[..., Desired]
Refusals = Callable[[Files], list[str]]
SpecRefusals = Callable[..., list[str]]
WEB = SectionId(SectionKind.BACKEND, "web")


def instances(state: Desired, section: SectionId = WEB) -> list[str]:
    """Which instances get a section."""
    return [str(identity) for identity, one in state.instances.items() if section in one.sections]


def test_a_section(load: Load) -> None:
    """A document becomes the API's own JSON: named, children told their names, with its position and digest."""
    spec = "  servers:\n    s1: {address: 10.0.0.11, port: 8080}\n"
    state = load({"haproxy/some/where/web.yaml": f"# a comment\n---\n{BACKEND}{spec}"})
    section = state.instances[InstanceId("eu", "eu-1")].sections[WEB]
    assert section.body == {
        "name": "web",
        "mode": "http",
        "servers": {"s1": {"name": "s1", "address": "10.0.0.11", "port": 8080}},
    }
    assert section.position == Position("haproxy/some/where/web.yaml", 3, 1)
    assert section.digest.startswith("sha256:")
    assert (section.protected, section.ignore, section.secrets, section.resolved) == (False, (), (), True)
    assert state.commit == "c0ffee"
    assert list(state.instances) == [InstanceId("eu", "eu-1"), InstanceId("eu", "eu-2"), InstanceId("us", "us-1")]


def test_instances_share_what_is_equal(load: Load) -> None:
    """A section without variables is one object, however many instances it is for."""
    state = load({"haproxy/web.yaml": BACKEND})
    assert len({id(one.sections[WEB]) for one in state.instances.values()}) == 1


def test_sections_stand_in_the_order_of_plans(load: Load) -> None:
    """The order of files and documents says nothing."""
    kinds = ("Frontend", "Backend", "Userlist", "Defaults")
    text = "".join(
        f"---\napiVersion: haoam/v1\nkind: {k}\nmetadata: {{name: {n}}}\nspec: {{}}\n" for n in "ba" for k in kinds
    )
    sections = load({"haproxy/all.yaml": text}).instances[InstanceId("us", "us-1")].sections
    assert [str(identity) for identity in sections] == [
        "defaults/a",
        "defaults/b",
        "userlist/a",
        "userlist/b",
        "frontend/a",
        "frontend/b",
        "backend/a",
        "backend/b",
    ]


def test_global_has_no_name(load: Load) -> None:
    """`global` is one section; a name in its metadata is for people."""
    for metadata in ("{}", "{name: process}"):
        text = f"apiVersion: haoam/v1\nkind: Global\nmetadata: {metadata}\nspec: {{daemon: true}}\n"
        state = load({"haproxy/global.yaml": text})
        section = state.instances[InstanceId("us", "us-1")].sections[SectionId(SectionKind.GLOBAL, "")]
        assert section.body == {"daemon": True}


def test_files_elsewhere_are_not_looked_at(load: Load) -> None:
    """trust.yaml, docs, keys and whatever else a repository holds is none of this stage's business."""
    elsewhere = {
        "trust.yaml": "x: *",
        "docs/a.yaml": "a: [",
        "README.md": "#",
        "certs/x.pem": b"\xff",
        "haproxy.yaml": "a: [",
    }
    assert instances(load({"haproxy/web.yaml": BACKEND, **elsewhere})) == ["eu/eu-1", "eu/eu-2", "us/us-1"]


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        (
            "haproxy/web.yml",
            "only *.yaml files may stand here (rename it to haproxy/web.yaml) haproxy/web.yml",
        ),
        ("haproxy/notes.txt", "only *.yaml files may stand here (move it away) haproxy/notes.txt"),
        ("access/notes", "only *.yaml files may stand here (move it away) access/notes"),
    ],
)
def test_files_that_may_not_stand_there(refusals: Refusals, path: str, refusal: str) -> None:
    """A file that would be overlooked is a mistake."""
    assert refusals({path: BACKEND}) == [refusal]


@pytest.mark.parametrize("kind", ["Role", "RoleBinding", "Grant", "GroupSnapshot"])
def test_access_documents_are_refused_until_they_are_enforced(refusals: Refusals, kind: str) -> None:
    """Nobody may believe that a rule holds which this version does not know."""
    text = f"apiVersion: haoam/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{}}\n"
    assert refusals({"access/roles.yaml": text}) == [
        f"kind `{kind}` is not supported yet by this version (take it out of git) access/roles.yaml:2:7"
    ]


_POLICY = """\
apiVersion: haoam/v1
kind: ChangePolicy
metadata: {name: classes}
spec: {rules: [{id: PRE-001, match: MATCH, require: []}]}
"""


def test_a_change_policy_names_classes(load: Load) -> None:
    """A class is read with its defaults: backends of every cluster, half of their capacity."""
    (found,) = load({"access/classes.yaml": _POLICY.replace("MATCH", "{fields: [servers.*.weight]}")}).classes
    assert (found.id, found.kinds, found.capacity_left) == ("PRE-001", {SectionKind.BACKEND}, 50)
    assert found.clusters == {"eu", "us"}
    assert found.may_change(SectionKind.BACKEND, "any")
    assert found.allows(("servers", "s.1", "weight"))
    assert not found.allows(("servers", "s1", "port"))


@pytest.mark.parametrize(
    ("match", "refusal"),
    [
        ("{}", "field `fields` is missing"),
        ("{fields: []}", "at least 1 item"),
        ("{fields: [servers.*.wait]}", "`servers.*.wait` cannot be named: Server has no field `wait`"),
        ("{fields: [servers.*.name]}", "part of the identity"),
        ("{fields: [maxconn], kinds: [Backends]}", "there is no kind of section `Backends`"),
        ("{fields: [servers.*.weight], clusters: [nowhere]}", "the fleet has no cluster `nowhere`"),
        ("{fields: [servers.*.weight], capacity_left: 70}", "expected text"),
        ("{fields: [servers.*.weight], capacity_left: '>=700%'}", "capacity_left"),
        ("{fields: [servers.*.weight], names: ['we b']}", "names"),
        ("{fields: [servers.*.weight], name: web}", "unknown field `name`"),
    ],
)
def test_a_class_that_means_nothing_is_refused(refusals: Refusals, match: str, refusal: str) -> None:
    """A class is strict like every document: what it names must be there."""
    found = refusals({"access/classes.yaml": _POLICY.replace("MATCH", match)})
    assert any(refusal in problem and "access/classes.yaml:4:" in problem for problem in found), found


def test_a_class_that_asks_for_reviews_is_refused(refusals: Refusals) -> None:
    """What a change needs stands in trust.yaml: nobody may believe that a class could ask for more."""
    text = _POLICY.replace("MATCH", "{fields: [servers.*.weight]}").replace("require: []", "require: [bob]")
    assert any("require" in problem for problem in refusals({"access/classes.yaml": text}))


def test_a_class_named_twice_is_refused(refusals: Refusals) -> None:
    """An id means one class."""
    text = _POLICY.replace("MATCH", "{fields: [servers.*.weight]}")
    found = refusals({"access/a.yaml": text, "access/b.yaml": text})
    assert found == ["class PRE-001 is named twice (give it another id) access/b.yaml:4:21"]


@pytest.mark.parametrize("path", ["haproxy/x.yaml", "access/x.yaml"])
def test_documents_have_their_folder(refusals: Refusals, path: str) -> None:
    """A section in access/ would escape the rules for haproxy/, and the other way round."""
    text = BACKEND if path.startswith("access/") else _POLICY.replace("MATCH", "{fields: [servers.*.weight]}")
    assert any("does not belong in this file" in problem for problem in refusals({path: text}))


@pytest.mark.parametrize(
    "kind",
    [
        "Role",
        "RoleBinding",
        "Grant",
    ],
)
def test_kinds_to_come(refusals: Refusals, kind: str) -> None:
    """A kind of the design that is not built yet is known by name, and refused."""
    text = f"apiVersion: haoam/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{}}\n"
    assert refusals({"haproxy/x.yaml": text}) == [
        f"kind `{kind}` is not supported yet by this version (take it out of git) haproxy/x.yaml:2:7"
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "kind: Backend",
            "kind: Bakend",
            ["unknown kind `Bakend` (did you mean `Backend`?) haproxy/f.yaml:2:7"],
        ),
        (
            "kind: Backend",
            "kind: Fleet",
            ["kind `Fleet` does not belong in this file (move it to haoam.yaml) haproxy/f.yaml:2:7"],
        ),
        (
            "kind: Backend",
            "kind: TrustPolicy",
            ["kind `TrustPolicy` does not belong in this file (move it to trust.yaml) haproxy/f.yaml:2:7"],
        ),
        ("kind: Backend", "kind: [Backend]", ["kind: expected text (known: Backend, CAFile, Cache, Certificate, "]),
        (
            "kind: Backend\n",
            "",
            [
                (
                    "field `kind` is missing (known: Backend, CAFile, Cache, Certificate, CrtList, CrtStore, Defaults, "
                    "FCGIApp, File, Frontend, Global, HTTPErrors, LogForward, Mailers, Map, Peers, Resolvers, Ring, "
                    "Userlist) "
                    "haproxy/f.yaml:1:1"
                )
            ],
        ),
        (
            "apiVersion: haoam/v1\n",
            "",
            ["field `apiVersion` is missing (write apiVersion: haoam/v1) haproxy/f.yaml:1:1"],
        ),
        (
            "apiVersion: haoam/v1",
            "apiVersion: v1",
            ["unknown apiVersion `v1` (write haoam/v1) haproxy/f.yaml:1:13"],
        ),
        (
            "spec:",
            "specs:",
            ["field `spec` is missing haproxy/f.yaml:1:1", "unknown field `specs` (did you mean `spec`?)"],
        ),
        ("spec:\n  mode: http\n", "spec:\n", ["`spec` is empty (write {} where nothing is to be said)"]),
        ("spec:\n  mode: http\n", "spec: [1]\n", ["spec: expected an object haproxy/f.yaml:5:7"]),
        ("metadata:\n  name: web\n", "", ["field `metadata` is missing haproxy/f.yaml:1:1"]),
        (
            "  name: web",
            "  nam: web",
            ["field `name` is missing in metadata", "unknown field `nam` in metadata (did you mean"],
        ),
        (
            "  name: web",
            "  name: 7",
            ['metadata.name: expected text, found the number 7 (quote it: "7") haproxy/f.yaml:4:9'],
        ),
        (
            "  name: web",
            "  name: we b",
            [
                (
                    "metadata.name: `we b` does not match ^[A-Za-z0-9-_.:]+$ "
                    "(letters, digits, - _ . : only) haproxy/f.yaml:4:9"
                )
            ],
        ),
        (
            "  name: web",
            '  name: "${cluster.name}"',
            ["metadata.name: `${cluster.name}` does not match ^[A-Za-z0-9-_.:]+$"],
        ),
        (
            "  name: web",
            "  name: web\n  protected: yes_please",
            ["metadata.protected: expected true or false, found `yes_please` haproxy/f.yaml:5:14"],
        ),
        (
            "  name: web",
            "  name: web\n  clusters: null",
            ["metadata.clusters: null is no value (give a value, or delete the field) haproxy/f.yaml:5:13"],
        ),
    ],
)
def test_envelopes_that_are_refused(refusals: Refusals, old: str, new: str, expected: list[str]) -> None:
    """Each mistake in the outside of a document has its position, what was expected, and what to do."""
    found = refusals({"haproxy/f.yaml": BACKEND.replace(old, new, 1)})
    assert len(found) == len(expected)
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start) if "haproxy" not in start else line == start


@pytest.mark.parametrize("text", ["- a\n", "just text\n", "12\n"])
def test_documents_that_are_none(refusals: Refusals, text: str) -> None:
    """A list or a scalar is no document."""
    assert refusals({"haproxy/f.yaml": text}) == [
        "expected a document with apiVersion, kind, metadata, spec haproxy/f.yaml:1:1"
    ]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("{env: prod}", ["eu/eu-1", "eu/eu-2", "us/us-1"]),
        ("{env: prod, region: us}", ["us/us-1"]),
        ("[eu]", ["eu/eu-1", "eu/eu-2"]),
        ("[us, eu]", ["eu/eu-1", "eu/eu-2", "us/us-1"]),
    ],
)
def test_selectors(load: Load, selector: str, expected: list[str]) -> None:
    """Labels all hold, or the cluster is named."""
    text = BACKEND.replace("  name: web", f"  name: web\n  clusters: {selector}")
    assert instances(load({"haproxy/f.yaml": text})) == expected


@pytest.mark.parametrize(
    ("selector", "refusal"),
    [
        ("{evn: prod}", "no cluster has a label `evn` (did you mean `env`?) 4:34"),
        ("{env: prd}", "no cluster has the label env: prd (did you mean `prod`?) 4:39"),
        ("{env: staging}", "no cluster has the label env: staging (known: prod) 4:39"),
        ("[eu, ue]", "the fleet has no cluster `ue` (known: eu, us) 4:38"),
        ("[eu, eu]", "cluster `eu` is named twice (keep one of them) 4:38"),
        (
            "[]",
            "expected labels such as {env: prod}, or a list of names such as [edge-eu], found a list 4:33",
        ),
        ("{}", "or a list of names such as [edge-eu], found an object 4:33"),
        ("eu", "or a list of names such as [edge-eu], found `eu` 4:33"),
        ("{env: 1}", "or a list of names such as [edge-eu], found an object 4:33"),
        ("[1]", "or a list of names such as [edge-eu], found a list 4:33"),
    ],
)
def test_selectors_that_are_refused(spec_refusals: SpecRefusals, selector: str, refusal: str) -> None:
    """Whoever writes a selector means some cluster."""
    (found,) = spec_refusals("mode: http", clusters=selector)
    assert found.endswith(refusal)


def test_labels_that_no_cluster_has_together(refusals: Refusals) -> None:
    """Each label is there, but on no cluster both."""
    fleet = FLEET.replace("{env: prod, region: us}", "{env: test, region: us}")
    text = BACKEND.replace("  name: web", "  name: web\n  clusters: {env: test, region: eu}")
    assert refusals({"haoam.yaml": fleet, "haproxy/f.yaml": text}) == [
        "no cluster has all of these labels: env: test, region: eu (each of them has some cluster) haproxy/f.yaml:5:3"
    ]


def test_declared_twice(refusals: Refusals) -> None:
    """Two documents for one section of a cluster; for clusters that do not overlap they are two sections."""
    twice = BACKEND.replace("  name: web", "  name: web\n  clusters: [us]")
    assert refusals({"haproxy/a.yaml": BACKEND, "haproxy/b.yaml": twice}) == [
        (
            "backend/web is declared twice for us, first at haproxy/a.yaml:4:9 "
            "(rename one, or give them clusters that do not overlap) haproxy/b.yaml:4:9"
        )
    ]


def test_one_name_on_two_clusters(load: Load) -> None:
    """Clusters that do not overlap may each have their own section of a name."""
    files = {
        f"haproxy/{c}.yaml": BACKEND.replace("  name: web", f"  name: web\n  clusters: [{c}]") for c in ("eu", "us")
    }
    state = load(files)
    assert instances(state) == ["eu/eu-1", "eu/eu-2", "us/us-1"]
    assert state.instances[InstanceId("us", "us-1")].sections[WEB].position.file == "haproxy/us.yaml"


def test_all_problems_of_a_commit_at_once(refusals: Refusals) -> None:
    """YAML, envelope, fields and references of all files, sorted by place."""
    files = {
        "haproxy/a.yaml": "a: no\n",
        "haproxy/b.yaml": BACKEND.replace("http", "htpp"),
        "haproxy/c.yaml": BACKEND.replace("Backend", "Bakend"),
        "haproxy/d.yaml": f"{BACKEND}  servres: {{}}\n  retries: x\n",
    }
    found = refusals(files)
    assert [line.rsplit(" ", 1)[1] for line in found] == [
        "haproxy/a.yaml:1:4",
        "haproxy/b.yaml:6:9",
        "haproxy/c.yaml:2:7",
        "haproxy/d.yaml:4:9",
        "haproxy/d.yaml:7:3",
        "haproxy/d.yaml:8:12",
    ]


def test_the_code_is_the_gravest() -> None:
    """A file that is no YAML says E_YAML, a wrong field E_INVALID."""
    for text, code in (("a: no\n", "E_YAML"), (BACKEND.replace("http", "htpp"), "E_INVALID")):
        with pytest.raises(InvalidDesiredError) as caught:
            desired.load("c", blobs({"haproxy/a.yaml": text}), None)
        assert caught.value.code == code
        assert caught.value.exit == 3
