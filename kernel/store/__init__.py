"""The database: one module per group of tables, each with its named queries. The only place that imports sqlmodel."""

from kernel.store.database import Session, Store, open_store, wake

__all__ = ["Session", "Store", "open_store", "wake"]
