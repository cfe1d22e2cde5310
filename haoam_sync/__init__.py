"""GitOps for HAProxy: signed and reviewed YAML in git, applied through the Data Plane API."""
