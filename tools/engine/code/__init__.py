"""Running Python that nobody has read, in a process that can reach nothing but its own folder."""
