"""The acts of credit: load, decide, record, tell; the transaction is the caller's."""
