"""One record of the audit log, as a value; docs/formats.md ("Audit record") gives it byte for byte.

A record is JSON in RFC 8785 form on one line. Parts that say nothing are left out: a record shows what it knows.
Reading is strict: an unknown member, a wrong type or a missing part is an error, never a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from haoam_sync.model.json import Json, JsonObject
from haoam_sync.model.members import Members


@dataclass(frozen=True, slots=True)
class Party:
    """A principal of the trust policy, with the roles held at the time.

    Attributes:
        name: the principal's name.
        roles: sorted.
        key: id of the key used, "" when unknown.
    """

    name: str
    roles: tuple[str, ...] = ()
    key: str = ""

    def to_json(self) -> JsonObject:
        """The JSON of this part."""
        return _present({"name": self.name, "roles": list(self.roles), "key": self.key})

    @classmethod
    def parse(cls, value: Json) -> Party:
        """Read what `to_json` writes."""
        members = Members(value, "party")
        return members.whole(cls(members.need_text("name"), members.texts("roles"), members.text("key")))


@dataclass(frozen=True, slots=True)
class Runner:
    """Where and as whom this tool ran.

    Attributes:
        host: host name.
        user: name of the account.
        version: version of haoam-sync.
        job: what started it (a CI job's URL), "" when nothing says so.
    """

    host: str
    user: str = ""
    version: str = ""
    job: str = ""

    def to_json(self) -> JsonObject:
        """The JSON of this part."""
        return _present({"host": self.host, "user": self.user, "version": self.version, "job": self.job})

    @classmethod
    def parse(cls, value: Json) -> Runner:
        """Read what `to_json` writes."""
        members = Members(value, "runner")
        host = members.need_text("host")
        return members.whole(cls(host, members.text("user"), members.text("version"), members.text("job")))


@dataclass(frozen=True, slots=True)
class Authority:
    """What allowed the act.

    Attributes:
        commit: id of the commit.
        base: the commit accepted before it, "" for none.
        policy_digest: of the trust policy that judged it.
        plan_digest: of the plan that was shown and applied.
        change_digest: of the change that was reviewed.
        rule: name of the rule of the access policy, or paths of the trust policy's rule.
    """

    commit: str
    base: str = ""
    policy_digest: str = ""
    plan_digest: str = ""
    change_digest: str = ""
    rule: str = ""

    def to_json(self) -> JsonObject:
        """The JSON of this part."""
        return _present(
            {
                "commit": self.commit,
                "base": self.base,
                "policy_digest": self.policy_digest,
                "plan_digest": self.plan_digest,
                "change_digest": self.change_digest,
                "rule": self.rule,
            }
        )

    @classmethod
    def parse(cls, value: Json) -> Authority:
        """Read what `to_json` writes."""
        members = Members(value, "authority")
        return members.whole(
            cls(
                commit=members.need_text("commit"),
                base=members.text("base"),
                policy_digest=members.text("policy_digest"),
                plan_digest=members.text("plan_digest"),
                change_digest=members.text("change_digest"),
                rule=members.text("rule"),
            )
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong, without its words, which may echo a secret.

    Attributes:
        kind: a word of ours for it (`conflict`, `timeout`, E_...).
        digest: keyed digest of the words, "" when there were none.
    """

    kind: str
    digest: str = ""

    def to_json(self) -> JsonObject:
        """The JSON of this part."""
        return _present({"class": self.kind, "digest": self.digest})

    @classmethod
    def parse(cls, value: Json) -> Failure:
        """Read what `to_json` writes."""
        members = Members(value, "error")
        return members.whole(cls(members.need_text("class"), members.text("digest")))


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request to an instance as the log shows it.

    Attributes:
        method: HTTP method.
        path: below the API's base URL.
        query: names and values, in the order sent.
        body_digest: keyed digest of the exact bytes, "" when there was no body.
        body: the body with secrets redacted by field type; None when there was none or nothing of it may be shown.
        announced: in the answer's record, `seq` of the record that announced the request; None for reads.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body_digest: str = ""
    body: Json = None
    announced: int | None = None

    def to_json(self) -> JsonObject:
        """The JSON of this part."""
        return _present(
            {
                "method": self.method,
                "path": self.path,
                "query": [[name, value] for name, value in self.query],
                "body_digest": self.body_digest,
                "body": self.body,
                "announced": self.announced,
            }
        )

    @classmethod
    def parse(cls, value: Json) -> RecordedRequest:
        """Read what `to_json` writes."""
        members = Members(value, "request")
        return members.whole(
            cls(
                method=members.need_text("method"),
                path=members.need_text("path"),
                query=members.pairs("query"),
                body_digest=members.text("body_digest"),
                body=members.json("body"),
                announced=members.number("announced"),
            )
        )


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """An answer as the log shows it; see `haoam_sync.model.exchange.Answer`.

    Attributes:
        status: HTTP status, 0 when no answer came.
        duration_ms: whole milliseconds.
        version: `Configuration-Version`.
        checksum: `Configuration-Checksum`.
        reload_id: `Reload-ID`.
        transaction_id: of the transaction that this answer opened.
        error: None for a success.
    """

    status: int
    duration_ms: int
    version: int | None = None
    checksum: str = ""
    reload_id: str = ""
    transaction_id: str = ""
    error: Failure | None = None

    def to_json(self) -> JsonObject:
        """The JSON of this part."""
        return _present(
            {
                "status": self.status,
                "duration_ms": self.duration_ms,
                "version": self.version,
                "checksum": self.checksum,
                "reload_id": self.reload_id,
                "transaction_id": self.transaction_id,
                "error": self.error.to_json() if self.error is not None else None,
            }
        )

    @classmethod
    def parse(cls, value: Json) -> RecordedAnswer:
        """Read what `to_json` writes."""
        members = Members(value, "answer")
        return members.whole(
            cls(
                status=members.need_number("status"),
                duration_ms=members.need_number("duration_ms"),
                version=members.number("version"),
                checksum=members.text("checksum"),
                reload_id=members.text("reload_id"),
                transaction_id=members.text("transaction_id"),
                error=members.part("error", Failure.parse),
            )
        )


@dataclass(frozen=True, slots=True)
class ConfigurationState:
    """Identity of a configuration: version and checksum together (a raw write can keep its version).

    Attributes:
        version: `Configuration-Version`, None when unknown.
        checksum: digest of the text (`Live.checksum`), "" when unknown.
    """

    version: int | None = None
    checksum: str = ""

    def to_json(self) -> JsonObject:
        """The JSON of this part."""
        return _present({"version": self.version, "checksum": self.checksum})

    @classmethod
    def parse(cls, value: Json) -> ConfigurationState:
        """Read what `to_json` writes."""
        members = Members(value, "state")
        return members.whole(cls(members.number("version"), members.text("checksum")))


@dataclass(frozen=True, slots=True)
class StateChange:
    """The configuration found, and the one left.

    Attributes:
        before: what was found.
        after: what was left; None where nothing was done.
    """

    before: ConfigurationState | None = None
    after: ConfigurationState | None = None

    def to_json(self) -> JsonObject:
        """The JSON of this part."""
        return _present({"before": _part(self.before), "after": _part(self.after)})

    @classmethod
    def parse(cls, value: Json) -> StateChange:
        """Read what `to_json` writes."""
        members = Members(value, "state")
        before, after = (members.part(name, ConfigurationState.parse) for name in ("before", "after"))
        return members.whole(cls(before, after))


@dataclass(frozen=True, slots=True)
class Entry:
    """What a record says, before the log gives it its number, time and place in the chain.

    Attributes:
        event: name of the event (`apply.intended`).
        code: its code (HOA021).
        outcome: how it came out, in the past tense.
        apply: id of the apply it belongs to.
        cluster: name of the cluster.
        instance: name of the instance.
        actor: whose commit it was.
        reviewers: who approved it.
        runner: where this tool ran.
        authority: what allowed it.
        request: the request to the instance.
        answer: its answer.
        state: configuration before and after.
        error: what went wrong.
        detail: what this kind of event alone has to say; never a secret.
    """

    event: str
    code: str
    outcome: str = ""
    apply: str = ""
    cluster: str = ""
    instance: str = ""
    actor: Party | None = None
    reviewers: tuple[Party, ...] = ()
    runner: Runner | None = None
    authority: Authority | None = None
    request: RecordedRequest | None = None
    answer: RecordedAnswer | None = None
    state: StateChange | None = None
    error: Failure | None = None
    detail: Json = None

    def to_json(self) -> dict[str, Json]:
        """The members of the record that this entry gives."""
        return _present(
            {
                "event": self.event,
                "code": self.code,
                "outcome": self.outcome,
                "apply": self.apply,
                "cluster": self.cluster,
                "instance": self.instance,
                "actor": _part(self.actor),
                "reviewers": [reviewer.to_json() for reviewer in self.reviewers],
                "runner": _part(self.runner),
                "authority": _part(self.authority),
                "request": _part(self.request),
                "answer": _part(self.answer),
                "state": _part(self.state),
                "error": _part(self.error),
                "detail": self.detail,
            }
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the log.

    Attributes:
        seq: number in the log, from 1, without gaps, over all segments.
        time: RFC 3339, UTC, milliseconds (`2026-03-01T12:00:00.000Z`).
        entry: what it says.
        prev: hash of the record before.
        hash: SHA-256 of the canonical JSON of this record without `hash`.
    """

    seq: int
    time: str
    entry: Entry
    prev: str
    hash: str

    def to_json(self) -> dict[str, Json]:
        """The whole record."""
        return {**self.unhashed(), "hash": self.hash}

    def unhashed(self) -> dict[str, Json]:
        """The record without `hash`: what the hash covers."""
        return {**self.entry.to_json(), "seq": self.seq, "time": self.time, "prev": self.prev}

    @classmethod
    def parse(cls, value: Json) -> Record:
        """Read what `to_json` writes. Does not check hashes.

        Raises:
            ValueError: it is no record; the message says what is wrong.
        """
        members = Members(value, "record")
        entry = Entry(
            event=members.need_text("event"),
            code=members.need_text("code"),
            outcome=members.text("outcome"),
            apply=members.text("apply"),
            cluster=members.text("cluster"),
            instance=members.text("instance"),
            actor=members.part("actor", Party.parse),
            reviewers=members.parts("reviewers", Party.parse),
            runner=members.part("runner", Runner.parse),
            authority=members.part("authority", Authority.parse),
            request=members.part("request", RecordedRequest.parse),
            answer=members.part("answer", RecordedAnswer.parse),
            state=members.part("state", StateChange.parse),
            error=members.part("error", Failure.parse),
            detail=members.json("detail"),
        )
        seq, time = members.need_number("seq"), members.need_text("time")
        return members.whole(cls(seq, time, entry, members.need_text("prev"), members.need_text("hash")))


class _HasJson(Protocol):
    def to_json(self) -> JsonObject: ...


def _part(part: _HasJson | None) -> Json:
    return part.to_json() if part is not None else None


def _present(members: dict[str, Json]) -> dict[str, Json]:
    """`members` without those that say nothing (None, "", an empty list); 0 and false do say something."""
    return {name: value for name, value in members.items() if value not in (None, "", [])}
