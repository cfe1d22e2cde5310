#!/usr/bin/env python3
"""Replay recorded Data Plane API conversations against a server and compare.

    replay.py --url http://127.0.0.1:5555/v3 --dir DIR [--record] SCENARIO.json ...

A scenario is one JSON file:

    {"name": ..., "recorded_on": ..., "config": initial haproxy.cfg text,
     "steps": [{"request": {"method", "path", "query"?, "json"? | "text"? | "upload"?},
                "wait"?: seconds before the request,
                "edit"?: {"replace": [old, new]}   (instead of a request: edits DIR/haproxy.cfg on disk),
                "capture"?: {"NAME": "json key of the response"},
                "response": {"status", "headers", "body"}}]}

Every scenario starts by deleting the open transactions and writing its `config` as the whole configuration (POST
.../raw, force_reload), so `version` is relative: the string "${version}" in a query is the server's current version,
"${version-1}" one less. `${DIR}` stands for the server's working directory, `${NAME}` for a captured value. Volatile
values are replaced by `*` before comparing: transaction and reload ids, times, pids, process messages. --record writes
the answers into the files instead of comparing.

Standard library only. Exit status: 0 all equal, 1 differences (printed), 2 the server could not be reached.
"""

from __future__ import annotations

import argparse
import base64
import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any

CONFIG = "/services/haproxy/configuration"
TRANSACTIONS = "/services/haproxy/transactions"
KEPT_HEADERS = ("reload-id", "allow", "www-authenticate")
VOLATILE_KEYS = {
    "id",
    "reload_timestamp",
    "response",
    "build_date",
    "last_time_change",
    "check_health",
    "check_result",
    "check_state",
    "check_status",
    "operational_state",
}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
RELOAD = re.compile(r"\d{4}-\d{2}-\d{2}-\d+")


