"""Knowledge base: one file per kind of source."""
