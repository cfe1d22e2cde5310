"""What an apply is given from outside: other stages, memory, time and chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from haoam_sync.apply.interrupt import Interrupts
from haoam_sync.apply.journal import Journal
from haoam_sync.dataplane import Client
from haoam_sync.model.fleet import InstanceId
from haoam_sync.model.live import Live
from haoam_sync.model.plan import InstancePlan


@dataclass(frozen=True, slots=True)
class Tools:
    """What the stages hand in, so that none imports another.

    Attributes:
        connect: a client for an instance, whose recorder may write.
        read: the live stage's `read`.
        replan: the plan stage, with everything but the snapshot given.
        journal: memory that outlives the process.
        sleep: waits that many seconds.
        random: a number from 0 up to 1.
        interrupts: holds Ctrl-C and SIGTERM where they would leave things half done.
    """

    connect: Callable[[InstanceId], Client]
    read: Callable[[Client, InstanceId], Live]
    replan: Callable[[Live], InstancePlan]
    journal: Journal
    sleep: Callable[[float], None]
    random: Callable[[], float]
    interrupts: Interrupts
