"""Adapter: HTTP, as the Data Plane API and GitHub share it.

`Http` is a session with one base URL, bounded in time and size; `json_of` reads an answer strictly. What a status means
is for its callers to say.
"""

from haoam_sync.http.session import Bounds, Call, Http, Peer, Reply, Transport
from haoam_sync.http.strict import json_of, whole

__all__ = ["Bounds", "Call", "Http", "Peer", "Reply", "Transport", "json_of", "whole"]
