"""The widgets: all of them draw lines of spans and repaint only lines that changed."""
