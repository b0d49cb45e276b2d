"""材料、人、暦、文をひとつの乱数でまとめ、ふだんの記録をつくる。"""

from __future__ import annotations

import random
from collections import Counter
from datetime import date
from typing import Any

from .material import Material
from .models import Core, Draft, Key, Person, Record, Scene, mode_of
from .people import People
from .settings import DAYS, SEED
from .slots import Slots
from .texts import Texts, choose
from .timeline import Timeline


class Workshop:
    """見本ひとそろいをつくる仕事場。種は固定なので、何度つくっても同じになる。"""

    def __init__(self) -> None:
        self.rng = random.Random(SEED)
        self.material = Material()
        self.people = People(self.material, self.rng)
        self.timeline = Timeline(self.material, self.rng)
        self.texts = Texts(self.material, Slots(self.material, self.people, self.rng), self.rng)
        self.seen: Counter[str] = Counter()

    def department(self, core: Core) -> dict[str, Any]:
        """その件を主に受け持つ課。"""
        return self.material.department[core.key]

    def draft(self, core: Core, district: str, person: Person, day: date) -> Draft:
        """新しい文を書きはじめる。"""
        return Draft(Scene(district, person, day, self.department(core)))

    def draft_about(self, record: Record) -> Draft:
        """できた記録についての文(回答や処理)を書きはじめる。"""
        return self.draft(record.core, record.district, record.person, record.day)

    def new_record(self, core: Core, file: str, day: date, district: str) -> Record:
        """まだ出ていない文になるまで(30回まで)つくりなおす。"""
        channel = self.timeline.channel(file, day)
        rate = float(self.material.frames["pii_rate"][file])
        for _ in range(30):
            person = self.people.resident(district)
            draft = self.draft(core, district, person, day)
            text = self.texts.compose(core, draft, mode_of(file), channel, private=self.rng.random() < rate)
            clock = self.timeline.clock(file)
            if not self.seen[text]:
                break
        self.seen[text] += 1
        return Record(file, day, clock, core, district, text, draft.pii, person, channel=channel)

    def everyday_records(self, file: str, size: int, weights: list[float]) -> list[Record]:
        """ふだんの記録を size 件つくる。"""
        out: list[Record] = []
        for day in self.rng.choices(DAYS, weights, k=size):
            pool = self.material.cores[self._fitting_key(day, mode_of(file))]
            core = choose(pool, day.month, mode_of(file), self.rng)
            out.append(self.new_record(core, file, day, self.people.district()))
        return out

    def _fitting_key(self, day: date, mode: str) -> Key:
        while True:
            key = self.timeline.pick_key(day)
            if any(c.suits(day.month, mode) for c in self.material.cores[key]):
                return key
