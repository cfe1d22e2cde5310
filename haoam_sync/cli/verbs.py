"""Groups of commands whose help says each one's first sentence in full, where click cuts it to what fits on a line."""

from __future__ import annotations

import click

_WHOLE = 400
"""Longer than any first sentence."""


class Verbs(click.Group):
    """A group of commands."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them, each with its first sentence, wrapped."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, one.get_short_help_str(limit=_WHOLE)) for name, one in found if one is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
