"""The gates: what a change must pass before anybody else sees it."""
