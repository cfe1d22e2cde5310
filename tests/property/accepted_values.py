"""Values that HAProxy may take where the samples of the API hold placeholders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from haoam_sync.model.section import SectionKind

PLACEHOLDERS = frozenset({"sample", "127.0.0.1", "1-3", "10", "example.test", "ipv4@127.0.0.1:80", "req"})
_FILE = "/DIR/"
VALUES: Mapping[str, tuple[Any, ...]] = {
    "acl_file": (f"{_FILE}keys.txt",),
    "address": ("127.0.0.1", "ring@logs"),
    "agent-addr": ("127.0.0.1",),
    "algorithms": ("gzip",),
    "alpn": ("h2,http/1.1",),
    "app_name": ("php",),
    "bandwidth_limit_limit": ("1k",),
    "bandwidth_limit_name": ("slow",),
    "bandwidth_limit_period": ("1s",),
    "ca_base": ("/DIR",),
    "ca_ignore_err": ("all",),
    "ca_sign_file": (f"{_FILE}site.pem",),
    "ca_verify_file": (f"{_FILE}site.crt",),
    "cache_name": ("stored",),
    "capture_sample": ("src",),
    "certificate": (f"{_FILE}site.pem",),
    "check_alpn": ("h2",),
    "check_proto": ("h2", "none"),
    "check-sni": ("str(a)",),
    "ciphers": ("ECDHE-ECDSA-AES128-GCM-SHA256",),
    "ciphersuites": ("TLS_AES_128_GCM_SHA256",),
    "cond_test": ("TRUE", "{ src 127.0.0.1 }"),
    "cpu_set": ("0",),
    "criterion": ("src", "path", "always_true"),
    "crl_file": (f"{_FILE}site.crt",),
    "crt_base": ("/DIR",),
    "crt_ignore_err": ("all",),
    "crt_list": (f"{_FILE}list.txt",),
    "curves": ("X25519:P-256",),
    "data_file": (f"{_FILE}keys.txt",),
    "default_backend": ("other",),
    "default_path": ("current",),
    "dh_param_file": (f"{_FILE}dh.pem",),
    "docroot": ("/var/www",),
    "ecdhe": ("prime256v1",),
    "expr": ("int(1)", "src"),
    "file": (f"{_FILE}503.http", f"{_FILE}one.lua"),
    "fqdn": ("localhost",),
    "h1_case_adjust_file": (f"{_FILE}headers.txt",),
    "hash_expression": ("src",),
    "hdr_format": ("x",),
    "hdr_match": ("a.*b",),
    "hash_key": ("id",),
    "key": ("src",),
    "limit": (1024,),
    "default_limit": (1024,),
    "log_level": ("info",),
    "mailers": ("post",),
    "map_file": (f"{_FILE}values.map",),
    "map_keyfmt": ("%[src]",),
    "map_valuefmt": ("%[src]",),
    "mark_value": ("10",),
    "method_fmt": ("GET",),
    "monitor_uri": ("/up",),
    "num_or_range": ("1-3",),
    "path_match": ("a.*b",),
    "pattern": ("200", "src", "a"),
    "peers": ("mesh",),
    "port_string": ("int(443)",),
    "process": ("1",),
    "proto": ("h2", "h1", "none", "fcgi"),
    "query-fmt": ("a=b",),
    "redir_value": ("/x",),
    "resolve_resolvers": ("dns",),
    "resolvers": ("dns",),
    "resolve-net": ("10.0.0.0/8",),
    "retry_on": ("conn-failure",),
    "return_content": ('"text"',),
    "return_content_type": ("text/plain",),
    "sc_expr": ("src",),
    "sc_idx": ("0",),
    "server_state_base": ("/DIR",),
    "server_state_file": (f"{_FILE}state",),
    "sni": ("str(a)",),
    "spoe_config": (f"{_FILE}spoe.cfg",),
    "spoe_engine": ("e",),
    "spoe_engine_name": ("e",),
    "ssl_ca_file": (f"{_FILE}site.crt",),
    "ssl_cafile": (f"{_FILE}site.crt",),
    "ssl_certificate": (f"{_FILE}site.pem",),
    "stats_uri_prefix": ("/stats",),
    "store": ("conn_cur",),
    "table": ("seen", "counted"),
    "track_table": ("seen", "counted"),
    "track_sc_table": ("seen", "counted"),
    "target_server": ("s",),
    "timeout": ("5s",),
    "tls_ticket_keys": (f"{_FILE}tickets",),
    "tos_value": ("10",),
    "track_key": ("src",),
    "track_sc_key": ("src",),
    "types": ("text/html",),
    "uri": ("/up",),
    "uri-fmt": ("/up",),
    "uri-match": ("a.*b",),
    "use_fcgi_app": ("php",),
    "value": ("10.0.0.0/8",),
    "var_expr": ("src",),
    "var_name": ("x",),
    "var_scope": ("txn", "sess", "req", "proc"),
    "errorfiles": ("pages",),
    "hash_balance_factor": (150,),
    "hdr_method": ("str",),
    "health_check_address": ("127.0.0.1",),
    "lua_action": ("act",),
    "lua_params": ("a",),
    "sc_id": (0,),
    "sc_inc_id": ("0",),
    "socks4": ("127.0.0.1:1080",),
    "track_sc_stick_counter": (0,),
    "track_stick_counter": (0,),
    "setcap": ("cap_net_bind_service",),
    "load_extra_files": ("all",),
    "issuers_chain_path": ("/DIR",),
    "provider": ("default",),
    "default_bind_options": ("no-sslv3",),
    "default_server_options": ("no-sslv3",),
    "user": ("root",),
    "group": ("root", "1"),
    "load_per_thread": (f"{_FILE}two.lua",),
    "thread": ("all", "1/all", "odd"),
    "check-proto": ("h2", "none"),
    "init-addr": ("none", "last,none"),
    "resolve_opts": ("allow-dup-ip",),
    "track": ("other/o1",),
    "service_name": ("lua.serve", "lua.listen"),
    "port-range-end": (20000, 81),
    "external_check_command": ("/bin/true",),
    "path": ("/usr/bin", "/DIR", "src"),
    "redir_option": ("code 302",),
    "redir": ("http://a",),
    "switch_mode_proto": ("h2", "h1"),
    "uri_path_only": (),
    "resolvers_id": ("dns",),
    "names": ("a",),
    "set": ("0",),
    "h2_header_table_size": (4096,),
    "h2_max_frame_size": (16384,),
    "bufsize": (32768,),
    "nbproc": (1,),
    "nbthread": (1,),
    "thread_groups": (1,),
    "external_check_path": ("/usr/bin",),
    "acl_keyfmt": ("%[src]",),
    "http_client_options": (),
    "chroot": ("/DIR",),
    "fd_hard_limit": (10000,),
    "resetenv": ("PATH HAPROXY_MWORKER_REEXEC HAPROXY_MWORKER_WAIT_ONLY HAPROXY_PROCESSES HAPROXY_LOAD_SUCCESS",),
    "unsetenv": ("NOTHING",),
    "maxpipes": (100,),
    "localpeer": ("lb1",),
    "uid": ("0", 0),
    "gid": (0, "0"),
    "prepend_path": (),
    "sigalgs": ("ECDSA+SHA256:RSA+SHA256",),
    "client_sigalgs": ("ECDSA+SHA256:RSA+SHA256",),
    "default_bind_sigalgs": ("ECDSA+SHA256:RSA+SHA256",),
    "default_bind_client_sigalgs": ("ECDSA+SHA256:RSA+SHA256",),
    "default_server_sigalgs": ("ECDSA+SHA256:RSA+SHA256",),
    "default_server_client_sigalgs": ("ECDSA+SHA256:RSA+SHA256",),
    "default_bind_ciphers": ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",),
    "default_server_ciphers": ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",),
    "default_bind_ciphersuites": ("TLS_AES_128_GCM_SHA256",),
    "default_server_ciphersuites": ("TLS_AES_128_GCM_SHA256",),
    "default_bind_curves": ("X25519:P-256",),
    "default_server_curves": ("X25519:P-256",),
    "propquery": ("provider=default",),
    "provider_path": ("/usr/lib",),
    "pidfile": (f"{_FILE}pid",),
}
"""By the field's own name: the first is tried first, the others together with the words below."""
WORDS = ("10", "1s", "src", "200", "sample")
"""Tried one after the other where nothing is known of a field."""
BODIES: Mapping[SectionKind, tuple[Mapping[str, Any], ...]] = {
    SectionKind.GLOBAL: (
        {"set_var": [{"name": "proc.a", "expr": "int(1)"}]},
        {"set_var_fmt": [{"name": "proc.b", "format": "b"}]},
        {"http_err_codes": [{"value": "400-499"}]},
        {"http_fail_codes": [{"value": "500-599"}]},
        {"default_path": {"type": "origin", "path": "/DIR"}},
        {"nbthread": 1, "thread_groups": 1, "thread_group_lines": [{"group": "1", "num_or_range": "1-1"}]},
    ),
    SectionKind.HTTP_ERRORS: ({"error_files": [{"code": 503, "file": f"{_FILE}503.http"}]},),
    SectionKind.USERLIST: (
        {
            "groups": {"g": {"name": "g"}},
            "users": {"u": {"username": "u", "password": "x", "secure_password": False, "groups": "g"}},
        },
        {
            "groups": {"g": {"name": "g", "users": "u"}},
            "users": {"u": {"username": "u", "password": "x", "secure_password": False}},
        },
    ),
    SectionKind.FCGI_APP: (
        {
            "docroot": "/var/www",
            "log_stderrs": [
                {"address": "127.0.0.1", "facility": "local0", "len": 1024, "format": "rfc5424", "level": "info"}
                | {"minlevel": "err", "sample": {"ranges": "1", "size": 2}}
            ],
            "set_params": [{"name": "A", "format": "x", "cond": "if", "cond_test": "{ src 127.0.0.1 }"}],
        },
    ),
    SectionKind.DEFAULTS: ({"mode": "http", "default_server": {"observe": "layer7"}},),
    SectionKind.FRONTEND: (
        {
            "capture_list": [{"type": "request", "length": 10}, {"type": "response", "length": 10}],
            "http_request_rule_list": [{"type": "capture", "capture_sample": "src", "capture_id": 0}],
            "http_response_rule_list": [{"type": "capture", "capture_sample": "src", "capture_id": 0}],
        },
        {"http_request_rule_list": [{"type": "capture", "capture_sample": "src", "capture_len": 10}]},
        {
            "filter_list": [
                {"type": "bwlim-in", "bandwidth_limit_name": "in", "default_limit": 1024, "default_period": 1000},
                {"type": "bwlim-out", "bandwidth_limit_name": "out", "default_limit": 1024, "default_period": 1000}
                | {"min_size": 10},
            ],
            "http_request_rule_list": [
                {"type": "set-bandwidth-limit", "bandwidth_limit_name": "in", "bandwidth_limit_limit": "int(1)"}
                | {"bandwidth_limit_period": "int(1)"}
            ],
            "http_response_rule_list": [
                {"type": "set-bandwidth-limit", "bandwidth_limit_name": "out", "bandwidth_limit_limit": "int(1)"}
                | {"bandwidth_limit_period": "int(1)"}
            ],
            "tcp_request_rule_list": [
                {"type": "content", "action": "set-bandwidth-limit", "bandwidth_limit_name": "in"}
                | {"bandwidth_limit_limit": "int(1)", "bandwidth_limit_period": "int(1)"}
            ],
        },
        {
            "filter_list": [
                {
                    "type": kind,
                    "bandwidth_limit_name": kind,
                    "limit": 1024,
                    "key": "src",
                    "table": "seen",
                    "min_size": 10,
                }
                for kind in ("bwlim-in", "bwlim-out")
            ]
        },
        {
            "filter_list": [{"type": "spoe", "spoe_engine": "e", "spoe_config": f"{_FILE}spoe.cfg"}],
            "http_request_rule_list": [{"type": "send-spoe-group", "spoe_engine": "e", "spoe_group": "g"}],
            "http_response_rule_list": [{"type": "send-spoe-group", "spoe_engine": "e", "spoe_group": "g"}],
            "tcp_request_rule_list": [
                {"type": "content", "action": "send-spoe-group", "spoe_engine_name": "e", "spoe_group_name": "g"}
            ],
        },
        {"backend_switching_rule_list": [{"name": "other", "cond": "if", "cond_test": "{ path /a }"}]},
        {"backend_switching_rule_list": [{"name": "other", "cond": "unless", "cond_test": "{ path /a }"}]},
        {"compression": {"algo-req": "gzip", "minsize_req": 1024}},
        {"compression": {"algos-res": ["gzip"], "minsize_res": 1024}},
        {
            "http_request_rule_list": [
                {"type": "track-sc", "track_sc_key": "src", "track_sc_stick_counter": 0} | {"track_sc_table": "seen"}
            ]
        },
        {
            "http_response_rule_list": [
                {"type": "track-sc", "track_sc_key": "src", "track_sc_stick_counter": 0} | {"track_sc_table": "seen"}
            ]
        },
        {
            "tcp_request_rule_list": [
                {
                    "type": kind,
                    "action": "track-sc",
                    "track_key": "src",
                    "track_stick_counter": 0,
                    "track_table": "seen",
                }
                for kind in ("connection", "content", "session")
            ]
        },
        *(
            {"tcp_request_rule_list": [{"type": kind, "action": action, **more}]}
            for kind in ("connection", "content", "session")
            for action, more in {
                "set-var": {"var_scope": "txn", "var_name": "x", "expr": "int(1)"},
                "set-var-fmt": {"var_scope": "txn", "var_name": "x", "var_format": "a"},
                "unset-var": {"var_scope": "txn", "var_name": "x"},
                "set-mark": {"mark_value": "10"},
                "set-tos": {"tos_value": "10"},
                "set-src": {"expr": "src"},
                "sc-set-gpt": {"sc_inc_id": "0", "sc_idx": "1", "sc_int": 1},
                "sc-set-gpt0": {"sc_inc_id": "0", "expr": "int(1)"},
                "capture": {"capture_sample": "src", "capture_len": 10},
                "do-resolve": {"resolve_var": "txn.a", "resolve_resolvers": "dns", "resolve_protocol": "ipv4"}
                | {"expr": "src"},
            }.items()
        ),
        *(
            {"tcp_response_rule_list": [{"type": "content", "action": action, **more}]}
            for action, more in {
                "unset-var": {"var_scope": "txn", "var_name": "x"},
                "sc-set-gpt": {"sc_id": 1, "sc_idx": 1, "expr": "int(1)"},
                "sc-set-gpt0": {"sc_id": 1, "expr": "int(1)"},
                "sc-add-gpc": {"sc_id": 1, "sc_idx": 1, "expr": "int(1)"},
            }.items()
        ),
        *(
            {field: [{"type": action, "sc_id": 1, "sc_expr": "int(1)", **more}]}
            for field in ("http_request_rule_list", "http_response_rule_list", "http_after_response_rule_list")
            for action, more in {"sc-set-gpt": {"sc_idx": 1}, "sc-set-gpt0": {}, "sc-add-gpc": {"sc_idx": 1}}.items()
        ),
        *(
            {field: [{"type": action, "sc_id": 1, **more}]}
            for field in ("http_request_rule_list", "http_response_rule_list", "http_after_response_rule_list")
            for action, more in {"sc-inc-gpc": {"sc_idx": 1}, "sc-inc-gpc0": {}, "sc-inc-gpc1": {}}.items()
        ),
        {
            "mode": "tcp",
            "tcp_request_rule_list": [{"type": "content", "action": "use-service", "service_name": "lua.listen"}],
        },
        {"http_request_rule_list": [{"type": "use-service", "service_name": "lua.serve"}]},
        {"http_request_rule_list": [{"type": "set-timeout", "timeout_type": "server", "timeout": "5s"}]},
        {"http_check_list": [{"type": "set-var-fmt", "var_scope": "check", "var_name": "x", "var_format": "a"}]},
        {"http_check_list": [{"type": "unset-var", "var_scope": "check", "var_name": "x"}]},
    ),
    SectionKind.BACKEND: (
        {"errorfiles_from_http_errors": [{"name": "pages", "codes": [503]}]},
        {
            "use_fcgi_app": "php",
            "filter_list": [{"type": "fcgi-app", "app_name": "php"}],
            "servers": {"f": {"name": "f", "address": "127.0.0.1", "port": 1, "proto": "fcgi"}},
        },
        {"external_check": "enabled", "external_check_command": "/bin/true", "external_check_path": "/usr/bin:/bin"},
        {"use_fcgi_app": "php", "servers": {"f": {"name": "f", "address": "127.0.0.1", "port": 1, "proto": "fcgi"}}},
        {
            "cookie": {
                "name": "c",
                "type": "insert",
                "domain": [{"value": "a.example"}],
                "attr": [{"value": "SameSite=Lax"}],
            }
        },
        {
            "filter_list": [
                {"type": "bwlim-in", "bandwidth_limit_name": "in", "default_limit": 1024, "default_period": 1000},
                {"type": "bwlim-out", "bandwidth_limit_name": "out", "default_limit": 1024, "default_period": 1000},
            ],
            "http_request_rule_list": [{"type": "set-bandwidth-limit", "bandwidth_limit_name": "in"}],
            "http_response_rule_list": [{"type": "set-bandwidth-limit", "bandwidth_limit_name": "out"}],
            "tcp_request_rule_list": [
                {"type": "content", "action": "set-bandwidth-limit", "bandwidth_limit_name": "in"}
            ],
            "tcp_response_rule_list": [
                {"type": "content", "action": "set-bandwidth-limit", "bandwidth_limit_name": "out"}
            ],
        },
        {
            "filter_list": [{"type": "spoe", "spoe_engine": "e", "spoe_config": f"{_FILE}spoe.cfg"}],
            "tcp_response_rule_list": [
                {"type": "content", "action": "send-spoe-group", "spoe_engine": "e", "spoe_group": "g"}
            ],
        },
        *(
            {
                "server_switching_rule_list": [{"target_server": "n1", "cond": cond, "cond_test": "{ path /a }"}],
                "servers": {"n1": {"name": "n1", "address": "127.0.0.1", "port": 1}},
            }
            for cond in ("if", "unless")
        ),
    ),
}
"""Bodies that stand beside the samples: what several fields need together."""
_TEXT = {"return_content": '"text"', "return_content_type": "text/plain"}
_CONTENT = {"return_content": f"{_FILE}503.http", "return_content_type": "text/plain"}
_PAGE = {"return_content": f"{_FILE}503.http", "return_content_type": None}
_PAGES = {"return_content": "pages", "return_content_type": None}
BESIDE: tuple[tuple[str, Mapping[str, Any]], ...] = (
    (r"(^|\.)cond(=\w+)?$", {"cond_test": "TRUE"}),
    (r"(^|\.)cond_test$", {"cond": "if"}),
    (r"return_content_format=(file|lf-file)$", _CONTENT),
    (r"return_content_format=(string|lf-string)$", _TEXT),
    (r"return_content_format=errorfile$", _PAGE),
    (r"return_content_format=errorfiles$", _PAGES),
    (r"\[type=return\]\.return_content_format=", {"return_status_code": 503}),
    (r"\[type=(deny|tarpit)\]\.return_content_format=", {"deny_status": 503}),
    (r"\[type=deny\]\.return_content_format=", {"deny_status": None, "status": 503}),
    (r"return_content$", {"return_content_format": "string", "return_content_type": "text/plain"}),
    (r"return_content_type$", {"return_content_format": "string", "return_content": '"text"'}),
    (r"return_hdrs\.", {"name": "A", "fmt": "a"}),
    (r"http_error_rule_list\.", {"type": "status", "status": 503}),
    (r"^error_files\.", {"code": 503, "file": f"{_FILE}503.http"}),
    (r"^errorfiles_from_http_errors\.codes", {"name": "pages"}),
    (r"^errorfiles_from_http_errors\.name", {"codes": [503]}),
    (r"^stick_table\.", {"type": "ip", "size": 1024}),
    (r"^stick_table\.keylen", {"type": "string"}),
    (r"^tables\.", {"type": "ip", "size": "1k"}),
    (r"^tables\.type_len", {"type": "string"}),
    (r"^balance\.hash_expression", {"algorithm": "hash"}),
    (r"^balance\.algorithm=hash$", {"hash_expression": "src"}),
    (r"^balance\.(hdr_name|hdr_use_domain_only)|^balance\.algorithm=hdr$", {"algorithm": "hdr", "hdr_name": "Host"}),
    (r"^balance\.(random_draws)", {"algorithm": "random"}),
    (r"^balance\.(rdp_cookie_name)", {"algorithm": "rdp-cookie"}),
    (r"^balance\.(uri_)", {"algorithm": "uri"}),
    (r"^balance\.(url_param)|^balance\.algorithm=url_param$", {"algorithm": "url_param", "url_param": "id"}),
    (r"^balance\.url_param_max_wait", {"url_param_check_post": 1}),
    (r"^httpchk_params\.", {"/adv_check": "httpchk", "uri": "/up", "method": "GET"}),
    (r"^httpchk_params\.(host)", {"version": "HTTP/1.1"}),
    (r"^mysql_check_params\.", {"/adv_check": "mysql-check", "username": "u"}),
    (r"^pgsql_check_params\.", {"/adv_check": "pgsql-check"}),
    (r"^adv_check=pgsql-check", {"/pgsql_check_params": {"username": "u"}}),
    (r"^smtpchk_params\.", {"/adv_check": "smtpchk", "hello": "EHLO", "domain": "a.example"}),
    (r"^source\.", {"address": "127.0.0.1"}),
    (r"^source\.(port_second|address_second)", {"address_second": "127.0.0.1", "usesrc": "address"}),
    (r"^source\.usesrc=address", {"address_second": "127.0.0.1"}),
    (r"^source\.(hdr|occ)|^source\.usesrc=hdr_ip", {"usesrc": "hdr_ip", "hdr": "X", "occ": "1"}),
    (r"^stats_options\.stats_admin", {"stats_admin": True, "stats_admin_cond": "if", "stats_admin_cond_test": "TRUE"}),
    (r"^stats_options\.stats_realm", {"stats_realm": True, "stats_realm_realm": "a"}),
    (r"log_target_list\.", {"address": "127.0.0.1", "facility": "local0"}),
    (r"log_target_list\.(nolog|global)", {"address": None, "facility": None}),
    (r"log_target_list\.minlevel", {"level": "info"}),
    (r"log_target_list\.sample_", {"sample_range": "1", "sample_size": 2}),
    (r"^email_alert\.", {"from": "a@b.example", "to": "a@b.example", "mailers": "post"}),
    (r"\.agent-check", {"agent-port": 1}),
    (r"\.(check-ssl|ssl)=", {"verify": "none"}),
    (r"^binds\.ssl$", {"ssl_certificate": f"{_FILE}site.pem"}),
    (r"set-proxy-v2-tlv-fmt\.", {"id": "0x20", "value": "a"}),
    (r"\.lua_params$", {"lua_action": "act1"}),
    (r"\.normalizer_strict", {"normalizer": "percent-to-uppercase"}),
    (r"\.normalizer_full", {"normalizer": "path-strip-dotdot"}),
    (r"match=(binary|rbinary)$", {"pattern": "504f4e47"}),
    (r"match=f?hdr$", {"pattern": "name a"}),
    (r"^stick_rule_list\.", {"type": "match", "pattern": "src", "table": "seen"}),
    (r"^external_check_command", {"/external_check": "enabled", "/external_check_path": "/usr/bin"}),
    (r"^user$|^group$", {}),
    (r"^default_path\.", {"path": "/DIR", "type": "origin"}),
    (r"^cpu_set\.", {"set": "0", "directive": "only-cpu"}),
    (r"^cpu_set\.directive=reset", {"set": None}),
    (r"^ocsp_update_options\.httpproxy\.", {"address": "127.0.0.1"}),
    (r"^wurfl_options\.", {"data_file": f"{_FILE}keys.txt"}),
    (r"quic_cc_algo_", {"quic-cc-algo": "cubic"}),
    (r"^(fifty_one_degrees_options)\.", {"data_file": f"{_FILE}keys.txt"}),
    (r"^ssl_options\.engines\.", {"name": "rdrand", "algorithms": "ALL"}),
    (r"^crt_loads\.", {"certificate": f"{_FILE}site.pem"}),
    (r"^stats_options\.stats_http_requests\.", {"type": "allow"}),
    (r"quic_initial_rule_list\.", {"type": "accept"}),
)
"""What a field needs beside it, by a pattern of its name: all that fit; `/` begins a field of the section itself, and
None takes a field away."""

