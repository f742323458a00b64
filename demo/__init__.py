"""The demonstration: the main job end to end on the real parts, with faults, followed by its proof."""
