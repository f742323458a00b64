"""Why an event may not take effect at once."""

SOON = "fails by itself until a release mends the handler"
NEVER = "fails by itself for ever"
HANGS = "looks like trouble of the database each time"
UNREADABLE = "has an unknown version until a release reads it"
KINDS = (SOON, NEVER, HANGS, UNREADABLE)
