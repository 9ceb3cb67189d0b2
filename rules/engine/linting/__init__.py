"""Looking at rules before they decide anything: what never holds, what never counts, what nobody can approve."""
