"""Tests of the agents room: the real loop on a real database, the real client against a fake service."""
