"""The document `Certificate`."""

from haoam_sync.model.documents.values import DocumentModel, SecretObject


class CertificateSpec(DocumentModel):
    """A certificate and its key: one secret that holds both, or the chain in git and the key as a secret.

    Attributes:
        pem: certificate, chain and key in one secret.
        chain: certificate and chain as PEM text, beside `key`.
        chain_file: path in this repository of the same, beside `key`.
        key: the private key.
    """

    pem: SecretObject | None = None
    chain: str | None = None
    chain_file: str | None = None
    key: SecretObject | None = None
