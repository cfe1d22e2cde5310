"""JSON Schemas of what the commands print with `--output json`, made from `model/results.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from haoam_sync.model import results

RESULTS: Final[Mapping[str, Any]] = {
    "adopt": results.ImportResult,
    "apply": results.OutcomeResult,
    "audit-verify": results.AuditResult,
    "doctor": results.DoctorResult,
    "drift": results.DriftResult,
    "failure": results.Failure,
    "import": results.ImportResult,
    "plan": results.PlanResult,
    "review": results.ReviewResult,
    "trust-explain": results.ExplainedCommit,
    "trust-lint": results.LintResult,
    "trust-rotate": results.RotationResult,
    "trust-state": results.TrustState,
    "trust-verify": results.Trusted,
    "validate": results.ValidResult,
}
"""The type of each result, by its command."""


def schemas() -> Mapping[str, bytes]:
    """One schema for each result, by file name."""
    return {f"result-{name}.schema.json": _bytes(shape) for name, shape in RESULTS.items()}


def _bytes(shape: Any) -> bytes:
    schema = _open(TypeAdapter(shape).json_schema(mode="serialization"))
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return (json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _open(schema: Any) -> Any:
    """Without titles that repeat names; and what a later version adds is no error for a reader."""
    if isinstance(schema, list):
        return [_open(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _open(value) for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
    if kept.get("additionalProperties") is False:
        del kept["additionalProperties"]
    return kept
