"""The floor: types, errors, settings, clock, store, ledger and engine. Knows no room above it."""
