"""Secrets: where references may stand, and how values get into their place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desired_commits import BACKEND, Files, blobs

from haoam_sync import desired
from haoam_sync.errors import InvalidDesiredError, NotTrustedError, UsageError
from haoam_sync.model.desired import CERTIFICATE_DIR, Desired
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.json import digest_bytes
from haoam_sync.model.secret import SecretReference, SecretUse
from haoam_sync.model.section import SectionId, SectionKind

SpecRefusals = Callable[..., list[str]]
USERS = SectionId(SectionKind.USERLIST, "people")
USERLIST = """\
apiVersion: haoam/v1
kind: Userlist
metadata: {name: people}
spec:
  users:
    bob: {password: {secret: "env/BOB_${cluster.name}"}, secure_password: false}
    eve: {password: {secret: file/eve}, secure_password: false}
"""
CHAIN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
KEY = "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----"
SITE = """\
apiVersion: haoam/v1
kind: Certificate
metadata: {name: site}
spec:
  pem: {secret: file/site.pem}
---
apiVersion: haoam/v1
kind: Frontend
metadata: {name: web}
spec:
  binds:
    https: {address: "*", port: 443, ssl: true, ssl_certificate: site}
"""


def load(files: Files, reveal: Callable[[SecretUse], str] | None) -> Desired:
    """Load a commit with a way to get secrets."""
    return desired.load("c", blobs(files), reveal)


def vault(use: SecretUse) -> str:
    """A secret for every reference."""
    return f"{CHAIN}\n{KEY}" if use.kind == "Certificate" else f"value-of-{use.reference.locator}"


def test_unresolved_the_reference_stands_in_its_place() -> None:
    """Without a way to resolve them, the texts of the references stand there, and the section says so."""
    section = load({"haproxy/u.yaml": USERLIST}, None).instances[InstanceId("us", "us-1")].sections[USERS]
    assert section.body["users"] == {
        "bob": {"username": "bob", "password": "env/BOB_us", "secure_password": False},
        "eve": {"username": "eve", "password": "file/eve", "secure_password": False},
    }
    assert not section.resolved
    assert section.secrets == (
        SecretUse(SecretReference("env", "BOB_us"), "Userlist", "users.*.password", "us", ("users", "bob", "password")),
        SecretUse(SecretReference("file", "eve"), "Userlist", "users.*.password", "us", ("users", "eve", "password")),
    )


def test_resolved_the_value_does() -> None:
    """Each secret is asked for once for each cluster and field; the section says that it holds values."""
    asked: list[SecretUse] = []

    def reveal(use: SecretUse) -> str:
        asked.append(use)
        return vault(use)

    state = load({"haproxy/u.yaml": USERLIST}, reveal)
    section = state.instances[InstanceId("eu", "eu-2")].sections[USERS]
    assert section.resolved
    assert section.body["users"]["bob"]["password"] == "value-of-BOB_eu"  # type: ignore[index, call-overload]
    assert len(asked) == len(set(asked)) == 4
    assert "value-of" not in repr(state)


def test_the_digest_covers_references_not_values() -> None:
    """A section's digest does not change when its secrets are resolved, and does when a reference changes."""
    files = {"haproxy/u.yaml": USERLIST}
    before = load(files, None).instances[InstanceId("us", "us-1")].sections[USERS]
    after = load(files, vault).instances[InstanceId("us", "us-1")].sections[USERS]
    assert before.digest == after.digest
    other = load({"haproxy/u.yaml": USERLIST.replace("file/eve", "file/adam")}, None)
    assert other.instances[InstanceId("us", "us-1")].sections[USERS].digest != before.digest


@pytest.mark.parametrize(
    "spec",
    [
        "http_request_rule_list: [{type: set-header, hdr_name: X, hdr_format: {secret: env/X}}]",
        "description: {secret: file/audit.key}",
        "http_request_rule_list: [{type: deny, cond: if, cond_test: {secret: file/audit.key}}]",
        "servers: {s1: {address: {secret: env/X}}}",
    ],
)
def test_a_reference_out_of_place(spec_refusals: SpecRefusals, spec: str) -> None:
    """A repository cannot read a runner's files into a header: a reference stands in secret-typed fields only."""
    (found,) = spec_refusals(spec)
    assert "is no secret field of Backend" in found
    text = f"{BACKEND}  {spec}\n"
    with pytest.raises(InvalidDesiredError) as caught:
        load({"haproxy/f.yaml": text}, vault)
    assert caught.value.code == "E_SECRET_REFERENCE"


