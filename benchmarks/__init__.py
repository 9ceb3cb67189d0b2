"""How fast Bosun is and what it costs, beside two yardsticks, in one table: `make bench`."""
