"""Stage: a commit id becomes a TrustedCommit, or is refused."""
