"""GnuPG: whether a signature holds (gpgv), and making one (gpg).

gpgv is the part of GnuPG that verifies and does nothing else: it starts no agent, asks no keyserver, writes nothing and
reads no configuration. It gets a home made for the run, a keyring that holds exactly the policy's certificate of the
key that claims to have signed, and one signature packet that was read here before (`pgpsig.py`).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from haoam_sync.errors import NotTrustedError, UsageError
from haoam_sync.model.program import GPGV
from haoam_sync.trust.certificate import Certificate
from haoam_sync.trust.pgpsig import HASHES, OpenpgpClaim, OpenpgpSignature, parse_signature
from haoam_sync.trust.programs import require_gpgv
from haoam_sync.trust.sshsig import FormatError

_TIMEOUT_S = 30
_SIGN_TIMEOUT_S = 300  # a person may have to touch a card, or type a passphrase
_SIGN_TRIES = 16  # of ECDSA: half of the signatures have a high s
_WORKERS = 2 * (os.cpu_count() or 1)
_BAD, _CANNOT = 1, 2  # gpgv's exit codes for a bad signature, and for one that it can not check
_GOOD = frozenset({"GOODSIG", "EXPKEYSIG"})
"""Whether a key is too old is said by the policy, by our clock, not by the certificate and gpgv's."""
_HARMLESS = frozenset(
    {
        "KEY_CONSIDERED",
        "SIG_ID",
        "KEYEXPIRED",
        "NOTATION_NAME",
        "NOTATION_FLAGS",
        "NOTATION_DATA",
        "POLICY_URL",
        "VERIFICATION_COMPLIANCE_MODE",
    }
)
_REFUSALS = frozenset({"BADSIG", "ERRSIG", "REVKEYSIG", "EXPSIG"})
_NUMBERS = {name: str(number) for number, name in HASHES.items()}
_PASSED = (
    "PATH",
    "HOME",
    "GNUPGHOME",
    "GPG_TTY",
    "TERM",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
)


def verified(
    questions: Collection[tuple[OpenpgpClaim, Certificate]],
) -> frozenset[tuple[OpenpgpClaim, Certificate]]:
    """Those whose signature is good, by a key of the certificate beside it, checked side by side.

    Raises:
        NotTrustedError: E_SIG_PROGRAM, gpgv could not run or answers what is not understood: nothing is believed.
        UsageError: gpgv is missing or too old.
    """
    distinct = list(dict.fromkeys(questions))
    if not distinct:
        return frozenset()
    require_gpgv()
    with tempfile.TemporaryDirectory(prefix="haoam-gpg-") as directory, ThreadPoolExecutor(_WORKERS) as pool:
        home = Path(directory)
        rings = {certificate: home / f"{number}.gpg" for number, (_, certificate) in enumerate(distinct)}
        for certificate, ring in rings.items():
            ring.write_bytes(certificate.data)
        tasks = [
            pool.submit(_verify, claim, certificate, rings[certificate], home / f"{number}.sig")
            for number, (claim, certificate) in enumerate(distinct)
        ]
        return frozenset(asked for asked, task in zip(distinct, tasks, strict=True) if task.result())


def _verify(claim: OpenpgpClaim, certificate: Certificate, ring: Path, place: Path) -> bool:
    if not claim.begins_right:
        return False
    place.write_bytes(claim.signature.blob)
    options = ["--homedir", str(ring.parent), "--keyring", str(ring), "--status-fd", "1", "--ignore-time-conflict"]
    try:
        done = subprocess.run(
            ["gpgv", *options, "--weak-digest", "SHA1", str(place), "-"],  # noqa: S607  # from the PATH, as git's gpg
            input=claim.payload,
            capture_output=True,
            timeout=_TIMEOUT_S,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            check=False,
        )
    except OSError as error:
        raise _strange(error.strerror or type(error).__name__) from error
    except subprocess.TimeoutExpired as error:
        raise _strange(f"it did not answer within {_TIMEOUT_S} s") from error
    finally:
        place.unlink(missing_ok=True)
    return _verdict(done.returncode, done.stdout, claim, certificate)


