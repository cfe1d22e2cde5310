"""The order in which the server writes the keywords of the large sections (measured).

A row of the table stands where its first keyword stands here. The small sections have their rows in order already.
"""

from __future__ import annotations

from collections.abc import Mapping

from haoam_sync.model.section import SectionKind

_DEFAULTS = """
enabled | disabled | mode | monitor-uri | hash-type | balance | maxconn | backlog | acl | log | option httplog |
option use-small-buffers | email-alert from | email-alert to | email-alert level | email-alert myhostname |
email-alert mailers | stats enable | stats hide-version | stats show-legends | stats show-desc | stats refresh |
stats show-node | stats uri | stats scope | stats maxconn | stats admin | stats show-modules | stats show-version |
stats realm |
stats auth | stats http-request | log-tag | log-steps | log-format | log-format-sd | error-log-format | cookie |
dynamic-cookie-key | option tcplog | option httpclose | option http-use-htx | option redispatch |
option dontlognull | option log-separate-errors | option http-buffer-request | option http-drop-request-trailers |
option http-drop-response-trailers | option http-server-close | option http-keep-alive |
option http-pretend-keepalive | option http-no-delay | option tcpka | option clitcpka | option srvtcpka |
option contstats | option mysql-check | option ldap-check | option smtpchk | option ssl-hello-chk |
option abortonclose | option redis-check | option pgsql-check | option splice-auto | option splice-request |
option splice-response | option logasap | option log-health-checks | option allbackups | option external-check |
option forwardfor | option accept-invalid-http-request | option accept-invalid-http-response |
option accept-unsafe-violations-in-http-request | option accept-unsafe-violations-in-http-response |
option h1-case-adjust-bogus-client | option h1-case-adjust-bogus-server | option disable-h2-upgrade |
option tcp-check | option checkcache | option http-ignore-probes | option http-use-proxy-header | option httpslog |
option independent-streams | option nolinger | option originalto | option persist | option prefer-last-server |
option socket-stats | option tcp-smart-accept | option tcp-smart-connect | option transparent |
option idle-close-on-response | option dontlog-normal | option http-restrict-req-hdr-names | tcp-check |
option httpchk | http-check | external-check path | external-check command | http-reuse | timeout http-request |
timeout check | timeout connect | timeout client | timeout client-fin | timeout queue | timeout server |
timeout server-fin | timeout tunnel | timeout http-keep-alive | timeout tarpit | retries | clitcpka-cnt |
clitcpka-idle | clitcpka-intvl | srvtcpka-cnt | srvtcpka-idle | srvtcpka-intvl | compression algo |
compression algo-req | compression algo-res | compression type | compression type-req | compression type-res |
compression offload | compression direction | compression minsize-req | compression minsize-res | default-server |
load-server-state-from-file | errorfile | errorfiles | errorloc302 | errorloc303 | default_backend |
unique-id-format | unique-id-header | fullconn | http-send-name-header | max-keep-alive-queue | retry-on |
http-error | source | persist | hash-balance-factor | hash-preserve-affinity | http-request | tcp-request |
tcp-response | http-response | http-after-response | quic-initial
"""
_FRONTEND = """
id | description | enabled | disabled | mode | maxconn | backlog | bind | acl | monitor-uri | monitor fail |
log-tag | log-steps | log-format | log-format-sd | error-log-format | log | email-alert from | email-alert to |
email-alert level | email-alert myhostname | email-alert mailers | option httpclose | option http-buffer-request |
option http-drop-response-trailers | option http-server-close | option http-keep-alive | option http-use-htx |
option http-no-delay | option forwardfor | option tcplog | option dontlognull |
option contstats | option log-separate-errors | option tcpka | option clitcpka | option splice-auto |
option splice-request | option splice-response | option accept-invalid-http-request |
option accept-unsafe-violations-in-http-request | option h1-case-adjust-bogus-client | option disable-h2-upgrade |
option logasap | option http-ignore-probes | option http-use-proxy-header | option httpslog |
option independent-streams | option nolinger | option originalto | option socket-stats | option tcp-smart-accept |
option idle-close-on-response | option dontlog-normal | option httplog | option http-restrict-req-hdr-names |
option abortonclose | timeout http-request | timeout client | timeout client-fin | timeout http-keep-alive |
timeout tarpit | clitcpka-cnt | clitcpka-idle | clitcpka-intvl | filter | filter-sequence | compression algo |
compression algo-req | compression algo-res | compression type | compression type-req | compression type-res |
compression offload | compression direction | compression minsize-req | compression minsize-res | tcp-request |
stats enable | stats hide-version | stats show-legends | stats show-desc | stats refresh | stats show-node |
stats uri | stats scope | stats maxconn | stats admin | stats show-modules | stats show-version | stats realm |
stats auth |
stats http-request | http-request | unique-id-format | unique-id-header | errorfile | errorfiles | errorloc302 |
errorloc303 | use_backend | default_backend | stick-table | http-response | http-after-response | http-error |
declare capture | guid | quic-initial | ssl-f-use | force-be-switch
"""
_BACKEND = """
id | description | enabled | disabled | mode | hash-type | balance | acl | force-persist | ignore-persist |
option httpclose | option http-buffer-request | option http-drop-request-trailers | option http-server-close |
option http-keep-alive | option http-pretend-keepalive | option http-use-htx | option http-no-delay |
option http-proxy | option forwardfor | option mysql-check | option ldap-check | option smtpchk |
option ssl-hello-chk | option abortonclose | option redis-check | option pgsql-check | option redispatch |
option use-small-buffers | option external-check | option splice-auto | option splice-request |
option splice-response | option log-health-checks | log-tag | option tcpka | option srvtcpka | option allbackups |
option accept-invalid-http-response | option accept-unsafe-violations-in-http-response |
option h1-case-adjust-bogus-server | option tcp-check | option checkcache | option independent-streams |
option nolinger | option originalto | option persist | option prefer-last-server | option spop-check |
option tcp-smart-connect | option transparent | option http-restrict-req-hdr-names | tcp-check | option httpchk |
http-check | external-check path | external-check command | log | email-alert from | email-alert to |
email-alert level | email-alert myhostname | email-alert mailers | timeout http-request | timeout queue |
timeout http-keep-alive | timeout check | timeout tunnel | timeout server | timeout server-fin | timeout connect |
timeout tarpit | srvtcpka-cnt | srvtcpka-idle | srvtcpka-intvl | default-server | stick | filter | filter-sequence |
compression algo | compression algo-req | compression algo-res | compression type | compression type-req |
compression type-res | compression offload | compression direction | compression minsize-req |
compression minsize-res | tcp-request | stats enable | stats hide-version | stats show-legends | stats show-desc |
stats refresh | stats show-node | stats uri | stats scope | stats maxconn | stats admin | stats show-modules |
stats show-version | stats realm | stats auth | stats http-request | http-reuse | http-request | cookie |
dynamic-cookie-key | use-server | stick-table | errorfile | errorfiles | errorloc302 | errorloc303 | server |
retries | tcp-response | http-response | http-after-response | http-error | server-template |
load-server-state-from-file | use-fcgi-app | server-state-file-name | fullconn | max-keep-alive-queue | retry-on |
http-send-name-header | source | persist | hash-balance-factor | hash-preserve-affinity | guid
"""
_GLOBAL = """
set-var | set-var-fmt | presetenv | resetenv | setenv | unsetenv | daemon | default-path | localpeer | chroot |
uid | user | gid | group | ca-base | crt-base | master-worker | external-check | nbthread | max-threads-per-group |
cpu-map | cpu-affinity | cpu-policy | cpu-set | maxconn | maxconnrate | maxcomprate | maxcompcpuusage | maxpipes |
maxsessrate | maxsslconn | maxsslrate | maxzlibmem | fd-hard-limit | pidfile | stats socket | stats timeout |
stats calculate-max-counters | anonkey | httpclient.resolvers.disabled | httpclient.resolvers.id |
httpclient.resolvers.prefer | httpclient.retries | httpclient.ssl.ca-file | httpclient.timeout.connect |
httpclient.ssl.verify | limited-quic | prealloc-fd | tune.applet.zero-copy-forwarding | tune.buffers.limit |
tune.buffers.reserve | tune.bufsize | tune.bufsize.large | tune.bufsize.small | tune.cli.max-payload-size |
tune.comp.maxlevel | tune.defaults.purge | tune.disable-zero-copy-forwarding | tune.disable-fast-forward |
tune.epoll.mask-events | tune.events.max-events-at-once | tune.fail-alloc | tune.glitches.kill.cpu-usage |
tune.fd.edge-triggered | tune.h1.be.glitches-threshold | tune.h1.fe.glitches-threshold |
tune.h1.zero-copy-fwd-recv | tune.h1.zero-copy-fwd-send | tune.h2.be.glitches-threshold |
tune.h2.be.initial-window-size | tune.h2.be.max-concurrent-streams | tune.h2.be.max-frames-at-once |
tune.h2.be.rxbuf | tune.h2.fe.glitches-threshold | tune.h2.fe.initial-window-size |
tune.h2.fe.max-concurrent-streams | tune.h2.fe.max-frames-at-once | tune.h2.fe.max-rst-at-once |
tune.h2.fe.max-total-streams | tune.h2.fe.rxbuf | tune.h2.header-table-size | tune.h2.initial-window-size |
tune.h2.log-errors | tune.h2.max-concurrent-streams | tune.h2.max-frame-size | tune.h2.zero-copy-fwd-send |
tune.http.cookielen | tune.http.logurilen | tune.http.maxhdr | tune.idle-pool.shared | tune.idletimer |
tune.listener.default-shards | tune.listener.multi-queue | tune.lua.bool-sample-conversion | tune.lua.forced-yield |
tune.lua.maxmem | tune.lua.openlibs | tune.lua.session-timeout | tune.lua.burst-timeout | tune.lua.task-timeout |
tune.lua.service-timeout | tune.lua.log.loggers | tune.lua.log.stderr | tune.max-checks-per-thread |
tune.max-rules-at-once | tune.maxaccept | tune.maxpollevents | tune.maxrewrite | tune.memory.hot-size |
tune.notsent-lowat.client | tune.notsent-lowat.server | tune.pattern.cache-size | tune.peers.max-updates-at-once |
tune.pipesize | tune.pool-high-fd-ratio | tune.pool-low-fd-ratio | tune.pt.zero-copy-forwarding |
tune.rcvbuf.backend | tune.rcvbuf.client | tune.rcvbuf.frontend | tune.rcvbuf.server | tune.recv_enough |
tune.renice.runtime | tune.renice.startup | tune.ring.queues | tune.runqueue-depth | tune.sched.low-latency |
tune.sndbuf.backend | tune.sndbuf.client | tune.sndbuf.frontend | tune.sndbuf.server | tune.ssl.cachesize |
tune.ssl.certificate-compression | tune.ssl.force-private-cache | tune.ssl.keylog | tune.ssl.lifetime |
tune.ssl.maxrecord | tune.ssl.default-dh-param | tune.ssl.ssl-ctx-cache-size | tune.ssl.capture-buffer-size |
tune.ssl.ocsp-update.maxdelay | tune.ssl.ocsp-update.mindelay | tune.stick-counters |
tune.takeover-other-tg-connections | tune.vars.global-max-size | tune.vars.proc-max-size |
tune.vars.reqres-max-size | tune.vars.sess-max-size | tune.vars.txn-max-size | tune.quic.fe.stream.max-total |
tune.quic.frontend.conn-tx-buffers.limit | tune.quic.frontend.max-idle-timeout |
tune.quic.frontend.max-streams-bidi | tune.quic.frontend.max-tx-mem | tune.quic.max-frame-loss |
tune.quic.reorder-ratio | tune.quic.retry-threshold | tune.quic.zero-copy-fwd-send | tune.quic.socket-owner |
no-quic | cluster-secret | tune.zlib.memlevel | tune.zlib.windowsize | ssl-default-bind-options |
ssl-default-bind-sigalgs | ssl-default-bind-ciphers | ssl-default-bind-ciphersuites | ssl-default-server-options |
ssl-default-server-ciphers | ssl-default-server-ciphersuites | ssl-default-server-client-sigalgs |
ssl-default-server-curves | ssl-default-server-sigalgs | ssl-default-bind-client-sigalgs | ssl-default-bind-curves |
ssl-dh-param-file | ssl-propquery | ssl-provider | ssl-provider-path | ssl-server-verify | ssl-skip-self-issued-ca |
ssl-passphrase-cmd | hard-stop-after | log | log-send-hostname | lua-prepend-path | lua-load | stats-file |
server-state-file | server-state-base | ssl-engine | ssl-mode-async | h1-case-adjust-file | h1-case-adjust |
busy-polling | max-spread-checks | close-spread-time | noepoll | nokqueue | noevports | nopoll | nosplice |
nogetaddrinfo | noreuseport | profiling.tasks | profiling.memory | spread-checks | wurfl-data-file |
wurfl-information-list | wurfl-information-list-separator | wurfl-patch-file | wurfl-cache-size | description |
expose-experimental-directives | grace | insecure-fork-wanted | insecure-setuid-wanted | issuers-chain-path |
h2-workaround-bogus-websocket-clients | lua-load-per-thread | mworker-max-reloads | node | numa-cpu-mapping |
pp2-never-send-local | ulimit-n | set-dumpable | strict-limits | deviceatlas-json-file | deviceatlas-log-level |
deviceatlas-separator | deviceatlas-properties-cookie | 51degrees-data-file | 51degrees-property-name-list |
51degrees-property-separator | 51degrees-cache-size | thread-groups | stats maxconn | ssl-load-extra-files |
thread-group | quiet | zero-warning | setcap | harden.reject-privileged-ports.tcp |
harden.reject-privileged-ports.quic | thread-hard-limit | ssl-security-level | http-err-codes | http-fail-codes |
ocsp-update.disable | ocsp-update.httpproxy | ocsp-update.mindelay | ocsp-update.maxdelay | ocsp-update.mode |
h1-accept-payload-with-any-method | h1-do-not-close-on-insecure-transfer-encoding | expose-deprecated-directives |
force-cfg-parser-pause | warn-blocked-traffic-after | dns-accept-family | acme.scheduler | stress-level |
shm-stats-file | shm-stats-file-max-objects | noktls
"""


def _ranks(text: str) -> Mapping[str, int]:
    keywords = [keyword.strip() for keyword in text.replace("\n", " ").split("|")]
    return {keyword: rank for rank, keyword in enumerate(keywords)}


RANKS: Mapping[SectionKind, Mapping[str, int]] = {
    SectionKind.DEFAULTS: _ranks(_DEFAULTS),
    SectionKind.FRONTEND: _ranks(_FRONTEND),
    SectionKind.BACKEND: _ranks(_BACKEND),
    SectionKind.GLOBAL: _ranks(_GLOBAL),
}
"""Place of each keyword, by kind."""
