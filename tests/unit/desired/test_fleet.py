"""haoam.yaml: what it gives, and what is refused in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desired_commits import FLEET, Files, blobs

from haoam_sync import desired
from haoam_sync.errors import InvalidDesiredError
from haoam_sync.model.fleet import Fleet, InstanceId, Limits
from haoam_sync.model.position import Position
from haoam_sync.model.secret import SecretReference

CA = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def fleet_of(text: str, **files: bytes) -> Fleet:
    """The fleet of a commit."""
    return desired.load_fleet({"haoam.yaml": text.encode(), **files})


def fleet_refusals(text: str, more: dict[str, bytes] | None = None) -> list[str]:
    """Every problem of haoam.yaml."""
    with pytest.raises(InvalidDesiredError) as caught:
        desired.load_fleet({"haoam.yaml": text.encode(), **(more or {})})
    return [str(problem) for problem in caught.value.problems]


def with_url(url: str, networks: str = "") -> str:
    """A fleet of one instance."""
    return f"""\
apiVersion: haoam/v1
kind: Fleet
metadata: {{name: edge}}
spec:
  management_networks: {networks or "[127.0.0.0/8, 10.0.0.0/8, '::1/128', lb.example.com, '*.mgmt.example.com']"}
  clusters:
    eu:
      instances:
        eu-1: {{url: "{url}", user: admin, password: {{secret: env/EU}}}}
