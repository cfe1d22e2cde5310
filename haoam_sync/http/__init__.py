"""Adapter: HTTP, as the Data Plane API and GitHub share it.

`Http` is a session with one base URL, bounded in time and size. What a status means is for its callers to say;
`model.strict_json` reads what is JSON.
"""

from haoam_sync.http.call import Bounds, Call, Peer, Reply, Transport
from haoam_sync.http.session import Http

__all__ = ["Bounds", "Call", "Http", "Peer", "Reply", "Transport"]
