"""The database: connection, schema, events, ledger, outbox, backup.

Standing in the flow: the only room that knows SQL. `open_store` opens, `Store.transaction` writes.
"""

from warden.store.connection import MEMORY, Store, Transaction, open_store
from warden.store.lock import DatabaseLock, DatabaseLocked

__all__ = [
    "MEMORY",
    "DatabaseLock",
    "DatabaseLocked",
    "Store",
    "Transaction",
    "open_store",
]