"""


def test_a_fleet() -> None:
    """Clusters, instances in their order, labels, variables, and limits by default."""
    fleet = fleet_of(FLEET)
    assert fleet.name == "edge"
    assert list(fleet.clusters) == ["eu", "us"]
    eu = fleet.clusters["eu"]
    assert eu.labels == {"env": "prod", "region": "eu"}
    assert eu.vars == {"backend_port": 9000, "greeting": "hello", "debug": False}
    assert eu.wave == 2
    assert eu.position == Position("haoam.yaml", 6, 5)
    first = eu.instances[0]
    assert first.id == InstanceId("eu", "eu-1")
    assert first.url == "https://10.0.0.1:5555/v3"
    assert first.password == SecretReference("env", "EU")
    assert first.ca is None
    assert first.vars == {"port": 8001}
    assert first.position == Position("haoam.yaml", 11, 9)
    assert fleet.limits == Limits()
    assert fleet.management_networks == ()
    assert [str(instance.id) for instance in fleet.instances()] == ["eu/eu-1", "eu/eu-2", "us/us-1"]


def test_limits_and_authorities() -> None:
    """Limits given replace those by default, one by one; an authority is read from the commit."""
    text = FLEET.replace("  clusters:", "  limits: {changed_percent: 80, delete_frontends: true}\n  clusters:", 1)
    text = text.replace("vars: {port: 8001}", "ca_file: certs/ca.pem", 1)
    fleet = desired.load_fleet({"haoam.yaml": text.encode(), "certs/ca.pem": CA})
    assert fleet.limits == Limits(changed_percent=80, delete_frontends=True)
    assert fleet.clusters["eu"].instances[0].ca == CA


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:5555/v3",
        "http://127.9.9.9/v3",
        "http://[::1]:5555/v3",
        "https://10.0.0.1/v3",
        "https://lb.example.com:5555/v3",
        "https://LB.example.com/dataplane/v3",
        "https://one.mgmt.example.com/v3",
    ],
)
def test_endpoints_that_are_talked_to(url: str) -> None:
    """Https anywhere in the management networks, http on loopback only."""
    assert fleet_of(with_url(url)).clusters["eu"].instances[0].url == url


def test_localhost_needs_its_name_in_the_networks() -> None:
    """A name is judged as a name: it is not looked up."""
    assert fleet_of(with_url("http://localhost:5555/v3", "[localhost]"))
    assert "lies in none of the management networks" in fleet_refusals(with_url("http://localhost:5555/v3"))[0]


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        (
            "http://10.0.0.1:5555/v3",
            (
                "`http://10.0.0.1:5555/v3` would send the password in clear over a network "
                "(write https://, or reach it on loopback)"
            ),
        ),
        ("http://lb.example.com/v3", "would send the password in clear over a network"),
        ("http://127.0.0.1.example.com/v3", "would send the password in clear over a network"),
        (
            "https://192.168.0.1/v3",
            "`192.168.0.1` lies in none of the management networks (add it there, or correct the url)",
        ),
        ("https://mgmt.example.com/v3", "`mgmt.example.com` lies in none of the management networks"),
        ("https://evil.com/v3", "`evil.com` lies in none of the management networks"),
        ("https://127.1/v3", "`127.1` is no address (write all four numbers)"),
        ("https://2130706433/v3", "`2130706433` is no address (write all four numbers)"),
        ("https://0x7f000001/v3", "`0x7f000001` is no address (write all four numbers)"),
        ("https://010.0.0.1/v3", "`010.0.0.1` is no address (write all four numbers)"),
        ("https://[::ffff:10.0.0.1]/v3", "lies in none of the management networks"),
        ("https://[zz]/v3", "`https://[zz]/v3` is no endpoint"),
        ("https://[1:2]/v3", "`1:2` is no address"),
        (
            "https://admin:pw@10.0.0.1/v3",
            "is no endpoint (write https://HOST:PORT/v3, without user, query or fragment)",
        ),
        ("https://10.0.0.1/v3?x=1", "is no endpoint"),
        ("https://10.0.0.1/v3#x", "is no endpoint"),
        ("https://10.0.0.1\\\\@evil.com/v3", "is no endpoint"),
        ("https://10.0.0.1 /v3", "is no endpoint"),
        ("ftp://10.0.0.1/v3", "is no endpoint"),
        ("https://10.0.0.1:0/v3", "port 0 is out of range, expected 1 to 65535"),
        ("https://10.0.0.1:70000/v3", "port 70000 is out of range, expected 1 to 65535"),
        ("https://10.0.0.1", "the path of `https://10.0.0.1` does not end with /v3 (write https://HOST:PORT/v3)"),
        ("https://10.0.0.1/v2", "does not end with /v3"),
        ("https://10.0.0.1/x/../v3", "does not end with /v3"),
        ("https://10.0.0.1/v3/", "is no endpoint"),
    ],
)
def test_endpoints_that_are_not(url: str, refusal: str) -> None:
    """Every other URL is refused where it stands, and no name is looked up for it."""
    (found,) = fleet_refusals(with_url(url))
    assert refusal in found
    assert found.endswith("haoam.yaml:9:21")


def test_management_networks_are_networks() -> None:
    """A network with bits beyond its prefix, and a list that holds nothing, are refused."""
    assert fleet_refusals(with_url("https://10.0.0.1/v3", "[10.0.0.1/8]")) == [
        (
            "`10.0.0.1/8` is no network: 10.0.0.1/8 has host bits set "
            "(write 10.0.0.0/8, with no bits beyond the prefix, or the name of a host) haoam.yaml:5:25"
        )
    ]
    assert (
        fleet_refusals(with_url("https://10.0.0.1/v3", "[]"))
        == [
            "`10.0.0.1` lies in none of the management networks (add it there, or correct the url) haoam.yaml:9:21",
            "the list is empty: no endpoint could lie in it (delete it) haoam.yaml:5:24",
        ][::-1]
    )


def test_two_instances_at_one_endpoint() -> None:
    """Two names for one API would be applied to twice."""
    text = FLEET.replace("https://10.0.0.2:5555/v3", "https://10.0.0.1:5555/v3")
    assert fleet_refusals(text) == [
        "the endpoint of eu/eu-2 is that of eu/eu-1 too (give each instance its own) haoam.yaml:17:16"
    ]


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("wave: 2", "wafe: 2", "unknown field `wafe` in spec.clusters.eu (did you mean `wave`?) haoam.yaml:9:7"),
        ("wave: 2", "wave: two", "spec.clusters.eu.wave: expected a whole number, found `two` haoam.yaml:9:13"),
        (
            "wave: 2",
            'wave: "2"',
            "spec.clusters.eu.wave: expected a whole number, found `2` (write it without quotes) haoam.yaml:9:13",
        ),
        (
            "wave: 2",
            "wave: 0",
            "spec.clusters.eu.wave: the number 0 is out of range, expected at least 1 haoam.yaml:9:13",
        ),
        (
            "wave: 2",
            "wave: null",
            "spec.clusters.eu.wave: null is no value (give a value, or delete the field) haoam.yaml:9:13",
        ),
        (
            "region: eu",
            "region: 1",
            'spec.clusters.eu.labels.region: expected text, found the number 1 (quote it: "1") haoam.yaml:7:35',
        ),
        (
            "greeting: hello",
            "greeting: [hello]",
            (
                "spec.clusters.eu.vars.greeting: expected text on one line, a whole number, true or false, "
                "found a list haoam.yaml:8:44"
            ),
        ),
        (
            "greeting: hello",
            'greeting: "a\\nb"',
            (
                "spec.clusters.eu.vars.greeting: expected text on one line, a whole number, true or false, "
                "found `a\nb` haoam.yaml:8:44"
            ),
        ),
        (
            "greeting: hello",
            'greeting: "${cluster.name}"',
            "a variable cannot refer to another one haoam.yaml:8:44",
        ),
        (
            "greeting: hello",
            "gree.ting: hello",
            (
                "the name `gree.ting` does not match ^[A-Za-z_][A-Za-z0-9_-]*$ "
                "(letters, digits, - _ only, beginning with a letter) haoam.yaml:8:34"
            ),
        ),
        ("          user: admin\n", "", "field `user` is missing in spec.clusters.eu.instances.eu-1 haoam.yaml:11:9"),
        (
            "password: {secret: env/EU}",
            "password: hunter2",
            (
                "spec.clusters.eu.instances.eu-1.password is secret: its value may not stand in git "
                "(write {secret: env/NAME} or {secret: file/PATH}) haoam.yaml:14:21"
            ),
        ),
        (
            "secret: env/EU",
            "secret: vault/EU",
            (
                "spec.clusters.eu.instances.eu-1.password.secret: this is no secret reference "
                "(write env/NAME or file/PATH) haoam.yaml:14:30"
            ),
        ),
        (
            "secret: env/EU",
            "secret: command/EU",
            "command/ references are not supported yet by this version (write env/NAME or file/PATH) haoam.yaml:14:30",
        ),
        (
            "vars: {port: 8001}",
            "ca_file: certs/ca.pem",
            (
                "the repository has no file `certs/ca.pem` "
                "(write its path from the repository's top, without ./) haoam.yaml:15:20"
            ),
        ),
        ("kind: Fleet", "kind: Flete", "unknown kind `Flete` (did you mean `Fleet`?) haoam.yaml:2:7"),
        (
            "kind: Fleet",
            "kind: Backend",
            "kind `Backend` does not belong in this file (move it to haproxy/) haoam.yaml:2:7",
        ),
        ("haoam/v1", "haoam/v2", "unknown apiVersion `haoam/v2` (write haoam/v1) haoam.yaml:1:13"),
        ("name: edge", "name: ed/ge", "does not match ^[A-Za-z0-9][A-Za-z0-9_.-]*$"),
        ("metadata: {name: edge}", "metadata: {}", "field `name` is missing in metadata haoam.yaml:3:1"),
    ],
)
def test_refused_in_the_fleet(old: str, new: str, refusal: str) -> None:
    """Each mistake in haoam.yaml has its position, what was expected, and what to do."""
    (found,) = fleet_refusals(FLEET.replace(old, new, 1))
    assert refusal in found


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (
            CA + b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "holds a private key (take it out of git)",
        ),
        (b"nothing", "holds no certificate in PEM form"),
    ],
)
def test_authorities_that_are_none(content: bytes, refusal: str) -> None:
    """A CA file holds certificates, and never a key."""
    text = FLEET.replace("vars: {port: 8001}", "ca_file: ca.pem", 1)
    (found,) = fleet_refusals(text, {"ca.pem": content})
    assert found == f"`ca.pem` {refusal} haoam.yaml:15:20"


def test_an_authority_for_plain_http() -> None:
    """A CA file beside http:// would promise a check that is not made."""
    text = FLEET.replace("vars: {port: 8003}", "ca_file: ca.pem", 1)
    assert fleet_refusals(text, {"ca.pem": CA}) == [
        "an endpoint of http:// has no certificate (delete ca_file) haoam.yaml:30:20"
    ]


