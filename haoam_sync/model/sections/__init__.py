"""Models of every HAProxy section, with the Data Plane API's own field names: its `full_section` documents.

One class for each model that the API declares, 3.2 and 3.4 together; what only one of them has is marked. They serve to
validate documents in git, to make JSON Schemas from, and to let the lab refuse what the server refuses.
"""

from haoam_sync.model.api_version import ApiVersion
from haoam_sync.model.json import JsonObject
from haoam_sync.model.section import SectionKind
from haoam_sync.model.sections.backend import Backend
from haoam_sync.model.sections.defaults import Defaults
from haoam_sync.model.sections.fcgi import FcgiApp
from haoam_sync.model.sections.frontend import Frontend
from haoam_sync.model.sections.global_ import Global
from haoam_sync.model.sections.peers import Mailers, Peers
from haoam_sync.model.sections.resolvers import Resolvers
from haoam_sync.model.sections.stores import Cache, CrtStore, HttpErrors, LogForward, Ring
from haoam_sync.model.sections.userlists import Userlist
from haoam_sync.model.sections.values import SectionModel
from haoam_sync.model.sections.versions import missing

__all__ = ["SectionModel", "fields_missing_in", "section_model"]

_MODELS: dict[SectionKind, type[SectionModel]] = {
    SectionKind.GLOBAL: Global,
    SectionKind.DEFAULTS: Defaults,
    SectionKind.USERLIST: Userlist,
    SectionKind.PEERS: Peers,
    SectionKind.MAILERS: Mailers,
    SectionKind.RESOLVERS: Resolvers,
    SectionKind.CACHE: Cache,
    SectionKind.RING: Ring,
    SectionKind.HTTP_ERRORS: HttpErrors,
    SectionKind.LOG_FORWARD: LogForward,
    SectionKind.FCGI_APP: FcgiApp,
    SectionKind.CRT_STORE: CrtStore,
    SectionKind.FRONTEND: Frontend,
    SectionKind.BACKEND: Backend,
}


def section_model(kind: SectionKind) -> type[SectionModel]:
    """The model of a section of this kind, children included."""
    return _MODELS[kind]


def fields_missing_in(kind: SectionKind, body: JsonObject, api: ApiVersion) -> tuple[str, ...]:
    """What `body` uses and an API of version `api` lacks, sorted.

    Returns:
        Dotted paths (`servers.s1.ktls`), and `PATH=VALUE` where the field is there but does not know the value.
    """
    return tuple(sorted(missing(section_model(kind), body, api)))
