"""The codec: section <-> haproxy.cfg text, both ways, pure."""
