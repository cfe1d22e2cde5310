"""A repository, its people, a host, and HAProxy instances with their APIs behind gates."""

from __future__ import annotations

import http.client
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from apply_lab import LabInstance, free_port, lab
from flow_cli import COMMAND, Ran, environment, run
from flow_gate import Gate

from haoam_sync.lab.backends import Backends

PASSWORD = "adminpwd"
_PATIENCE_S = 20.0
_NAMES = ("web-1", "web-2", "api-1")

CONFIG = """\
global
  master-worker
  stats socket ${DIR}/admin.sock mode 600 level admin expose-fd listeners

# somebody wrote this by hand
defaults base
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s

userlist controller
  user admin insecure-password adminpwd

backend theirs from base
  # not ours
  balance   leastconn
  server t1 127.0.0.1:1 weight 3
  server t2 127.0.0.1:2

listen old from base
  bind 127.0.0.1:${OLD_PORT}
  server o1 127.0.0.1:1
"""
FOREIGN = ("backend theirs", "listen old", "userlist controller", "defaults base")

BASE = """\
apiVersion: haoam/v1
kind: Defaults
metadata: {name: edge}
spec: {mode: http, connect_timeout: 2000, client_timeout: 30000, server_timeout: 30000}
"""
WEB = """\
apiVersion: haoam/v1
kind: Backend
metadata: {name: web}
spec:
  from: edge
  mode: http
  balance: {algorithm: roundrobin}
  servers:
    web-1: {address: 127.0.0.1, port: "${cluster.vars.web_1}", weight: 100}
    web-2: {address: 127.0.0.1, port: "${cluster.vars.web_2}", weight: 100}
"""
API = """\
apiVersion: haoam/v1
kind: Backend
metadata: {name: api}
spec:
  from: edge
  mode: http
  servers:
    api-1: {address: 127.0.0.1, port: "${cluster.vars.api_1}"}
"""
FRONTEND = """\
apiVersion: haoam/v1
kind: Frontend
metadata: {name: fe}
spec:
  from: edge
  mode: http
  binds:
    http: {address: 127.0.0.1, port: "${instance.vars.port}"}
  default_backend: web
  acl_list: [{acl_name: is_api, criterion: path_beg, value: /api/}]
  backend_switching_rule_list: [{name: api, cond: if, cond_test: is_api}]
  http_response_rule_list:
    - {type: set-header, hdr_name: X-Served-By, hdr_format: "${instance.name}"}
"""
GOOD = {
    "haproxy/base.yaml": BASE,
    "haproxy/web.yaml": WEB,
    "haproxy/api.yaml": API,
    "haproxy/frontend.yaml": FRONTEND,
}
"""What the repository holds when nothing is wrong."""

_ROOT_RULES = """\
  secrets:
    - {{reference: env/EDGE_PASSWORD, kinds: [Fleet], fields: ["*"], clusters: ["*"]}}
    - {{reference: file/site.pem, kinds: [Certificate], fields: ["*"], clusters: ["*"]}}
  secret_files: {files}
"""


