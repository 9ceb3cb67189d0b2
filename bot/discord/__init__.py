"""Discord: everything that knows its API, its gateway and its components. The only home of discord.py."""
