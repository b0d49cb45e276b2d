"""型: 出来事、人、場面、書きかけの文、記録。"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

ALL_MONTHS = frozenset(range(1, 13))

Key = tuple[str, str]
"""(大分類, 中分類)。"""
Pii = list[tuple[str, str]]
"""文に出た個人情報の (表記, 種類)。"""

GROUPS = {"要望": "neg", "苦情": "neg", "通報": "neg", "提案": "idea", "問合せ": "ask", "感謝": "thx", "その他": "none"}
"""種別から、言いそえの組へ。"""


@dataclass
class Core:
    """ひとつの出来事の型(文と、その正解)。"""

    theme: str
    subtheme: str
    kind: str
    urgency: str
    text: str
    months: frozenset[int] = ALL_MONTHS
    only: str = ""
    used: int = 0
    matter: str = ""

    @property
    def key(self) -> Key:
        """(大分類, 中分類)。"""
        return self.theme, self.subtheme

    @property
    def group(self) -> str:
        """言いそえの組。"""
        return GROUPS[self.kind]

    def suits(self, month: int, mode: str) -> bool:
        """その月にその受け方で出てよいか。"""
        return month in self.months and self.only in ("", mode)


@dataclass
class Person:
    """つくりものの市民。"""

    surname: str
    given: str
    roman: str
    district: str
    address: str
    phone: str
    email: str
    age: str
    sex: str

    @property
    def full(self) -> str:
        """姓と名。"""
        return self.surname + self.given


@dataclass(frozen=True)
class Scene:
    """だれが、いつ、どこで、どの課に。"""

    district: str
    person: Person
    day: date
    department: dict[str, Any]


@dataclass
class Draft:
    """書きかけの文。同じスロットは同じ中身になり、出した個人情報は pii にたまる。"""

    scene: Scene
    slots: dict[str, str] = field(default_factory=dict)
    pii: Pii = field(default_factory=list)

    def apart(self) -> Draft:
        """スロットを引きつがない別の文(個人情報は同じ所にためる)。"""
        return Draft(self.scene, {}, self.pii)


@dataclass
class Record:
    """できあがった1件。"""

    file: str
    day: date
    clock: time
    core: Core
    district: str
    text: str
    pii: Pii
    person: Person
    surge: str | None = None
    campaign: bool = False
    channel: str = ""
    external_id: str = ""
    row: int = 0
    subject: str = ""


def kept(text: str, pii: Sequence[tuple[str, str]]) -> Pii:
    """文にのこった個人情報だけを、重なりなく。"""
    return [item for item in dict.fromkeys(pii) if item[0] in text]


def mode_of(file: str) -> str:
    """受け手が書きとる(call)か、本人が書く(self)か。"""
    return "call" if file in ("call", "counter") else "self"


def by_time(records: list[Record]) -> list[Record]:
    """受け付けた順(同じ時刻は作った順)。"""
    return sorted(records, key=lambda r: (r.day, r.clock))
