"""Which profile a request falls under, and which one a provider's row is judged by."""

from __future__ import annotations

from crtui.core.plan import Ask, UnknownProfileError
from crtui.core.rules import first_match
from crtui.core.settings import CoreSettings, ProfileSettings


class Profiles:
    """The profiles of a configuration, by name."""

    def __init__(self, settings: CoreSettings) -> None:
        self._rules = settings.rules
        self._by_name = {profile.name: profile for profile in settings.profiles}
        self._default = self._by_name[settings.default_profile]
        self._judges = self._judging(settings)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> ProfileSettings:
        return self._by_name[name]

    def of(self, ask: Ask) -> tuple[ProfileSettings, str | None]:
        """The profile a request names, else the first matching rule's (and that rule), else the default.

        Raises ``UnknownProfileError``.
        """
        if ask.profile is not None:
            profile = self._by_name.get(ask.profile)
            if profile is None:
                raise UnknownProfileError(ask.profile, tuple(self._by_name))
            return profile, None
        rule = first_match(self._rules, ask) if self._rules else None
        return (self._default, None) if rule is None else (self._by_name[rule.profile], rule.name)

    def judging(self, provider: str) -> ProfileSettings:
        """Whose actions a provider's row is judged by: the default's, else the first with it in its chain."""
        return self._judges[provider]

    def behind(self, name: str | None, provider: str) -> ProfileSettings:
        """The profile an attempt names; where it names none of ours, the one judging the provider."""
        return self._by_name.get(name or "") or self._judges[provider]

    def _judging(self, settings: CoreSettings) -> dict[str, ProfileSettings]:
        judges = {provider.name: self._default for provider in settings.providers}
        for profile in (*reversed(settings.profiles), self._default):
            judges.update({name: profile for name in profile.chain if name in judges})
        return judges
