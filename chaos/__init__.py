"""Faults on purpose: a cluster of its own under a seeded storm, while people use it; then the proof from outside."""
