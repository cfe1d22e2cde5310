"""`userlist`: users and groups for `http_auth` and for the Data Plane API itself."""

from haoam_sync.model.sections.values import Metadata, Name, NameOrVariable, SectionModel


class User(SectionModel):
    """`user`: name, password, groups. `password` is secret."""

    groups: str | None = None
    metadata: Metadata | None = None
    password: str
    secure_password: bool
    username: NameOrVariable


class Group(SectionModel):
    """`group`: users that share a name."""

    metadata: Metadata | None = None
    name: NameOrVariable
    users: str | None = None


class Userlist(SectionModel):
    """`userlist`: users and groups."""

    metadata: Metadata | None = None
    name: Name
    groups: dict[str, Group] | None = None
    users: dict[str, User] | None = None
