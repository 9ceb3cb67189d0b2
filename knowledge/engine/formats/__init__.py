"""Formats that are read: one file each, found by the suffix of a file's name. They run in a process of their own."""