@dataclass(frozen=True)
class Node:
    """One instance.

    Attributes:
        name: `cluster/instance`.
        lab: HAProxy and its API.
        gate: in front of that API.
        port: where its frontend listens once there is one.
        tls_port: where a TLS frontend may listen.
        other_port: where one more may.
    """

    name: str
    lab: LabInstance
    gate: Gate
    port: int
    tls_port: int
    other_port: int

    @property
    def text(self) -> str:
        """haproxy.cfg on disk without its version line."""
        lines = self.lab.file.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(("# _version", "# _md5hash")))

    def section(self, line: str) -> str:
        """The section of haproxy.cfg that begins with `line`, to its last line."""
        text = self.text
        begin = text.index(f"\n{line}") + 1
        rest = text[begin:].split("\n")
        end = next((i for i, one in enumerate(rest) if i and one and not one.startswith((" ", "\t"))), len(rest))
        return "\n".join(rest[:end]).rstrip()

    def version(self) -> object:
        """Of its configuration, as somebody else asks for it."""
        return self.lab.ask("GET", "/configuration/version")

    def weight(self, backend: str, server: str) -> int:
        """Of a server, by the worker's own word."""
        answer = self.lab.worker(f"get weight {backend}/{server}")
        return int(answer.split()[0])

    def get(self, path: str = "/", *, tls: ssl.SSLContext | None = None) -> tuple[str, str]:
        """Who served a request through HAProxy, and from which server; asks again while a reload is going on."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            connection = (
                http.client.HTTPSConnection("127.0.0.1", self.tls_port, timeout=5, context=tls)
                if tls is not None
                else http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            )
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read().decode().strip()
                if answer.status == http.client.OK:
                    return answer.headers.get("X-Served-By", ""), body
            except OSError:
                pass
            finally:
                connection.close()
            assert time.monotonic() < deadline, f"{self.name} does not answer {path}"
            time.sleep(0.05)


class Edge:
    """Everything of one world. Its methods do what a person would type."""

    def __init__(
        self, work: Path, keys: Mapping[str, Path], nodes: Mapping[str, Node], origins: Backends, limits: str
    ) -> None:
        """Make the repository, begin trust, and commit what is wanted."""
        self.work = work
        self.repo = work / "repo"
        self.files = work / "files"
        self.nodes = nodes
        self._keys = keys
        self.origins = origins
        self._limits = limits
        self.repo.mkdir()
        self.files.mkdir(mode=0o700)
        self.git("init", "-q", "--initial-branch=main")
        self.write({"haoam.yaml": self.fleet()})
        roles = {"alice": "root,author,merger", "bob": "root,reviewer", "carol": "root,reviewer"}
        named = [f"--member={who}={keys[who]}.pub:{role}" for who, role in roles.items()]
        self.must(0, "trust", "init", *named, f"--key={keys['alice']}")
        root = work / "root.yaml"
        text = root.read_text().replace("  secrets: []\n", _ROOT_RULES.format(files=self.files))
        root.write_text(text)
        root.chmod(0o644)
        self.write(GOOD)
        self.commit()

    @property
    def environment(self) -> dict[str, str]:
        """The four places, and the secrets."""
        return environment(
            {
                "HAOAM_REPO": str(self.repo),
                "HAOAM_ROOT": str(self.work / "root.yaml"),
                "HAOAM_STATE": str(self.work / "state"),
                "HAOAM_AUDIT": str(self.work / "audit"),
                "EDGE_PASSWORD": PASSWORD,
            }
        )

    def cli(self, *arguments: str) -> Ran:
        """A command."""
        return run(self.environment, self.work, *arguments)

    def must(self, code: int, *arguments: str) -> Ran:
        """A command, with the exit code that it must have."""
        ran = self.cli(*arguments)
        assert ran.code == code, f"`{' '.join(arguments)}` ended with {ran.code}:\n{ran.said}"
        return ran

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command in a process of its own, for signals."""
        command = [*COMMAND, *arguments]
        process = subprocess.Popen(
            command, env=self.environment, cwd=self.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    # -- git ----------------------------------------------------------------------------------------------------------

    def git(self, *arguments: str) -> str:
        """Git as alice has it."""
        settings = ("user.name=alice", "user.email=alice@example.test", "gpg.format=ssh")
        options = [part for setting in settings for part in ("-c", setting)]
        done = subprocess.run(
            ["git", "-C", str(self.repo), *options, *arguments],  # noqa: S607 - the git of the PATH
            env={**environment(), "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | None]) -> None:
        """Write files of the work tree; None takes one away."""
        for path, content in files.items():
            file = self.repo / path
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(exist_ok=True)
            file.write_text(content)

    def commit(self, signer: str = "alice") -> str:
        """Commit the work tree, signed; the new id."""
        self.git("add", "--all")
        key = f"user.signingKey={self._keys[signer]}"
        self.git("-c", key, "commit", "-q", "--allow-empty", "-S", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def review(self) -> None:
        """Bob signs what the tip does."""
        head = self.git("rev-parse", "HEAD")
        shown = run(self.environment, self.work, "review", head, f"--key={self._keys['bob']}", "--offline", stdin="n\n")
        assert "change digest " in shown.out, shown.said
        digest = shown.out.split("change digest ")[-1].split()[0]
        self.must(0, "review", head, f"--key={self._keys['bob']}", "--offline", "--yes", f"--expect={digest}")

    # -- the flow -----------------------------------------------------------------------------------------------------

    def land(self, files: Mapping[str, str | None], code: int = 2) -> str:
        """Write, commit and review a change; the digest of its plan."""
        self.write(files)
        self.commit()
        self.review()
        return self.plan_digest(code)

    def plan_digest(self, code: int = 2) -> str:
        """Of the plan of the tip, which must be trusted."""
        plan = self.must(code, "plan", "--output", "json").json
        assert not plan["proposed"]
        return str(plan["plan_digest"])

    def settle(self) -> None:
        """Bring git and every instance back to `GOOD`, forwards, whatever a test left."""
        for node in self.nodes.values():
            node.gate.before = node.gate.answering = lambda _: True
            node.gate.refusing = False
        here = {str(path.relative_to(self.repo)) for path in (self.repo / "haproxy").iterdir()}
        self.write({**dict.fromkeys(here - set(GOOD)), **GOOD})
        if self.git("status", "--porcelain"):
            self.commit()
            self.review()
        ran = self.cli("plan", "--output", "json")
        assert ran.code in {0, 2}, ran.said
        if ran.code or self.must(0, "trust", "state", "--output", "json").json["accepted"][-1]["commit"] != self.head:
            self.must(0, "apply", ran.json["plan_digest"])
        for node in self.nodes.values():
            node.gate.forget()

    @property
    def head(self) -> str:
        """Id of the tip."""
        return self.git("rev-parse", "HEAD")

    @property
    def node(self) -> Node:
        """The only instance, or the first one."""
        return next(iter(self.nodes.values()))

    def fleet(self, url: Callable[[Node], str] = lambda node: node.gate.url) -> str:
        """haoam.yaml; clusters come one after the other, and so do their instances."""
        lines = ["apiVersion: haoam/v1", "kind: Fleet", "metadata: {name: tests}", "spec:"]
        lines += [f"  limits: {self._limits}", "  clusters:"]
        clusters: list[str] = []
        for node in self.nodes.values():
            cluster, _, name = node.name.partition("/")
            ports = ", ".join(f"{one.replace('-', '_')}: {self.origins.ports[one]}" for one in _NAMES)
            login = "user: admin, password: {secret: env/EDGE_PASSWORD}"
            variables = f"vars: {{port: {node.port}, tls_port: {node.tls_port}}}"
            if cluster not in clusters:
                clusters.append(cluster)
                lines += [
                    f"    {cluster}:",
                    f"      wave: {len(clusters)}",
                    f"      vars: {{{ports}}}",
                    "      instances:",
                ]
            lines.append(f'        {name}: {{url: "{url(node)}", {login}, {variables}}}')
        return "\n".join(lines) + "\n"


@contextmanager
def edge(work: Path, keys: Mapping[str, Path], *names: str, limits: str = "{}") -> Iterator[Edge]:
    """A world with these instances (`cluster/instance`); nothing is applied yet."""
    with ExitStack() as stack:
        origins = stack.enter_context(Backends(dict.fromkeys(_NAMES, 0)))
        nodes = {}
        for name in names:
            directory = Path(tempfile.mkdtemp(prefix="haoam-"))
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            config = CONFIG.replace("${OLD_PORT}", str(free_port()))
            running = stack.enter_context(lab(directory, config))
            gate = stack.enter_context(Gate(running.url))
            nodes[name] = Node(name, running, gate, free_port(), free_port(), free_port())
        yield Edge(work, keys, nodes, origins, limits)