def _verdict(code: int, output: bytes, claim: OpenpgpClaim, certificate: Certificate) -> bool:
    """Whether gpgv says that there is exactly one signature, and that it is good; what is unclear is an error."""
    lines = [line.split() for line in output.decode("utf-8", "replace").split("\n") if line.startswith("[GNUPG:] ")]
    said = [words[1] for words in lines if len(words) > 1]
    if said.count("NEWSIG") != 1:
        raise _strange(f"exit code {code}, {said.count('NEWSIG')} signatures")
    if code in {_BAD, _CANNOT} and _GOOD.isdisjoint(said) and "VALIDSIG" not in said:
        return False
    if code == 0 and not _REFUSALS.isdisjoint(said):
        return False
    unknown = [word for word in said if word not in _HARMLESS | _GOOD | {"NEWSIG", "VALIDSIG"}]
    valid = [words[2:] for words in lines if words[1:2] == ["VALIDSIG"]]
    good = [word for word in said if word in _GOOD]
    if code != 0 or unknown or len(good) != 1 or len(valid) != 1:
        raise _strange(f"exit code {code}, {' '.join(said)}")
    signer = certificate.signer(claim.signature)
    # fingerprint, date, time, end, version, reserved, algorithm, hash, type, primary fingerprint
    fingerprint, _, _, end, version, _, algorithm, digest, kind, primary = (*valid[0], *[""] * 10)[:10]
    return (
        signer is not None
        and (fingerprint, primary) == (signer.public.fingerprint, certificate.fingerprint)
        and (end, version, kind) == ("0", "4", "00")
        and (algorithm, digest) == (str(signer.public.algorithm), _NUMBERS[claim.signature.hash])
    )


def sign(payload: bytes, fingerprint: str) -> OpenpgpSignature:
    """Sign with the user's own gpg, by the key or subkey that it takes for this fingerprint.

    Raises:
        UsageError: E_SIGN, gpg would not; E_NO_GPG.
    """
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    options = ["--no-armor", "--digest-algo", "SHA256", "--no-auto-key-locate", "--local-user", fingerprint]
    reason = ""
    for _ in range(_SIGN_TRIES):
        try:
            done = subprocess.run(
                ["gpg", "--quiet", *options, "--detach-sign"],  # noqa: S607  # from the PATH, as git finds it
                input=payload,
                capture_output=True,
                timeout=_SIGN_TIMEOUT_S,
                env={"PATH": os.defpath, "LC_ALL": "C"} | passed,
                check=False,
            )
        except FileNotFoundError as error:
            raise UsageError("there is no gpg on the PATH", code="E_NO_GPG", hint=GPGV.install) from error
        except subprocess.TimeoutExpired as error:
            raise _cannot_sign(fingerprint, f"no answer within {_SIGN_TIMEOUT_S} s") from error
        if done.returncode != 0:
            raise _cannot_sign(fingerprint, done.stderr.decode("utf-8", "replace").strip())
        try:
            return parse_signature(done.stdout)
        except FormatError as error:
            reason = str(error)
            time.sleep(1)  # gpg's ECDSA signatures differ by the second that is written into them
    raise _cannot_sign(fingerprint, reason)


def _cannot_sign(fingerprint: str, why: str) -> UsageError:
    return UsageError(
        f"the OpenPGP key {fingerprint} can not sign: {why}",
        code="E_SIGN",
        where=fingerprint,
        hint="gpg --list-secret-keys shows yours; a terminal may need export GPG_TTY=$(tty)",
    )


def _strange(why: str) -> NotTrustedError:
    return NotTrustedError(
        f"gpgv gave no clear answer: {why}",
        code="E_SIG_PROGRAM",
        hint="nothing is believed; see whether `gpgv --version` works on this machine",
    )
