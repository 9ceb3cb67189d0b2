"""The files of the workspaces: how they are reached, read, changed and taken back."""
