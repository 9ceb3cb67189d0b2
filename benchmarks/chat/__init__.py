"""Many people in Slack and Discord at once: what they see of Bosun, and what their chatter costs it."""
