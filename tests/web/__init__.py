"""Tests of the local web chat: its server over HTTP, its adapter, and its page in a real Chromium."""
