"""Setting trust up: the first policy, the first commit, the host root file."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from haoam_sync import desired, trust
from haoam_sync.errors import UsageError
from haoam_sync.repository import Repository, commit_signed
from haoam_sync.settings import Settings
from haoam_sync.state import StateDirectory, write_synced

_POLICY = "trust.yaml"


@dataclass(frozen=True, slots=True)
class Made:
    """What `init_trust` wrote.

    Attributes:
        policy: path of trust.yaml in the work tree.
        introduction: id of the commit where trust begins; "" while there is none.
        root: path of the host root file; None while there is no introduction commit.
    """

    policy: Path
    introduction: str
    root: Path | None


def init_trust(
    settings: Settings, members: tuple[str, ...], *, ref: str, solo: bool, key: str | None, also: tuple[str, ...]
) -> Made:
    """Write the first policy, commit it when a key is given, and write the host root file for the commit that holds it.

    Raises:
        UsageError: the work tree or the host root file is not as it must be.
        NotTrustedError: these people cannot make a policy that holds together.
        InvalidDesiredError: the commit has no valid haoam.yaml: no host root file is written for it.
    """
    worktree = Path(settings.repo)
    if not worktree.is_dir():
        raise UsageError(
            "trust init writes into a work tree", where=settings.repo, hint="name a local directory with --repo"
        )
    if settings.root.exists():
        raise UsageError(
            "there is a host root file already: it is not overwritten",
            where=str(settings.root),
            hint="to begin anew, move it away yourself",
        )
    people = [trust.member(text) for text in members]
    policy = worktree / _POLICY
    if not policy.exists():
        if key is not None:
            trust.owner_of(people, trust.signing_key(key))  # before anything is written
            _require_valid(settings, worktree, ref, also)  # nothing is committed that could not be the beginning
        policy.write_bytes(trust.init_policy(people, ref=ref, solo=solo))
        for path, content in trust.certificates(people).items():
            (worktree / path).parent.mkdir(exist_ok=True)
            (worktree / path).write_bytes(content)
        if key is None:
            return Made(policy, "", None)
        _commit(worktree, people, key, also)
    StateDirectory(settings.state)
    with closing(Repository.open(settings.state, settings.repo, ref)) as repository:
        introduction = repository.tip
        content = trust.init_root(repository, introduction, solo=solo)
        desired.load(
            introduction, repository.blobs(introduction), None
        )  # endpoints of every later proposal come from it
    settings.root.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_synced(settings.root, content, mode=0o644)
    return Made(policy, introduction, settings.root)


def _require_valid(settings: Settings, worktree: Path, ref: str, also: tuple[str, ...]) -> None:
    """The desired state of the commit that is about to be made holds.

    Raises:
        InvalidDesiredError: it does not.
    """
    files = _committed(settings, worktree, ref)
    for name in ("haoam.yaml", *also):
        path = worktree / name
        found = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
        files |= {str(one.relative_to(worktree)): one.read_bytes() for one in found}
    desired.load("0" * 40, files, None)


def _committed(settings: Settings, worktree: Path, ref: str) -> dict[str, bytes]:
    """The files of the last commit, as far as there is one."""
    if not (worktree / ".git").exists():
        return {}
    StateDirectory(settings.state)
    try:
        with closing(Repository.open(settings.state, settings.repo, ref)) as repository:
            return dict(repository.blobs(repository.tip))
    except UsageError:
        return {}  # no commit on that branch yet


def _commit(worktree: Path, people: list[trust.Member], key: str, also: tuple[str, ...]) -> None:
    signing = trust.signing_key(key)
    owner = trust.owner_of(people, signing)
    paths = [
        _POLICY,
        *trust.certificates(people),
        *(["haoam.yaml"] if (worktree / "haoam.yaml").exists() else []),
        *also,
    ]
    commit_signed(
        worktree,
        paths,
        "Introduce the trust policy",
        key=signing.for_git,
        name=owner,
        email=f"{owner}@users.noreply.invalid",
    )
