"""Adapter: the HAProxy Data Plane API."""
