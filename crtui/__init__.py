"""crtui: a terminal dashboard and local gateway for live LLM routing state."""

__version__ = "0.1.0"
