"""Who may talk to the lab. A module of its own: what starts a lab must not need the web framework that serves it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Login:
    """The one user that the lab knows."""

    user: str
    password: str
