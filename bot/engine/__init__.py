"""How the human layer works: inbox, outbox, cards, people, and the composition root."""
