"""Decision rights: who or what may allow a call."""
