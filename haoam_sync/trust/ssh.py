"""ssh-keygen: whether a signature holds, and making one.

A signature is checked against an allowed-signers file that holds exactly one key under one fixed name, for one
namespace: which principal the key belongs to is decided by the policy, never by that file.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.program import SSH_KEYGEN
from haoam_sync.trust.forged import is_forged
from haoam_sync.trust.sshsig import FormatError, SshClaim, SshSignature, decode_armor, parse_signature

_PRINCIPAL = "signer"
_TIMEOUT_S = 30
_SIGN_TIMEOUT_S = 300  # a person may have to touch a key, or type a passphrase
_SIGN_TRIES = 32  # of ECDSA: half of the signatures have a high s
_WORKERS = 2 * (os.cpu_count() or 1)


def verified(claims: Collection[SshClaim]) -> frozenset[SshClaim]:
    """Those of `claims` whose signature is good, checked side by side; none is asked about that is plainly forged.

    Raises:
        NotTrustedError: E_SIG_PROGRAM, ssh-keygen could not run or answer: nothing is believed.
        UsageError: there is no ssh-keygen.
    """
    distinct = [claim for claim in dict.fromkeys(claims) if not is_forged(claim)]
    if not distinct:
        return frozenset()
    with tempfile.TemporaryDirectory(prefix="haoam-") as directory, ThreadPoolExecutor(_WORKERS) as pool:
        tasks = [pool.submit(_verify, claim, Path(directory) / str(number)) for number, claim in enumerate(distinct)]
        return frozenset(claim for claim, task in zip(distinct, tasks, strict=True) if task.result())


def _verify(claim: SshClaim, place: Path) -> bool:
    signers, signature = place.with_suffix(".signers"), place.with_suffix(".sig")
    namespace = claim.signature.namespace
    signers.write_text(f'{_PRINCIPAL} namespaces="{namespace}" {claim.signature.public}\n', encoding="ascii")
    signature.write_bytes(claim.signature.armor)
    options = ["-f", str(signers), "-I", _PRINCIPAL, "-n", namespace, "-s", str(signature)]
    try:
        done = _run(["-Y", "verify", *options], claim.payload, _TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise NotTrustedError(
            f"ssh-keygen did not answer within {_TIMEOUT_S} s",
            code="E_SIG_PROGRAM",
            hint="try again; see whether `ssh-keygen -Y verify` works on this machine",
        ) from error
    finally:
        signers.unlink(missing_ok=True)
        signature.unlink(missing_ok=True)
    return done.returncode == 0 and done.stdout.startswith(f'Good "{namespace}" signature for {_PRINCIPAL} '.encode())


def sign(payload: bytes, key: Path, namespace: str) -> SshSignature:
    """Sign with the private key at `key`, or with the agent when `key` is a public one.

    Raises:
        UsageError: E_SIGN, ssh-keygen would not.
    """
    reason = ""
    for _ in range(_SIGN_TRIES):
        try:
            done = _run(["-Y", "sign", "-f", str(key), "-n", namespace], payload, _SIGN_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise _cannot_sign(key, f"no answer within {_SIGN_TIMEOUT_S} s") from error
        if done.returncode != 0:
            raise _cannot_sign(key, done.stderr.decode("utf-8", "replace").strip())
        try:
            return parse_signature(decode_armor(done.stdout))
        except FormatError as error:
            reason = str(error)
    raise _cannot_sign(key, reason)


def public_of(key: Path) -> str:
    """The public half of a key file, as `TYPE BASE64`: from `KEY.pub` where it is, else from the private key.

    Raises:
        UsageError: E_SIGN, it can not be read.
    """
    public = key if key.suffix == ".pub" else key.with_name(key.name + ".pub")
    try:
        if public.is_file():
            text = public.read_text(encoding="utf-8")
        else:
            done = _run(["-y", "-P", "", "-f", str(key)], b"", _TIMEOUT_S)
            if done.returncode != 0:
                raise _cannot_sign(key, done.stderr.decode("utf-8", "replace").strip())
            text = done.stdout.decode("ascii", "replace")
    except (OSError, UnicodeDecodeError) as error:
        raise _cannot_sign(key, str(error)) from error
    parts = text.split()
    if len(parts) < 2:  # noqa: PLR2004  # type and key
        raise _cannot_sign(key, "it holds no public key")
    return f"{parts[0]} {parts[1]}"


def _run(arguments: list[str], stdin: bytes, timeout: float) -> subprocess.CompletedProcess[bytes]:
    passed = ("PATH", "HOME", "SSH_AUTH_SOCK", "SSH_ASKPASS", "DISPLAY", "WAYLAND_DISPLAY", "SSH_SK_PROVIDER")
    environment = {"PATH": os.defpath, "LC_ALL": "C"} | {
        name: os.environ[name] for name in passed if name in os.environ
    }
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments],  # noqa: S607  # from the PATH, as git finds it
            input=stdin,
            capture_output=True,
            timeout=timeout,
            env=environment,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError(
            "there is no ssh-keygen on the PATH",
            code="E_NO_SSH_KEYGEN",
            hint=SSH_KEYGEN.install,
        ) from error


def _cannot_sign(key: Path, why: str) -> UsageError:
    return UsageError(
        f"{key} can not sign: {why}",
        code="E_SIGN",
        where=str(key),
        hint="name a private SSH key, or the public one of a key in your agent",
    )