FINAL = re.compile(
    r"unknown keyword|unknown option|unknown argument|unknown stats parameter|unknown proxy mode|has no action"
    r"|unknown log facility 'profile'|negation/default is not supported|is not supported for a global syslog server"
    r"|not supported by your TLS library"
    r"|not allowed because|is not allowed in '[^']*' rules in|expects other words|is not accepted in default-server"
    r"|not allowed in 'defaults' section|has no (front|back)end capability|only supports"
    r"|rule supports 'server'/'tunnel'"
    r"|can only be used in http proxies|cannot have cookie or redirect prefix in non-HTTP mode|Only one listener per"
    r"|Cannot open namespace|error encountered while processing 'namespace'"
    r"|must be allowed via a global 'expose-experimental-dir"
)
"""What HAProxy says, or we, where no other value would help. A network namespace is there on no machine by itself; the
directives that are experimental are written by the server in front of the one that allows them."""
NO_VALUE: Mapping[str, str] = {
    "'option httpchk' cannot handle unexpected argument '10'.": "2.8 takes the host in http-check send alone",
    "unknown fetch method 'if'": "the server writes no value for sc-set-gpt0 there, so the condition is taken for it",
    "unknown fetch method 'unless'": "the same",
    "proxy 'tried': FCGI app configured but no FCGI server found.": "a frontend has no servers",
}
"""HAProxy's other words, and why no value would change them."""
