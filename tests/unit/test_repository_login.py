"""A private source over https: git gets the token, and nobody else sees it."""

from __future__ import annotations

import base64
import os
import ssl
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from haoam_sync.errors import HaoamError, NotTrustedError, UsageError
from haoam_sync.repository import Login, Repository, parse_source
from haoam_sync.repository.login import Askpass

TOKEN = "s3cret-of-the-source"
REF = "refs/heads/main"


@dataclass
class Forge:
    """A server of repositories behind a login."""

    place: Path
    ca: Path
    port: int = 0
    answers: Mapping[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def url(self, name: str = "lb.git") -> str:
        """Of one repository."""
        return f"https://localhost:{self.port}/{name}"


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: object, forge: Forge) -> None:
        self.forge = forge
        super().__init__(*arguments, directory=str(forge.place))  # type: ignore[arg-type]

    def do_GET(self) -> None:
        expected = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        self.forge.seen.append(self.headers.get("Authorization", ""))
        elsewhere = self.forge.answers.get(self.path.partition("/info")[0])
        if elsewhere is not None:
            self.send_response(302)
            self.send_header("Location", elsewhere + "/info" + self.path.partition("/info")[2])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="lb"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's own name
        """Say nothing."""


@contextmanager
def serving(place: Path, name: str) -> Iterator[Forge]:
    """A forge on loopback, with a certificate of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    ca, whole = place / f"{name}.pem", place / f"{name}-key.pem"
    ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    whole.write_bytes(ca.read_bytes() + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)
    forge = Forge(place / "served", ca)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away is what some tests are about."""

    with Server(("127.0.0.1", 0), partial(_Handler, forge=forge)) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        forge.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield forge
        finally:
            server.shutdown()
            thread.join()


def git(place: Path, *arguments: str) -> str:
    """Run git without anybody's configuration."""
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    done = subprocess.run(
        ["git", "-C", str(place), *who, *arguments],  # noqa: S607 - the git of the PATH
        check=True,
        capture_output=True,
        env=environment,
    )
    return done.stdout.decode().strip()


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    """A repository with one commit on main, and one that only a pull request has."""
    bare = tmp_path / "served" / "lb.git"
    bare.mkdir(parents=True)
    git(bare, "init", "-q", "--bare", "--initial-branch=main")
    tree = git(bare, "hash-object", "-w", "-t", "tree", "/dev/null")
    main = git(bare, "commit-tree", tree, "-m", "main")
    git(bare, "update-ref", REF, main)
    git(bare, "update-ref", "refs/pull/12/head", git(bare, "commit-tree", tree, "-p", main, "-m", "pull"))
    git(bare, "update-ref", "refs/heads/pr/12", main)
    git(bare, "update-server-info")
    with serving(tmp_path, "forge") as found:
        yield found


def opened(tmp_path: Path, forge: Forge, *, token: str = TOKEN) -> Repository:
    """Our copy of it."""
    login = Login("x-access-token", token, forge.ca)
    return Repository.open(tmp_path / "state", forge.url(), REF, timeout=30, login=login)


def test_a_private_source_is_read(tmp_path: Path, forge: Forge) -> None:
    """With the token the branch comes, and so does a pull request's head by its number."""
    with closing(opened(tmp_path, forge)) as repository:
        assert repository.tip == git(forge.place / "lb.git", "rev-parse", REF)
        pull = git(forge.place / "lb.git", "rev-parse", "refs/pull/12/head")
        assert repository.resolve("pr/12") == pull  # not the branch of that name
        assert repository.resolve("#12") == pull
        with pytest.raises(UsageError, match="no commit 'pr/13'"):
            repository.resolve("pr/13")


