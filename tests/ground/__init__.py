"""Tests of the ground: test guards, fixtures, import contracts, documentation."""
