"""The screen: pure functions from a snapshot to lines of styled text, and the widgets that show them."""
