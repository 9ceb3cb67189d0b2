"""How well the decision rights hold where the model does whatever an injected text says: AgentDojo, gate only."""
