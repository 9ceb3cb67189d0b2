"""The kernel: clock, columns, transactions, queries under concurrent use, the ledger. On SQLite and Postgres."""