def test_the_token_is_nowhere(tmp_path: Path, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in an argument, not in the environment, not in what is kept; and its file is gone with the run."""
    places: list[Path] = []
    arguments: list[str] = []
    first = Askpass.__init__

    def watched(self: Askpass, url: str, login: Login) -> None:
        first(self, url, login)
        places.append(Path(self.environment["GIT_ASKPASS"]))

    monkeypatch.setattr(Askpass, "__init__", watched)
    real = subprocess.Popen.__init__

    def popen(self: subprocess.Popen[bytes], args: list[str], *more: object, **options: object) -> None:
        arguments.extend(args)
        arguments.extend((options.get("env") or {}).values())  # type: ignore[attr-defined]
        real(self, args, *more, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess.Popen, "__init__", popen)
    with closing(opened(tmp_path, forge)):
        (program,) = places
        assert program.parent.stat().st_mode & 0o777 == 0o700
        assert (program.parent / "token").stat().st_mode & 0o777 == 0o600
    assert not program.parent.exists()
    assert any("GIT_ASKPASS" in one for one in arguments)
    assert not [one for one in arguments if TOKEN in one]
    kept = b"".join(file.read_bytes() for file in (tmp_path / "state").rglob("*") if file.is_file())
    assert TOKEN.encode() not in kept


def test_a_wrong_token_is_refused_and_not_shown(tmp_path: Path, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that it did not work, and not with what; the token's file is gone then, too."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(HaoamError) as caught:
        opened(tmp_path, forge, token="another-s3cret")
    assert "another-s3cret" not in str(caught.value)
    assert not list(tmp_path.glob("haoam-*"))


def test_a_redirect_gets_no_token(tmp_path: Path, forge: Forge) -> None:
    """A source that is said to be elsewhere is not followed: the other host is not even asked."""
    with serving(tmp_path, "other") as other:
        forge.ca.write_bytes(forge.ca.read_bytes() + other.ca.read_bytes())  # nothing else keeps git from it
        forge.answers = {"/lb.git": other.url()}
        with pytest.raises(HaoamError):
            opened(tmp_path, forge)
        assert other.seen == []


def test_another_host_gets_no_answer(forge: Forge) -> None:
    """The program answers the two questions about the source's host, and no other."""
    asked = Askpass(forge.url(), Login("x-access-token", TOKEN))
    try:
        program = asked.environment["GIT_ASKPASS"]

        def said(question: str) -> tuple[int, str]:
            done = subprocess.run([program, question], check=False, capture_output=True)
            return done.returncode, done.stdout.decode().strip()

        host = f"localhost:{forge.port}"
        assert said(f"Username for 'https://{host}': ") == (0, "x-access-token")
        assert said(f"Password for 'https://x-access-token@{host}': ") == (0, TOKEN)
        token = Path(program).with_name("token")
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (token.parent, token, Path(program))]
        assert modes == [0o700, 0o600, 0o700]
        assert said("Username for 'https://evil.example.com': ") == (1, "")
        for other in ("https://evil.example.com", f"http://x-access-token@{host}", f"https://root@{host}"):
            assert said(f"Password for '{other}': ") == (1, "")
    finally:
        asked.close()


@pytest.mark.parametrize("url", ["ssh://git@host/lb.git", "http://localhost/lb.git", "/srv/lb.git", "git@host:lb.git"])
def test_a_login_is_for_https_alone(url: str) -> None:
    """No other transport hears of the token, nor of a program that knows it."""
    assert not Login("x-access-token", TOKEN).is_for(url)
    assert Login("x-access-token", TOKEN).is_for("https://host/lb.git")


@pytest.mark.parametrize(
    "url",
    [
        f"https://{TOKEN}@git.example.com/lb.git",
        f"https://user:{TOKEN}@git.example.com/lb.git",
        f"https://user:{TOKEN}@with@at@git.example.com/lb.git",
        f"https://git.example.com/lb.git?access_token={TOKEN}",
        f"https://git.example.com/lb.git#{TOKEN}",
        f"user:{TOKEN}@git.example.com:lb.git",
        f"ssh://user:{TOKEN}@git.example.com/lb.git",
    ],
)
def test_a_token_in_a_url(url: str) -> None:
    """A URL that carries a token is refused, and the token is not repeated."""
    with pytest.raises(NotTrustedError) as caught:
        parse_source(url)
    assert caught.value.code == "E_REMOTE_URL"
    assert TOKEN not in str(caught.value)
