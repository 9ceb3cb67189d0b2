"""How decision rights work: the rule language, the door, approvals, grants, budgets."""
