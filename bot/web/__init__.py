"""The local web chat: Bosun's own surface, and the reference for what an adapter does."""
