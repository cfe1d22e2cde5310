"""Stage: the record of what was intended, asked, answered and concluded."""
