"""How tools work: declaration, effects, and the permit that opens a tool's body."""
