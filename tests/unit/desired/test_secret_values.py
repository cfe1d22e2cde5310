"""Values of secrets that haproxy.cfg cannot hold as they are."""

from __future__ import annotations

import pytest

from haoam_sync import desired
from haoam_sync.errors import UsageError

FLEET = b"""\
apiVersion: haoam/v1
kind: Fleet
metadata: {name: f}
spec:
  clusters:
    eu:
      instances:
        lb1: {url: "http://127.0.0.1:1/v3", user: admin, password: {secret: env/X}}
"""
USERS = b"""\
apiVersion: haoam/v1
kind: Userlist
metadata: {name: people}
spec:
  groups: {admins: {}}
  users: {bob: {password: {secret: env/P}, secure_password: false}}
"""
COOKIES = b"""\
apiVersion: haoam/v1
kind: Backend
metadata: {name: web}
spec: {dynamic_cookie_key: {secret: env/P}}
"""


def _resolved(value: str) -> str:
    wanted = desired.load("c" * 40, {"haoam.yaml": FLEET, "haproxy/u.yaml": USERS}, lambda _use: value)
    (instance,) = wanted.instances.values()
    (section,) = instance.sections.values()
    return str(section.body["users"]["bob"]["password"])  # type: ignore[index,call-overload]


@pytest.mark.parametrize("value", ["Correct#Horse", "x groups admins", "a b", "tab\there"])
def test_a_value_that_would_be_cut_or_be_several_words_is_refused(value: str) -> None:
    """What HAProxy would not read back as the secret is an error, never a shorter password or a group."""
    with pytest.raises(UsageError) as caught:
        _resolved(value)
    assert caught.value.code == "E_SECRET_VALUE"
    assert value not in str(caught.value)


def test_a_value_that_servers_refuse_in_a_field_is_refused() -> None:
    """A key for cookies with white space, in quotes though it is, would be refused in the middle of an apply."""
    files = {"haoam.yaml": FLEET, "haproxy/b.yaml": COOKIES}
    with pytest.raises(UsageError, match="no server takes the secret") as caught:
        desired.load("c" * 40, files, lambda _use: '"two words"')
    assert caught.value.code == "E_SECRET_VALUE"
    assert "two words" not in str(caught.value)


@pytest.mark.parametrize("value", ["simple", "p4ss-w0rd_!%&/()=?", "$6$salt$hashhash"])
def test_an_ordinary_value_is_taken_as_it_is(value: str) -> None:
    """Usual passwords and hashes pass."""
    assert _resolved(value) == value
