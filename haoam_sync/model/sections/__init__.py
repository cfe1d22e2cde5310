"""The Data Plane API's section models."""
