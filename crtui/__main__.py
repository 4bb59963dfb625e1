"""``python -m crtui`` is ``crtui``."""

from crtui.cli import main

main()
