"""The shell round the core: one writer, its timer, the pollers, and the door to the screen."""
