"""Text commands: one file each, found by themselves. `COMMANDS` in a file is what it adds."""
