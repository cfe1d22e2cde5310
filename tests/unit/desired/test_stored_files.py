"""Documents of files: contents, names, references, and what may not stand in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desired_commits import Files

from haoam_sync import desired
from haoam_sync.model.desired import Desired
from haoam_sync.model.json import digest_bytes
from haoam_sync.model.stored import FileId, FileKind

Refusals = Callable[[Files], list[str]]
Load = Callable[..., Desired]


def document(kind: str, name: str, spec: str, metadata: str = "") -> str:
    """One document; its spec begins in line 5 of it."""
    return f"---\napiVersion: haoam/v1\nkind: {kind}\nmetadata: {{name: {name}{metadata}}}\nspec:\n  {spec}\n"


HOSTS = document("Map", "hosts", "entries: {api.example: api, www.example: www}")
PAGE = document("File", "sorry.http", "content: HTTP/1.0 503 x")
RULE = "backend_switching_rule_list: [{name: '%[req.hdr(host),lower,map_str(hosts,web)]'}]"


def body(wanted: Desired, name: str) -> str:
    """The body of a frontend of the first instance, as text."""
    (first, *_) = wanted.instances.values()
    return next(str(one.body) for identity, one in first.sections.items() if identity.name == name)


def test_a_name_is_made_of_the_content(load: Load) -> None:
    """A file is stored under its content's digest; what refers to it by name gets that path, and nothing else does."""
    wanted = load(
        {
            "haproxy/f.yaml": HOSTS
            + PAGE
            + document("Frontend", "fe", RULE + "\n  error_files: [{code: 503, file: sorry.http}]")
        }
    )
    (first, *_) = wanted.instances.values()
    hosts = first.files[FileId(FileKind.MAP, "hosts")]
    assert hosts.content == b"api.example api\nwww.example www\n"
    assert f"map_str(@maps_dir/{hosts.storage_name},web)" in body(wanted, "fe")
    page = first.files[FileId(FileKind.FILE, "sorry.http")]
    assert f"@general_dir/{page.storage_name}" in body(wanted, "fe")
    assert page.storage_name.startswith("sorry-")
    assert page.storage_name.endswith(".http")


def test_an_adopted_file_keeps_its_name_with_its_content_only(load: Load) -> None:
    """The very content that lay there before keeps its name; any other gets its own. What was adopted is reviewed."""
    digest = digest_bytes(b"api.example api\nwww.example www\n")
    adopted = HOSTS.replace("{name: hosts}", f'{{name: hosts, adopted: {{name: by-hand.map, digest: "{digest}"}}}}')
    frontend = document("Frontend", "fe", RULE)
    wanted = load({"haproxy/f.yaml": adopted + frontend})
    assert "map_str(@maps_dir/by-hand.map,web)" in body(wanted, "fe")
    changed = adopted.replace("example: www", "example: w2")
    other = load({"haproxy/f.yaml": changed + frontend})
    (first, *_) = other.instances.values()
    (file,) = first.files.values()
    assert file.storage_name == file.id.storage_name(file.content)
    found = desired.change(load({"haproxy/f.yaml": HOSTS + frontend}), wanted)["instances"]
    assert found != {}
    assert "by-hand.map" in str(found)


def test_a_changed_content_is_a_change_to_review(load: Load) -> None:
    """The change that is signed shows the whole text of a file before and after, and no section that only names it."""
    frontend = document("Frontend", "fe", RULE)
    before = load({"haproxy/f.yaml": HOSTS + frontend})
    after = load(
        {"haproxy/f.yaml": HOSTS.replace("www: www", "www: web").replace("example: www", "example: api") + frontend}
    )
    found = desired.change(before, after)["instances"]
    assert isinstance(found, dict)
    for parts in found.values():
        assert parts == {
            "files": {
                "map/hosts": {
                    "before": {"text": "api.example api\nwww.example www\n"},
                    "after": {"text": "api.example api\nwww.example api\n"},
                }
            }
        }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (document("Map", "m", "content: 'key'"), "line 1 has a key and no value"),
        (document("Map", "m", "{}"), "the content is not given in one way"),
        (document("Map", "m", "{content: a b, content_file: x}"), "the content is not given in one way"),
        (document("Map", "m", "entries: {'a b': c}"), "a key of a map is one word"),
        (document("Map", "m", "contents: a b"), "unknown field `contents`"),
        (document("File", "a..b", "content: x"), "holds two dots in a row"),
        (document("File", "f", "content_file: none"), "the repository has no file `none`"),
        (document("File", "f", "content: '-----BEGIN PRIVATE KEY-----'"), "a private key may not stand in git"),
        (document("CAFile", "ca", "content: x"), "no certificate and no revocation list in PEM form"),
        (document("CrtList", "l", "entries: [{certificate: nobody}]"), "no certificate `nobody` is declared"),
        (document("CrtList", "l", "entries: []"), "spec.entries"),
        (document("Frontend", "fe", RULE), "no map `hosts` is declared"),
        (document("Frontend", "fe", "acl_list: [{acl_name: a, criterion: path, value: -f paths}]"), "no file `paths`"),
        (document("Frontend", "fe", "binds: {b: {port: 1, ssl: true, ssl_cafile: ca}}"), "no ca-file `ca` is declared"),
        (document("Frontend", "fe", "binds: {b: {port: 1, ssl: true, crt_list: l}}"), "no crt-list `l` is declared"),
        (document("CrtStore", "s", "crt_loads: {site: {}}"), "no certificate `site` is declared"),
    ],
)
def test_what_is_refused(refusals: Refusals, text: str, expected: str) -> None:
    """Each wrong document is refused at its place, with the reason."""
    found = refusals({"haproxy/f.yaml": text})
    assert any(expected in line and "haproxy/f.yaml:" in line for line in found), found


@pytest.mark.parametrize(
    "path", ["@ssl_certs_dir/site-unresolved.pem", "@general_dir/ca-unresolved.ca.pem", "@maps_dir/x", "a @maps_dir/x"]
)
def test_a_placeholder_is_not_for_documents(refusals: Refusals, path: str) -> None:
    """Nobody writes the path that stands for a declared file: it would name what nobody checked."""
    text = document("Frontend", "fe", f"binds: {{b: {{port: 1, ssl: true, ssl_certificate: '{path}'}}}}")
    assert any("are not for documents" in line for line in refusals({"haproxy/f.yaml": text}))


def test_external_files_keep_their_words(load: Load) -> None:
    """A file that is said to be there, and one named by its path, stay as they are written."""
    frontend = document(
        "Frontend",
        "fe",
        "http_request_rule_list: [{type: deny, cond: if, cond_test: '{ path -f /etc/a } { src -f b }'}]",
        ", external: [file/b]",
    )
    assert "{ path -f /etc/a } { src -f b }" in body(load({"haproxy/f.yaml": frontend}), "fe")
