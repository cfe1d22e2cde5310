"""The codec against our own measurements: fields, actions and values that the first recording does not hold."""

from __future__ import annotations

import hashlib
import json

import pytest
from codec_samples import VERSIONS, samples

from haoam_sync.haproxycfg import CODEC_VERSION, canonical, parse, refused, render

NAME = "measured"


@pytest.mark.parametrize("version", VERSIONS)
def test_measured_text_both_ways(version: str) -> None:
    """What the server accepted is rendered to its text, and the text is parsed to what it read back from the file."""
    wrong = [
        f"{sample.body}: {text!r} {sample.text!r} {sample.back}"
        for sample in samples(version, NAME)
        if not sample.refused
        and (
            (text := render(sample.kind, sample.body, sample.api)) != sample.text
            or parse(sample.text, sample.api).body != sample.back
        )
    ]
    assert not wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_measured_refusals(version: str) -> None:
    """Exactly those objects are refused that the server refused."""
    wrong = [
        f"{sample.model}: {sample.body}"
        for sample in samples(version, NAME)
        if bool(refused(sample.kind, sample.body, sample.api, defaults=())) is not sample.refused
    ]
    assert not wrong


CANONICAL_FORMS = {
    "2": "d0e0a313537118a9cb0904648010e8b3eb7eb9f1d4f439c8e8a8b35f8ef46139",
}
"""Digest of the canonical forms of every sample, by the codec's version."""


def test_the_version_names_the_canonical_forms() -> None:
    """Canonical forms that change need another version of the codec: review statements cover them by that name."""
    found = hashlib.sha256()
    for version in VERSIONS:
        for sample in samples(version):
            if not sample.refused:
                form = canonical(sample.kind, sample.body, sample.api)
                found.update(json.dumps(form, sort_keys=True).encode())
    assert CANONICAL_FORMS.get(CODEC_VERSION) == found.hexdigest(), (
        "raise CODEC_VERSION in haproxycfg/section.py, and put the new digest here beside it"
    )
