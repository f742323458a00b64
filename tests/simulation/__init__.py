"""The delivery protocol as small state machines around the real decision functions, told in seeded stories."""
