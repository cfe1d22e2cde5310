"""The codec against every measured sample of both API versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from codec_samples import VERSIONS, samples

from haoam_sync.haproxycfg import canonical, lost, parse, refused, render

_UNWRITTEN = frozenset(
    {
        "tcp_request_rule_list.*.cond_test",
        "backend_switching_rule_list.*.cond_test",
        "stick_rule_list.*.cond_test",
        "source.hdr",
        "source.occ",
        "default_path.path",
    }
)
"""Fields that a server read back from its memory right after a write although nothing in the text says them."""

_BACK_AS_ANOTHER = ("it comes back", "it is cut off")
_TURNING = (" no-tls-tickets", " tls-tickets")
"""API 3.2 reads `no-tls-tickets` and `tls-tickets` the wrong way round: written again, one becomes the other."""


@pytest.mark.parametrize("version", VERSIONS)
def test_rendered_text(version: str) -> None:
    """Every accepted object is rendered to exactly the text that the server wrote."""
    wrong = [
        f"{sample.model}: {sample.text!r} != {text!r}"
        for sample in samples(version)
        if not sample.refused and (text := render(sample.kind, sample.body, sample.api)) != sample.text
    ]
    assert not wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_parsed_text(version: str) -> None:
    """Every text is parsed to what the server read back, apart from what the text does not say."""
    wrong = [
        f"{sample.text!r}: {found}"
        for sample in samples(version)
        if not sample.refused
        and (found := set(_differences(sample.back, parse(sample.text, sample.api).body)) - _UNWRITTEN)
    ]
    assert not wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_refusals(version: str) -> None:
    """Exactly those objects are refused that the server refused."""
    wrong = [
        f"{sample.model}: {sample.body}"
        for sample in samples(version)
        if bool(refused(sample.kind, sample.body, sample.api, defaults=())) is not sample.refused
    ]
    assert not wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_losses(version: str) -> None:
    """Lost is what was set in the sent object and is not there in what was read back of the section, nothing else."""
    wrong = []
    for sample in samples(version):
        if sample.refused:
            continue
        back = parse(sample.text, sample.api).body
        found = {
            item.path
            for item in lost(sample.kind, sample.body, sample.api, back=back)
            if not item.reason.startswith(_BACK_AS_ANOTHER) and not item.path.endswith(".redir_option")
        }
        expected = set(_gone(sample.body, sample.back, ""))
        unwritten = set(_gone(sample.back, back, ""))
        if found - unwritten != expected - unwritten:
            wrong.append(f"{sample.model}: {sample.body}: {found ^ expected}")
    assert not wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_canonical_form(version: str) -> None:
    """The canonical form of what was read back is itself."""
    for sample in samples(version):
        if sample.refused or any(word in sample.text for word in _TURNING):
            continue
        once = canonical(sample.kind, sample.body, sample.api)
        again = canonical(sample.kind, once, sample.api)
        assert canonical(sample.kind, again, sample.api) == again


def _differences(left: Any, right: Any, path: str = "") -> Iterator[str]:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in {*left, *right}:
            yield from _differences(left.get(key), right.get(key), f"{path}.{key}" if path else key)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for one, other in zip(left, right, strict=True):
            yield from _differences(one, other, f"{path}.*")
    elif left != right:
        yield path


def _gone(sent: Any, back: Any, path: str) -> Iterator[str]:
    """Every set leaf of `sent` at whose place `back` has nothing."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(sent, Mapping):
        pairs = [(key, value) for key, value in sent.items()]
    elif isinstance(sent, list):
        pairs = list(enumerate(sent))
    for key, value in pairs:
        here = f"{path}.{key}" if path else str(key)
        there = _child(back, key)
        if key == "metadata" and value:
            if there is None:
                yield here
        elif isinstance(value, Mapping | list):
            yield from _gone(value, there, here)
        elif there is None and value is not None and value is not False and value not in ("", "disabled"):
            yield here


def _child(value: Any, key: Any) -> Any:
    if isinstance(value, Mapping):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None
