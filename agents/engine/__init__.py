"""How agents work: the loop, dispatch, and the model clients."""
