"""The words of tools.yaml as data: which accounts, servers and documents the tools work with. No secret stands here."""
