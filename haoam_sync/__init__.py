"""GitOps for HAProxy: signed and reviewed YAML in git, applied through the Data Plane API."""

from importlib.metadata import version

__version__ = version("haoam-sync")
