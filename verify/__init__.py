"""Is a signed document genuine? A program of its own: it shares no code with those that sign, and asks nobody."""
