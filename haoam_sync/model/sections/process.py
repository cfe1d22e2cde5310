"""`global`: settings of the process, by group."""

from typing import Annotated, Literal

from pydantic import Field

from haoam_sync.model.sections.values import IpFamily, Port, SectionModel, Since, Switch, Word


class DebugOptions(SectionModel):
    """`quiet`, `anonkey`, `zero-warning` and the like."""

    anonkey: Annotated[int, Field(le=4294967295)] | None = None
    quiet: bool | None = None
    stress_level: Annotated[int, Field(le=9)] | None = None
    zero_warning: bool | None = None


class EnvironmentVariable(SectionModel):
    """A variable of the environment."""

    name: str
    value: str


class EnvironmentOptions(SectionModel):
    """`setenv`, `presetenv`, `resetenv`, `unsetenv`."""

    presetenv: list[EnvironmentVariable] | None = None
    resetenv: str | None = None
    setenv: list[EnvironmentVariable] | None = None
    unsetenv: str | None = None


class HttpClientOptions(SectionModel):
    """`httpclient.*`: the built-in HTTP client."""

    resolvers_disabled: Switch | None = None
    resolvers_id: str | None = None
    resolvers_prefer: IpFamily | None = None
    retries: int | None = None
    ssl_ca_file: str | None = None
    ssl_verify: Literal["", "none", "required"] | None = None
    timeout_connect: int | None = None


class LuaLoad(SectionModel):
    """A Lua file to load."""

    file: Word


class LuaPrependPath(SectionModel):
    """Where Lua looks for modules."""

    path: Word
    type: Literal["path", "cpath"] | None = None


class LuaOptions(SectionModel):
    """`lua-load` and `lua-prepend-path`."""

    load_per_thread: str | None = None
    loads: list[LuaLoad] | None = None
    prepend_path: list[LuaPrependPath] | None = None


class OcspHttpProxy(SectionModel):
    """The proxy for OCSP requests."""

    address: Word | None = None
    port: Port | None = None


class OcspUpdateOptions(SectionModel):
    """`ocsp-update.*`."""

    disable: bool | None = None
    httpproxy: OcspHttpProxy | None = None
    maxdelay: int | None = None
    mindelay: int | None = None
    mode: Switch | None = None


class PerformanceOptions(SectionModel):
    """Limits and pollers of the process."""

    busy_polling: bool | None = None
    fd_hard_limit: int | None = None
    max_spread_checks: int | None = None
    maxcompcpuusage: int | None = None
    maxcomprate: int | None = None
    maxconn: int | None = None
    maxconnrate: int | None = None
    maxpipes: int | None = None
    maxsessrate: int | None = None
    maxzlibmem: int | None = None
    noepoll: bool | None = None
    noevports: bool | None = None
    nogetaddrinfo: bool | None = None
    nokqueue: bool | None = None
    noktls: Annotated[bool | None, Since("3.4")] = None
    nopoll: bool | None = None
    noreuseport: bool | None = None
    nosplice: bool | None = None
    profiling_memory: Switch | None = None
    profiling_tasks: Literal["auto", "enabled", "disabled"] | None = None
    server_state_base: Word | None = None
    server_state_file: Word | None = None
    spread_checks: int | None = None
    thread_hard_limit: int | None = None


class SslEngine(SectionModel):
    """`ssl-engine`: an OpenSSL engine."""

    algorithms: str | None = None
    name: str


class SslOptions(SectionModel):
    """`ssl-default-*`, `ssl-engine` and other TLS settings of the process."""

    acme_scheduler: Literal["auto", "off"] | None = None
    ca_base: str | None = None
    crt_base: str | None = None
    default_bind_ciphers: str | None = None
    default_bind_ciphersuites: str | None = None
    default_bind_client_sigalgs: str | None = None
    default_bind_curves: str | None = None
    default_bind_options: str | None = None
    default_bind_sigalgs: str | None = None
    default_server_ciphers: str | None = None
    default_server_ciphersuites: str | None = None
    default_server_client_sigalgs: str | None = None
    default_server_curves: str | None = None
    default_server_options: str | None = None
    default_server_sigalgs: str | None = None
    dh_param_file: str | None = None
    engines: list[SslEngine] | None = None
    issuers_chain_path: str | None = None
    load_extra_files: str | None = None
    maxsslconn: int | None = None
    maxsslrate: int | None = None
    mode_async: Switch | None = None
    passphrase_cmd: Annotated[str | None, Since("3.4")] = None
    propquery: str | None = None
    provider: str | None = None
    provider_path: str | None = None
    security_level: Annotated[int, Field(le=5)] | None = None
    server_verify: Literal["none", "required"] | None = None
    skip_self_issued_ca: bool | None = None


class DeviceAtlasOptions(SectionModel):
    """`deviceatlas-*`."""

    json_file: str | None = None
    log_level: str | None = None
    properties_cookie: str | None = None
    separator: str | None = None


class FiftyOneDegreesOptions(SectionModel):
    """`51degrees-*`."""

    cache_size: int | None = None
    data_file: str | None = None
    property_name_list: str | None = None
    property_separator: str | None = None


class WurflOptions(SectionModel):
    """`wurfl-*`."""

    cache_size: int | None = None
    data_file: str | None = None
    information_list: str | None = None
    information_list_separator: str | None = None
    patch_file: str | None = None