def test_no_secret_is_asked_for_while_anything_is_wrong() -> None:
    """Secrets are resolved last: of a commit with a mistake none is."""
    asked: list[SecretUse] = []
    files = {"haproxy/u.yaml": USERLIST, "haproxy/b.yaml": BACKEND.replace("http", "htpp")}
    with pytest.raises(InvalidDesiredError):
        load(files, lambda use: asked.append(use) or "x")  # type: ignore[func-returns-value]
    assert asked == []


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        (
            "hunter2",
            (
                "spec.users.bob.password is secret: its value may not stand in git "
                "(write {secret: env/NAME} or {secret: file/PATH}) 6:27"
            ),
        ),
        (
            "{secret: hunter2}",
            "spec.users.bob.password.secret: this is no secret reference (write env/NAME or file/PATH)",
        ),
        (
            "{secret: command/x}",
            "spec.users.bob.password.secret: command/ references are not supported yet by this ver",
        ),
        (
            "{secret: sops/x#y}",
            "spec.users.bob.password.secret: sops/ references are not supported yet by this version",
        ),
        ("{secret: env/A, or: env/B}", "unknown field `or` beside `secret` (delete it) 6:43"),
    ],
)
def test_passwords_in_clear(spec_refusals: SpecRefusals, password: str, refusal: str) -> None:
    """A password in git is refused, and not repeated in the message."""
    spec = f"users: {{bob: {{password: {password}, secure_password: false}}}}"
    found = spec_refusals(spec, kind="Userlist", name="people")
    assert found[0].startswith(refusal)
    assert not any("hunter2" in line for line in found)


def test_a_reference_that_a_variable_breaks(spec_refusals: SpecRefusals) -> None:
    """A reference is judged once its variables are filled in."""
    spec = 'users: {bob: {password: {secret: "env/A ${cluster.name}"}, secure_password: false}}'
    (found, *_) = spec_refusals(spec, kind="Userlist", name="people")
    assert found.startswith("spec.users.bob.password.secret: this is no secret reference")


@pytest.mark.parametrize("value", ["a\nuser eve insecure-password x", "a\rb", "", "a\x00b"])
def test_values_that_would_write_another_line(value: str) -> None:
    """However a secret is obtained, it never becomes a second line of haproxy.cfg."""
    with pytest.raises(UsageError) as caught:
        load({"haproxy/u.yaml": USERLIST}, lambda _: value)
    assert caught.value.code == "E_SECRET_VALUE"
    assert "insecure" not in str(caught.value)


def test_a_host_that_refuses_is_heard() -> None:
    """What the host does not allow ends the loading with the host's own refusal."""

    def reveal(use: SecretUse) -> str:
        raise NotTrustedError(f"not {use.reference}", code="E_SECRET_REFERENCE")

    with pytest.raises(NotTrustedError) as caught:
        load({"haproxy/u.yaml": USERLIST}, reveal)
    assert caught.value.code == "E_SECRET_REFERENCE"


def test_certificates() -> None:
    """A certificate gets a content-addressed name, and the bind that names its document gets the path."""
    frontend = SectionId(SectionKind.FRONTEND, "web")
    before = load({"haproxy/s.yaml": SITE}, None).instances[InstanceId("eu", "eu-1")]
    assert before.certificates["site"].storage_name == "site-unresolved.pem"
    assert before.certificates["site"].content is None
    assert before.certificates["site"].reference == SecretReference("file", "site.pem")
    assert before.sections[frontend].body["binds"]["https"]["ssl_certificate"] == (  # type: ignore[index, call-overload]
        f"{CERTIFICATE_DIR}site-unresolved.pem"
    )
    after = load({"haproxy/s.yaml": SITE}, vault).instances[InstanceId("eu", "eu-1")]
    content = f"{CHAIN}\n{KEY}\n".encode()
    name = f"site-{digest_bytes(content).removeprefix('sha256:')[:32]}.pem"
    assert after.certificates["site"].content == content
    assert after.certificates["site"].storage_name == name
    assert after.sections[frontend].body["binds"]["https"]["ssl_certificate"] == CERTIFICATE_DIR + name  # type: ignore[index, call-overload]
    assert after.sections[frontend].digest == before.sections[frontend].digest
    assert "BBBB" not in repr(after)


