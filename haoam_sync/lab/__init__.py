"""The embedded lab: a Data Plane API over a real HAProxy, for demo, tests and previews."""
