"""Tests, at the promises that Bosun makes."""
