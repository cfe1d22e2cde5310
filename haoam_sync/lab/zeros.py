"""Which fields the server shows when they hold zero, false or nothing.

Booleans and strings that hold false or nothing are as good as absent for it, integers mostly are not.
"""

from __future__ import annotations

from haoam_sync.lab.wire import JsonType, Rule

_BOOLEANS = frozenset({("User", "secure_password"), ("Cache", "process_vary"), ("OcspUpdateOptions", "disable")})


def shows_zero(model: str, field: str, rule: Rule) -> bool:
    """Whether an answer has this field of this model though it holds zero, false or an empty string."""
    match rule.kind:
        case JsonType.BOOLEAN:
            return (model, field) in _BOOLEANS
        case JsonType.INTEGER:
            return not rule.values
        case _:
            return False
