"""Pure codecs for the wires that agents speak: bytes in, facts out. No I/O, no clock."""
