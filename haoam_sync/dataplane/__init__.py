"""Adapter: the HAProxy Data Plane API.

``connect(instance, password, recorder)`` gives a `Client`; the HTTP session underneath is `haoam_sync.http`, which
other adapters share.
"""

from haoam_sync.dataplane.client import Client, connect
from haoam_sync.dataplane.outside import Outside, look
from haoam_sync.dataplane.transaction import Transaction

__all__ = ["Client", "Outside", "Transaction", "connect", "look"]
