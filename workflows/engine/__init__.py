"""How workflows work: triggers, schedules, steps, digests."""
