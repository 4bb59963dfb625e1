"""The configuration: its shape, where it is found, and what is said of one that cannot be used."""
