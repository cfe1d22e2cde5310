"""The demo's world: a work tree, people with keys, the lab, and the servers behind it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from haoam_sync.lab.backends import Backends
from haoam_sync.lab.demo_checks import DemoFailedError

EXAMPLE = Path(__file__).resolve().parents[2] / "example-repo"
PASSWORD = "adminpwd"  # noqa: S105 - the lab's own default, on loopback only
_PORT = re.compile(r"\b18[5-7]\d\d\b")
_WAIT_S = 60.0
_SECRETS = """\
  secrets:
    - {{reference: env/HAOAM_LAB_PASSWORD, kinds: [Fleet], fields: ["*"], clusters: ["*"]}}
    - {{reference: env/HAOAM_OPERATOR_PASSWORD, kinds: [Userlist], fields: [users.*.password], clusters: ["*"]}}
    - {{reference: file/site.pem, kinds: [Certificate], fields: ["*"], clusters: [edge-eu, edge-us]}}
  secret_files: {directory}
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams."""
        return self.out + self.err


class World:
    """Everything that the demo has made. Its methods do what a person would type."""

    def __init__(self, work: Path, example: Path) -> None:
        self.work = work
        self.repo = work / "repo"
        self.lab = work / "lab"
        self.audit = work / "audit"
        self.secrets = work / "secrets"
        self.ports: Mapping[str, Mapping[str, int]] = {}
        self._example = example
        self._keys = work / "keys"
        self._lab_process: subprocess.Popen[str] | None = None
        self._origins: Backends | None = None

    # -- the tool -----------------------------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """The four places, and the secrets that the host root file allows."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("HAOAM_")},
            **{name: value for name, value in os.environ.items() if name in {"HAOAM_HAPROXY", "HAOAM_DATAPLANEAPI"}},
            "HAOAM_REPO": str(self.repo),
            "HAOAM_ROOT": str(self.work / "root.yaml"),
            "HAOAM_STATE": str(self.work / "state"),
            "HAOAM_AUDIT": str(self.audit),
            "HAOAM_LAB_PASSWORD": PASSWORD,
            "HAOAM_OPERATOR_PASSWORD": "for-this-demo-only",
            "NO_COLOR": "1",
        }

    def must(self, code: int, *arguments: str) -> Ran:
        """Run `haoam-sync`, which must end with `code`.

        Raises:
            DemoFailedError: it ended with another one.
        """
        done = subprocess.run(
            [sys.executable, "-c", "from haoam_sync.cli import main; main()", *arguments],
            env=self.environment,
            cwd=self.work,
            capture_output=True,
            text=True,
            timeout=_WAIT_S * 2,
            check=False,
        )
        if done.returncode != code:
            command = " ".join(("haoam-sync", *arguments))
            raise DemoFailedError(f"`{command}` ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}")
        return Ran(done.returncode, done.stdout, done.stderr)

    def review(self, change_digest: str) -> None:
        """Bob reviews the tip."""
        key = f"--key={self.private('bob')}"
        self.must(0, "review", self.head(), key, "--yes", f"--expect={change_digest}")

    def reviewed_plan(self, code: int = 2) -> str:
        """Bob reviews the tip; the digest of its plan."""
        proposed = json_of(self.must(code, "plan", "--output", "json").out)
        self.review(proposed["change_digest"])
        return str(json_of(self.must(code, "plan", "--output", "json").out)["plan_digest"])

    # -- people -------------------------------------------------------------------------------------------------------

    def make_keys(self, *names: str) -> None:
        """An SSH key for each."""
        self._keys.mkdir(mode=0o700)
        for name in names:
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.private(name))]
            self._run(command, cwd=self.work)

    def private(self, name: str) -> Path:
        """Path of a private key."""
        return self._keys / name

    def public(self, name: str) -> Path:
        """Path of a public key."""
        return self._keys / f"{name}.pub"

    def allow_secrets(self) -> None:
        """What an operator writes into the host root file: which secrets this host resolves."""
        self.secrets.mkdir(mode=0o700)
        pem = self.secrets / "site.pem"
        pem.touch(mode=0o600)
        pem.write_bytes(_certificate())
        root = self.work / "root.yaml"
        rules = _SECRETS.format(directory=self.secrets)
        root.write_text(root.read_text(encoding="utf-8").replace("  secrets: []\n", rules), encoding="utf-8")

    # -- git ----------------------------------------------------------------------------------------------------------

    def copy_example(self) -> None:
        """The example, its ports replaced by free ones: nothing that runs here already is in the way."""
        shutil.copytree(self._example, self.repo)
        file = self.repo / "haoam.yaml"
        text = file.read_text(encoding="utf-8")
        wanted = sorted(set(_PORT.findall(text)))
        with _free_ports(len(wanted)) as ports:
            for old, new in zip(wanted, ports, strict=True):
                text = re.sub(rf"\b{old}\b", f"@{new}@", text)
        file.write_text(text.replace("@", ""), encoding="utf-8")
        self.ports = _ports_of(file.read_text(encoding="utf-8"))

    def commit(self, message: str, *, signer: str | None) -> str:
        """Commit everything in the work tree; the new commit's id."""
        self._git("add", "--all")
        if signer is None:
            self._git("commit", "--quiet", "--no-gpg-sign", "-m", message)
        else:
            self._git("-c", f"user.signingKey={self.private(signer)}", "commit", "--quiet", "-S", "-m", message)
        return self.head()

    def head(self) -> str:
        """Id of the tip."""
        return self._git("rev-parse", "HEAD").strip()

    def reset(self, commit: str) -> None:
        """Throw away what came after `commit`."""
        self._git("reset", "--quiet", "--hard", commit)

    def revert(self, good: str) -> None:
        """A new commit, signed by alice, with the content of `good`."""
        self._git("read-tree", "-u", "--reset", good)
        self.commit(f"Go back to {good[:12]}", signer="alice")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace text in a file of the work tree."""
        file = self.repo / path
        text = file.read_text(encoding="utf-8")
        if old not in text:
            raise DemoFailedError(f"{path} does not hold {old!r}")
        file.write_text(text.replace(old, new), encoding="utf-8")

    def _git(self, *arguments: str) -> str:
        settings = ("user.name=demo", "user.email=demo@example.invalid", "gpg.format=ssh", "core.hooksPath=/dev/null")
        options = [part for setting in settings for part in ("-c", setting)]
        return self._run(["git", *options, *arguments], cwd=self.repo)

    # -- the lab ------------------------------------------------------------------------------------------------------

    def start_lab(self) -> list[dict[str, Any]]:
        """`haoam-sync lab up`; what it says of each instance."""
        self._lab_process = subprocess.Popen(
            [sys.executable, "-c", "from haoam_sync.cli import main; main()", "lab", "up", f"--dir={self.lab}"],
            env=self.environment,
            cwd=self.work,
            stdout=subprocess.PIPE,
            stderr=(self.work / "lab.log").open("w", encoding="utf-8"),
            text=True,
        )
        watchdog = threading.Timer(_WAIT_S, self._lab_process.terminate)  # ends the wait for a line that never comes
        watchdog.start()
        try:
            return [self._said(self._lab_process) for _ in self.instances()]
        finally:
            watchdog.cancel()

    def start_origins(self) -> int:
        """The servers behind every cluster; how many."""
        names = {
            f"{cluster}/{name.removesuffix('_port').replace('_', '-')}": port
            for cluster, ports in self.ports.items()
            for name, port in ports.items()
            if "/" not in name
        }
        self._origins = Backends(names)
        return len(names)

    def stop(self) -> None:
        """End the processes that were started here."""
        if self._origins is not None:
            self._origins.stop()
        process = self._lab_process
        if process is not None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_WAIT_S)
            if process.stdout is not None:
                process.stdout.close()

    def instances(self) -> Iterator[tuple[str, str]]:
        """Cluster and name of each instance."""
        for cluster, ports in self.ports.items():
            for name in ports:
                if name.endswith("/url"):
                    yield cluster, name.partition("/")[0]

    def home(self, cluster: str, instance: str) -> Path:
        """The lab's directory of an instance."""
        return self.lab / f"{cluster}-{instance}"

    def running_text(self, cluster: str, instance: str) -> str:
        """haproxy.cfg on disk, without its version lines: another way than the API's."""
        lines = (self.home(cluster, instance) / "haproxy.cfg").read_text(encoding="utf-8").splitlines()
        return "\n".join(line for line in lines if not line.startswith(("# _version", "# _md5hash")))

    def _said(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            raise DemoFailedError(f"the lab does not start:\n{(self.work / 'lab.log').read_text(encoding='utf-8')}")
        return json_of(line)

    def _run(self, command: list[str], cwd: Path) -> str:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DemoFailedError(f"`{' '.join(command)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout


def json_of(text: str) -> dict[str, Any]:
    """A command's output as a JSON object."""
    value: dict[str, Any] = json.loads(text)
    return value


@contextlib.contextmanager
def _free_ports(count: int) -> Iterator[list[int]]:
    """Ports that nobody uses; held together, so that no two are the same."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        yield [one.getsockname()[1] for one in sockets]


def _ports_of(text: str) -> dict[str, dict[str, int]]:
    """For each cluster its ports: `web_a_port`, `eu-1/http_port`, `eu-1/url`. The file's own layout is relied on."""
    ports: dict[str, dict[str, int]] = {}
    cluster = instance = ""
    for line in text.splitlines():
        if found := re.fullmatch(r" {4}([\w-]+):", line):
            cluster = found[1]
            ports[cluster] = {}
        elif found := re.fullmatch(r" {8}([\w-]+):", line):
            instance = found[1]
        elif found := re.search(r"url: http://127\.0\.0\.1:(\d+)/", line):
            ports[cluster][f"{instance}/url"] = int(found[1])
        else:
            prefix = f"{instance}/" if line.startswith(" " * 10) else ""
            for name, port in re.findall(r"(?<!\w)(\w+_port): (\d+)", line):
                ports[cluster][prefix + name] = int(port)
    return ports


def _certificate() -> bytes:
    """A self-signed certificate for 127.0.0.1 with its key, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "haoam demo")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + private
