"""Customers: companies, contacts, deals, notes and tasks, in our own tables or in an outside CRM."""
