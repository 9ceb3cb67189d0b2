"""Tools: one file per tool that an agent can be allowed to use."""
