"""Clients for instances, and reading many of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from haoam_sync import live
from haoam_sync.dataplane import Client, connect
from haoam_sync.errors import HaoamError
from haoam_sync.model.exchange import Recorder
from haoam_sync.model.fleet import Instance, InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.secret import SecretUse

_AT_ONCE = 16
_Value = TypeVar("_Value")


def client(instance: Instance, reveal: Callable[[SecretUse], str], recorder: Recorder) -> Client:
    """A client for an instance of the accepted fleet.

    Raises:
        NotTrustedError: E_SECRET_REFERENCE, its password may not be resolved on this host.
        InstanceError: its CA is not PEM.
    """
    use = SecretUse(instance.password, "Fleet", "clusters.*.instances.*.password", instance.id.cluster)
    return connect(instance, reveal(use), recorder)


def snapshots(
    instances: Iterable[Instance], reveal: Callable[[SecretUse], str], recorder: Recorder
) -> Mapping[InstanceId, Live]:
    """Live stage for many instances at once.

    Raises:
        HaoamError: of the first instance (by identity) that cannot be read; the others' failures are named in its hint.
    """

    def read(instance: Instance) -> Live:
        with client(instance, reveal, recorder) as api:
            return live.read(api, instance.id)

    return side_by_side(instances, read)


def side_by_side(instances: Iterable[Instance], work: Callable[[Instance], _Value]) -> Mapping[InstanceId, _Value]:
    """`work` for every instance, some at once; all are tried, then the failures are raised as one."""
    ordered = sorted(instances, key=lambda instance: instance.id)
    results: dict[InstanceId, _Value] = {}
    failures: list[HaoamError] = []
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        futures = [(instance.id, pool.submit(work, instance)) for instance in ordered]
        for identity, future in futures:
            try:
                results[identity] = future.result()
            except HaoamError as error:
                failures.append(error)
    if failures:
        first = failures[0]
        if len(failures) > 1:
            others = "; ".join(f"{error.where}: {error.message}" for error in failures[1:])
            first.hint = f"{first.hint}\n  also failed: {others}" if first.hint else f"also failed: {others}"
        raise first
    return results
