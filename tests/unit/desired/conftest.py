"""Loading small commits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desired_commits import Files, blobs

from haoam_sync import desired
from haoam_sync.errors import InvalidDesiredError
from haoam_sync.model.desired import Desired


@pytest.fixture
def load() -> Callable[..., Desired]:
    """Load a commit of these files, secrets not resolved."""
    return lambda files, **options: desired.load("c0ffee", blobs(files), None, **options)


@pytest.fixture
def refusals() -> Callable[[Files], list[str]]:
    """Every problem of a commit of these files, as the command line prints it."""

    def refused(files: Files) -> list[str]:
        with pytest.raises(InvalidDesiredError) as caught:
            desired.load("c0ffee", blobs(files), None)
        return [str(problem) for problem in caught.value.problems]

    return refused


@pytest.fixture
def spec_refusals(refusals: Callable[[Files], list[str]]) -> Callable[..., list[str]]:
    """Every problem of one document, `haproxy/f.yaml`, whose spec begins in line 6, without the file's name."""

    def refused(spec: str, kind: str = "Backend", name: str = "web", **metadata: str) -> list[str]:
        more = "".join(f", {key}: {value}" for key, value in metadata.items())
        text = f"---\napiVersion: haoam/v1\nkind: {kind}\nmetadata: {{name: {name}{more}}}\nspec:\n"
        text += "".join(f"  {line}\n" for line in spec.strip("\n").splitlines())
        return [line.replace("haproxy/f.yaml:", "") for line in refusals({"haproxy/f.yaml": text})]

    return refused
