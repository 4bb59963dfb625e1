"""``crtui doctor``: what is wrong with each provider, and the line that mends it.

Everything it asks is free, unless a person says ``--billed``.
"""

from crtui.modes.doctor.command import doctor

__all__ = ["doctor"]
