"""Real coding agents through the gateway. Not part of the suite: they are installed from npm first."""
