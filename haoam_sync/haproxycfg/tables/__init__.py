"""The keyword table, by kind of section."""