def test_empty_fleets() -> None:
    """A fleet without clusters, and a cluster without instances, are said to be so."""
    head = FLEET[: FLEET.index("    eu:")].rstrip("\n")
    assert fleet_refusals(f"{head} {{}}\n") == [
        "the fleet has no cluster (name one, with its instances) haoam.yaml:5:13"
    ]
    assert fleet_refusals(f"{head}\n    eu:\n      instances: {{}}\n") == [
        "cluster `eu` has no instance (name one, or delete the cluster) haoam.yaml:7:7"
    ]
    assert fleet_refusals(f"{head}\n    eu: {{}}\n") == [
        "field `instances` is missing in spec.clusters.eu haoam.yaml:6:5"
    ]


def test_haoam_yaml_is_one_document() -> None:
    """The fleet is one document in one file, and must be there."""
    with pytest.raises(InvalidDesiredError) as caught:
        desired.load_fleet({})
    assert [str(p) for p in caught.value.problems] == [
        "the file is missing (a desired-state repository names its fleet there) haoam.yaml"
    ]
    assert fleet_refusals("") == ["expected one document of kind Fleet, found 0 haoam.yaml"]
    assert fleet_refusals(f"{FLEET}---\n{FLEET}") == ["expected one document of kind Fleet, found 2 haoam.yaml"]


def test_problems_of_the_fleet_do_not_hide_the_others(refusals: Callable[[Files], list[str]]) -> None:
    """A broken fleet is reported together with what is wrong in haproxy/."""
    backend = "apiVersion: haoam/v1\nkind: Backend\nmetadata: {name: web}\nspec: {mode: htpp}\n"
    found = refusals({"haoam.yaml": FLEET.replace("wave: 2", "wave: x"), "haproxy/b.yaml": backend})
    assert len(found) == 2
    assert found[0].endswith("haoam.yaml:9:13")
    assert found[1].endswith("haproxy/b.yaml:4:14")


def test_only_the_blobs_given_are_read() -> None:
    """A fleet is a pure function of the bytes handed in."""
    assert desired.load_fleet(blobs({})) == desired.load_fleet(blobs({"haproxy/x.yaml": "nonsense: ["}))
