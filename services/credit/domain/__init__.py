"""What credit decides: which record is taken, what it restricts, from when it may be repaired. Pure."""