def test_a_chain_in_git_and_a_key_that_is_not() -> None:
    """Certificate and chain may stand in the document, or in a file of the repository; the key comes after them."""
    inline = "  chain: |\n" + "".join(f"    {line}\n" for line in CHAIN.splitlines())
    for chain, files in ((inline, {}), ("  chain_file: certs/site.pem\n", {"certs/site.pem": CHAIN})):
        text = SITE.replace("  pem: {secret: file/site.pem}\n", f"{chain}  key: {{secret: env/KEY}}\n")
        asked: list[SecretUse] = []
        state = load({"haproxy/s.yaml": text, **files}, lambda use, asked=asked: asked.append(use) or KEY)  # type: ignore[misc]
        certificate = state.instances[InstanceId("us", "us-1")].certificates["site"]
        assert certificate.content == f"{CHAIN}\n{KEY}\n".encode()
        assert certificate.reference == SecretReference("env", "KEY")
        assert asked[0] == SecretUse(SecretReference("env", "KEY"), "Certificate", "key", "eu")


@pytest.mark.parametrize(
    ("spec", "refusal"),
    [
        ("pem: {secret: file/x}\nkey: {secret: file/y}", "the certificate is not given in one way"),
        ("key: {secret: file/y}", "the certificate is not given in one way"),
        ("chain: x", "the certificate is not given in one way"),
        ("{}", "the certificate is not given in one way"),
        ("pem: X", "spec.pem is secret: its value may not stand in git (write {secret: env/NAME} or"),
        ("key: X\nchain: x", "spec.key is secret: its value may not stand in git"),
        ("pem: {secret: X}", "spec.pem.secret: this is no secret reference (write env/NAME or file/PATH) 6:17"),
        ("pem: {secret: command/x}", "spec.pem.secret: command/ references are not supported yet by this version"),
        ("pme: {secret: file/x}", "unknown field `pme` in spec (did you mean `pem`?) 6:3"),
        ("chain: x\nkey: {secret: file/x}", "no certificate in PEM form is there 6:10"),
        ("chain_file: certs/x\nkey: {secret: file/x}", "the repository has no file `certs/x`"),
        ('pem: {secret: "file/${cluster.vars.x}"}', "${cluster.vars.x}: cluster eu has no variable `x`"),
        ('pem: {secret: "file/${cluster.nmae}"}', "`${cluster.nmae}` is no variable"),
    ],
)
def test_certificates_that_are_refused(spec_refusals: SpecRefusals, spec: str, refusal: str) -> None:
    """A certificate is one secret, or a chain and a secret; the key never stands in git."""
    found = spec_refusals(spec, kind="Certificate", name="site")
    assert any(line.startswith(refusal) for line in found), found


def test_a_key_in_git_is_refused(refusals: Callable[[Files], list[str]]) -> None:
    """A chain file that holds a key too is a leak, and is called one."""
    text = SITE.replace("  pem: {secret: file/site.pem}\n", "  chain_file: certs/s.pem\n  key: {secret: env/KEY}\n")
    assert refusals({"haproxy/s.yaml": text, "certs/s.pem": f"{CHAIN}\n{KEY}"}) == [
        "a private key may not stand in git (take it out, and replace it) haproxy/s.yaml:5:15"
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (CHAIN, "no private key in PEM form is there"),
        (KEY, "no certificate in PEM form is there"),
        ("x", "no private key"),
    ],
)
def test_secrets_that_are_no_certificates(value: str, message: str) -> None:
    """What is not a certificate with its key is not sent to any instance."""
    with pytest.raises(UsageError, match=message) as caught:
        load({"haproxy/s.yaml": SITE}, lambda _: value)
    assert caught.value.where == "certificate site, file/site.pem"


def test_a_certificate_for_each_cluster() -> None:
    """A reference may name the cluster; each gets its own content and name."""
    text = SITE.replace("file/site.pem", '"file/${cluster.name}.pem"')
    state = load({"haproxy/s.yaml": text}, lambda use: f"{CHAIN}\n{KEY.replace('BBBB', use.cluster * 4)}")
    names = {str(key): one.certificates["site"].storage_name for key, one in state.instances.items()}
    assert names["eu/eu-1"] == names["eu/eu-2"] != names["us/us-1"]


def test_secrets_of_a_proposed_commit_are_never_resolved() -> None:
    """A commit that is only proposed is loaded with the accepted fleet, and then no secret is."""
    fleet = desired.load_fleet(blobs({}))
    with pytest.raises(ValueError, match="never resolved"):
        desired.load("c", blobs({"haproxy/u.yaml": USERLIST}), vault, fleet=fleet)
