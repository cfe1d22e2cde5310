"""Conditions: ACLs, and the rules that pick a backend, a server, or the server of an earlier request."""

from typing import Literal

from haoam_sync.model.sections.values import Condition, Metadata, SectionModel, Word


class Acl(SectionModel):
    """`acl`: a named condition; the same name may be given several times."""

    acl_name: Word
    criterion: Word
    metadata: Metadata | None = None
    value: str | None = None


class BackendSwitchingRule(SectionModel):
    """`use_backend`: which backend a request goes to."""

    cond: Condition | None = None
    cond_test: str | None = None
    metadata: Metadata | None = None
    name: Word


class ServerSwitchingRule(SectionModel):
    """`use-server`: which server a request goes to."""

    cond: Condition | None = None
    cond_test: str | None = None
    metadata: Metadata | None = None
    target_server: Word


class ForceBeSwitch(SectionModel):
    """`force-be-switch`: use a disabled backend all the same."""

    cond: Condition
    cond_test: str
    metadata: Metadata | None = None


class StickRule(SectionModel):
    """`stick`: remember or look up the server of a client."""

    cond: Condition | None = None
    cond_test: str | None = None
    metadata: Metadata | None = None
    pattern: Word
    table: Word | None = None
    type: Literal["match", "on", "store-request", "store-response"]
