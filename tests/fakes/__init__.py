"""Fake servers that several suites use: small real programs that speak the real protocols."""
