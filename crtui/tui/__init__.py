"""The screen: frames drawn by Textual, keys turned into commands."""

import os

# Textual reads it as it is imported. What a key changes is on the screen 8 ms later at most, not 17;
# pictures themselves come four times a second whatever this says.
os.environ.setdefault("TEXTUAL_FPS", "120")
