"""What the address of the public list says."""

from __future__ import annotations

from api.fields import Address, Day, Name, Place, Text
from loop.filters import words_of
from loop.publication import PublicFilter

FILTERS = {"q": "ことば", "theme": "分野", "district": "地区", "since": "受付日（から）", "until": "受付日（まで）"}


class PublicQuery(Address):
    """Filters over published voices."""

    q: Text = ""
    theme: Name = ""
    district: Name = ""
    since: Day = None
    until: Day = None
    after: Place = ""
    before: Place = ""

    def filter(self) -> PublicFilter:
        """The filter in the loop's words."""
        return PublicFilter(words=words_of(self.q), theme=self.theme, district=self.district, since=self.since, until=self.until)

    def active(self) -> dict[str, object]:
        """The filters that are set."""
        return {name: value for name in FILTERS if (value := getattr(self, name)) not in (None, "")}

    def address(self, **changes: object) -> str:
        """The list with some fields changed, from its beginning unless a place is given."""
        return "/voices" + self.query(**{"after": "", "before": "", **changes})
