"""Measurements on the real parts of this machine: `make bench`. Ratios within one run; none of them is a test."""