class Server:
    """The server that a scenario is played against."""

    def __init__(self, url: str, directory: str, user: str, password: str) -> None:
        self.url, self.dir, self.auth = url.rstrip("/"), directory, f"{user}:{password}"
        self.captured: dict[str, str] = {}

    def call(self, request: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        """Send one request; status, the headers that are compared, and the body."""
        query = urllib.parse.urlencode({k: self.expand(str(v)) for k, v in request.get("query", {}).items()})
        url = self.url + self.expand(request["path"]) + (f"?{query}" if query else "")
        headers, data = self._content(request)
        auth = request.get("auth", self.auth)
        if auth:
            headers["Authorization"] = "Basic " + base64.b64encode(auth.encode()).decode()
        req = urllib.request.Request(url, data=data, headers=headers, method=request["method"])  # noqa: S310 - --url's
        try:
            with urllib.request.urlopen(req, timeout=60) as answer:  # noqa: S310 - --url's
                status, heads, raw = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, heads, raw = error.code, error.headers, error.read()
        kept = {k: heads[k] for k in KEPT_HEADERS if heads.get(k) is not None}
        if heads.get_content_type() == "application/json" or raw[:1] in {b"{", b"["}:
            try:
                return status, kept, json.loads(raw)
            except ValueError:
                pass
        return status, kept, raw.decode(errors="replace")

    def _content(self, request: dict[str, Any]) -> tuple[dict[str, str], bytes | None]:
        if "json" in request:
            return {"Content-Type": "application/json"}, self.expand(json.dumps(request["json"])).encode()
        if "text" in request:
            return {"Content-Type": request.get("type", "text/plain")}, self.expand(request["text"]).encode()
        if "upload" in request:
            boundary = "b" + uuid.uuid4().hex
            up = request["upload"]
            data = (
                f'--{boundary}\r\nContent-Disposition: form-data; name="file_upload"; filename="{up["name"]}"\r\n'
                f"Content-Type: application/octet-stream\r\n\r\n{up['content']}\r\n--{boundary}--\r\n"
            ).encode()
            return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, data
        return {}, None

    def version(self) -> int:
        """The server's current version."""
        return int(self.call({"method": "GET", "path": CONFIG + "/version"})[2])

    def expand(self, text: str) -> str:
        """`text` with its `${...}` replaced."""
        if "${version" in text:
            current = self.version()
            text = re.sub(r"\$\{version([+-]\d+)?\}", lambda m: str(current + int(m[1] or 0)), text)
        text = text.replace("${DIR}", self.dir)
        for name, value in self.captured.items():
            text = text.replace("${" + name + "}", value)
        return text

    def comparable(self, request: dict[str, Any], status: int, headers: dict[str, str], body: Any) -> dict[str, Any]:
        """The answer with what varies from run to run taken out. Sections come back in no stable order."""
        body = self.normal(body)
        named = isinstance(body, list) and all(isinstance(item, dict) and "name" in item for item in body)
        if named and "rules" not in request["path"]:
            body = sorted(body, key=lambda item: item["name"])
        if isinstance(body, dict) and status == 405:
            body["message"] = "*"
        if "allow" in headers:
            headers["allow"] = ",".join(sorted(headers["allow"].split(",")))
        return {"status": status, "headers": {k: self.normal(v) for k, v in headers.items()}, "body": body}

    def normal(self, value: Any, key: str = "") -> Any:
        """`value` with what varies replaced by `*`."""
        if isinstance(value, dict):
            return {k: self.normal(v, k) for k, v in sorted(value.items())}
        if isinstance(value, list):
            return [self.normal(v) for v in value]
        if key == "_version" or key in VOLATILE_KEYS:
            return "*"
        if isinstance(value, str):
            value = UUID.sub("*", RELOAD.sub("*", value.replace(self.dir, "${DIR}")))
            value = re.sub(r"(?m)^# _(md5hash|version)=.*$", r"# _\1=*", value)
            if key == "message":
                value = re.sub(r"(version(?: in configuration file)?(?: is|:)) \d+", r"\1 *", value)
            value = re.sub(r"/tmp/onlyvalidate\d+", "*", value)
            if key == "message" and ("validation error" in value or "Reload failed" in value):
                value = value.split(":")[0] + ": *"
        return value


def play(server: Server, path: pathlib.Path, *, record: bool = False) -> list[str]:
    """Play one scenario; the differences."""
    scenario = json.loads(path.read_text(encoding="utf-8"))
    server.captured = {}
    differences: list[str] = []
    transactions = server.call({"method": "GET", "path": TRANSACTIONS})[2]
    for transaction in transactions if isinstance(transactions, list) else []:
        server.call({"method": "DELETE", "path": f"{TRANSACTIONS}/{transaction['id']}"})
    status, _, body = server.call(
        {
            "method": "POST",
            "path": CONFIG + "/raw",
            "text": scenario["config"],
            "query": {"skip_version": "true", "force_reload": "true"},
        }
    )
    if status not in {200, 201, 202}:
        return [f"{path.name}: initial configuration refused: {status} {body}"]
    for number, step in enumerate(scenario["steps"]):
        time.sleep(step.get("wait", 0))
        if "edit" in step:
            file = pathlib.Path(server.dir, "haproxy.cfg")
            old, new = step["edit"]["replace"]
            file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
            continue
        differences += _step(server, f"{path.name} step {number}", step, record=record)
    if record:
        path.write_text(json.dumps(scenario, indent=1) + "\n", encoding="utf-8")
    return differences


def _step(server: Server, where: str, step: dict[str, Any], *, record: bool) -> list[str]:
    status, headers, body = server.call(step["request"])
    for name, key in step.get("capture", {}).items():
        source = body[0] if isinstance(body, list) and body else body
        if isinstance(source, dict) and key in source:
            server.captured[name] = source[key]
        elif key in headers:
            server.captured[name] = headers[key]
    got = server.comparable(step["request"], status, headers, body)
    if record:
        step["response"] = got
    elif got != step["response"] and not step.get("unordered"):
        difference = (
            f"{where}: {step['request']['method']} {step['request']['path']}\n"
            f"  expected {json.dumps(step['response'], sort_keys=True)}\n"
            f"  got      {json.dumps(got, sort_keys=True)}"
        )
        return [difference]
    return []


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--dir", required=True, help="the server's working directory, as it appears in its answers")
    parser.add_argument("--user", default="admin")
    parser.add_argument("--password", default="adminpwd")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("scenarios", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    server = Server(args.url, args.dir, args.user, args.password)
    try:
        server.version()
    except OSError as error:
        sys.stderr.write(f"no server at {args.url}: {error}\n")
        return 2
    failed = 0
    for path in args.scenarios:
        differences = play(server, path, record=args.record)
        failed += bool(differences)
        verdict = "recorded" if args.record else "FAIL" if differences else "ok"
        sys.stdout.write("\n".join([f"{verdict:8} {path.name}", *differences]) + "\n")
    sys.stdout.write(f"{len(args.scenarios) - failed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
