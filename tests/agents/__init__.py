"""Real coding agents through the gateway. Not part of the suite: npm and PyPI install them first."""
