"""Adapter: the bytes of a YAML file to plain Python values, strictly, with positions worked out only when asked for.

A reviewer and this tool must read the same thing, whatever YAML library the reviewer's editor uses. So only what YAML
1.1 and the core schema of YAML 1.2 read alike is accepted: a scalar that one of them takes for something else (`no`,
`0755`, `12:30`, `2027-01-01`, `1e3`) must be quoted. Aliases, anchors, tags, directives, merge keys, duplicate keys,
keys that are not text, and characters that do not show are refused. Sizes, depth and node counts are bounded before
they cost anything.

Built on the events of libyaml (ruamel.yaml's constructor takes 10 s for 10,000 documents, its C events 1 s):
`building` alone imports ruamel.yaml.
"""

from haoam_sync.documents.document import Document, Span, load, recall, to_remember
from haoam_sync.documents.values import DEFAULT_BOUNDS, Bounds, Path, Value

__all__ = ["DEFAULT_BOUNDS", "Bounds", "Document", "Path", "Span", "Value", "load", "recall", "to_remember"]
