"""Asking databases, and drawing what came out."""
