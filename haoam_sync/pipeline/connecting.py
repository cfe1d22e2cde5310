"""Clients for instances, and reading many of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from haoam_sync import live
from haoam_sync.dataplane import Client, connect
from haoam_sync.errors import HaoamError, InstanceError, worst_exit
from haoam_sync.model.exchange import Recorder
from haoam_sync.model.fleet import Instance, InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.secret import ENDPOINT_FIELD, SecretUse
from haoam_sync.model.stored import NO_FILES, FilesAsked

_AT_ONCE = 16
_Value = TypeVar("_Value")


def client(instance: Instance, reveal: Callable[[SecretUse], str], recorder: Recorder) -> Client:
    """A client for an instance of the accepted fleet.

    Raises:
        NotTrustedError: E_SECRET_REFERENCE, its password may not be resolved on this host.
        InstanceError: its CA is not PEM.
    """
    return connect(instance, credential(instance, reveal), recorder)


def credential(instance: Instance, reveal: Callable[[SecretUse], str]) -> str:
    """The password that we log in to an instance with, in clear.

    Raises:
        NotTrustedError: E_SECRET_REFERENCE, it may not be resolved on this host.
    """
    return reveal(SecretUse(instance.password, "Fleet", ENDPOINT_FIELD, instance.id.cluster))


def snapshots(
    instances: Iterable[Instance],
    reveal: Callable[[SecretUse], str],
    recorder: Recorder,
    asked: Mapping[InstanceId, FilesAsked],
) -> Mapping[InstanceId, Live]:
    """Live stage for many instances at once; `asked` says what is read of their files.

    Raises:
        HaoamError: an instance cannot be read; see `raise_together`.
    """

    def read(instance: Instance) -> Live:
        with client(instance, reveal, recorder) as api:
            return live.read(api, instance.id, asked.get(instance.id, NO_FILES))

    return side_by_side(instances, read)


def side_by_side(instances: Iterable[Instance], work: Callable[[Instance], _Value]) -> Mapping[InstanceId, _Value]:
    """`work` for every instance, some at once; all are tried, then the failures are raised as one.

    Raises:
        HaoamError: see `raise_together`.
    """
    results, failures = tried(instances, work)
    raise_together(failures)
    return results


def tried(
    instances: Iterable[Instance], work: Callable[[Instance], _Value]
) -> tuple[dict[InstanceId, _Value], dict[InstanceId, HaoamError]]:
    """`work` for every instance, some at once: what came of it, and what failed, each sorted by identity."""
    ordered = sorted(instances, key=lambda instance: instance.id)
    results: dict[InstanceId, _Value] = {}
    failures: dict[InstanceId, HaoamError] = {}
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        futures = [(instance.id, pool.submit(work, instance)) for instance in ordered]
        for identity, future in futures:
            try:
                results[identity] = future.result()
            except Exception as error:  # noqa: BLE001 - a defect that one instance's answers bring out is its failure
                failures[identity] = failure_of(error, identity)
    return results, failures


def failure_of(error: Exception, instance: InstanceId) -> HaoamError:
    """`error` as the failure of one instance. Of a defect its class alone: its words may hold a part of an answer."""
    if isinstance(error, HaoamError):
        return error
    found = InstanceError(
        f"its answers were not understood: unexpected {type(error).__name__}",
        code="E_UNEXPECTED",
        where=str(instance),
        hint="this is a defect of haoam-sync: report it",
    )
    found.__cause__ = error
    return found


def raise_together(failures: Mapping[InstanceId, HaoamError]) -> None:
    """Raise all failures as one; nothing when there is none.

    Raises:
        HaoamError: the first of those with the gravest exit code; the others are named in its hint.
    """
    if not failures:
        return
    gravest = worst_exit({error.exit for error in failures.values()})
    first = next(error for error in failures.values() if error.exit == gravest)
    others = "; ".join(
        f"{error.where or identity}: {error.message}" for identity, error in failures.items() if error is not first
    )
    if others:
        first.hint = f"{first.hint}\n  also failed: {others}" if first.hint else f"also failed: {others}"
    raise first
