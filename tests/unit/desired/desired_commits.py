"""Small commits to load."""

from __future__ import annotations

from collections.abc import Mapping

FLEET = """\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: edge}
spec:
  clusters:
    eu:
      labels: {env: prod, region: eu}
      vars: {backend_port: 9000, greeting: hello, debug: false}
      wave: 2
      instances:
        eu-1:
          url: https://10.0.0.1:5555/v3
          user: admin
          password: {secret: env/EU}
          vars: {port: 8001}
        eu-2:
          url: https://10.0.0.2:5555/v3
          user: admin
          password: {secret: env/EU}
          vars: {port: 8002}
    us:
      labels: {env: prod, region: us}
      vars: {backend_port: 9100, greeting: howdy, debug: true}
      wave: 3
      instances:
        us-1:
          url: http://127.0.0.1:5555/v3
          user: admin
          password: {secret: env/US}
          vars: {port: 8003}
"""

BACKEND = """\
apiVersion: haoam/v1
kind: Backend
metadata:
  name: web
spec:
  mode: http
"""

Files = Mapping[str, str | bytes]


def blobs(files: Files) -> dict[str, bytes]:
    """The files of a commit, with the fleet where none is given."""
    whole = {"haoam.yaml": FLEET, **files}
    return {path: text.encode() if isinstance(text, str) else text for path, text in whole.items()}
