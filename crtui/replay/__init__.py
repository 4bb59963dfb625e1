"""A recorded or written history, run through the same core on virtual time."""
