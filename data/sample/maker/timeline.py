"""暦: 開庁日、日ごとの件数の重み、季節、時刻、受付媒体。"""

from __future__ import annotations

import random
from datetime import date, time, timedelta
from functools import cache

from .material import Material
from .models import Key
from .settings import DAYS, START

HOLIDAY_LIST = """
2024-11-03 2024-11-04 2024-11-23
2025-01-01 2025-01-13 2025-02-11 2025-02-23 2025-02-24 2025-03-20 2025-04-29 2025-05-03
2025-05-04 2025-05-05 2025-05-06 2025-07-21 2025-08-11 2025-09-15 2025-09-23 2025-10-13
2025-11-03 2025-11-23 2025-11-24
2026-01-01 2026-01-12 2026-02-11 2026-02-23 2026-03-20 2026-04-29 2026-05-03 2026-05-04
2026-05-05 2026-05-06 2026-07-20 2026-08-11 2026-09-21 2026-09-22 2026-09-23 2026-10-12
"""
OFFICE_HOURS = [5, 13, 14, 11, 7, 11, 12, 10, 9, 4]  # 8時台から17時台
ANY_HOURS = [3, 2, 1, 1, 1, 2, 3, 5, 6, 7, 8, 7, 8, 6, 6, 6, 6, 6, 7, 8, 10, 11, 9, 6]
VOICE_CHANNELS = ["Webフォーム", "電子メール", "手紙", "FAX", "来庁・面談"]


@cache
def holidays() -> frozenset[date]:
    """期間中の祝日。"""
    return frozenset(date.fromisoformat(s) for s in HOLIDAY_LIST.split())


def fiscal(day: date) -> int:
    """年度(4月から)。"""
    return day.year if day.month >= 4 else day.year - 1


def wareki(day: date, rng: random.Random) -> str:
    """令和7年4月1日 と R7.4.1 をまぜる。"""
    year = day.year - 2018
    if rng.random() < 0.65:
        return f"令和{year}年{day.month}月{day.day}日"
    return f"R{year}.{day.month}.{day.day}"


def slashed(day: date, clock: time) -> str:
    """2025/4/1 13:05 の形。"""
    return f"{day.year}/{day.month}/{day.day} {clock.hour}:{clock.minute:02d}"


class Timeline:
    """いつ、どの分野が、どれだけ、どこから来るか。"""

    def __init__(self, material: Material, rng: random.Random) -> None:
        self.material = material
        self.rng = rng
        self._closed: set[str] = {d["date"] for d in material.city["closed_days"]["city_days"]}
        self._weights: dict[tuple[int, int, bool], list[float]] = {}

    def is_open(self, day: date) -> bool:
        """開庁日かどうか。"""
        if day.weekday() >= 5 or day in holidays():
            return False
        stamp = day.strftime("%m-%d")
        return "01-03" < stamp < "12-29" and stamp not in self._closed

    def day_share(self, file: str, day: date) -> float:
        """曜日と閉庁日による重み。"""
        table = self.material.calendar["weekday"][file]
        return float(table[day.weekday()] if self.is_open(day) else table[7])

    def day_weights(self, file: str) -> list[float]:
        """日ごとの件数の重み(休み明けは多く、年末年始は少なく、ゆらぎもある)。"""
        weights: list[float] = []
        for day in DAYS:
            base = self.day_share(file, day)
            if self.is_open(day):
                if not self.is_open(day - timedelta(days=1)):
                    base *= 1.18
            elif day.strftime("%m-%d") in ("12-31", "01-01", "01-02"):
                base *= 0.5
            weights.append(base * self.rng.gammavariate(9.0, 1 / 9.0))
        return weights

    def key_weights(self, day: date, *, survey: bool = False) -> list[float]:
        """その月の (大分類, 中分類) の出やすさ。"""
        month = (day.year, day.month, survey)
        if month not in self._weights:
            self._weights[month] = [self._key_weight(key, day, survey=survey) for key in self.material.keys]
        return self._weights[month]

    def _key_weight(self, key: Key, day: date, *, survey: bool) -> float:
        calendar = self.material.calendar
        theme, sub = key
        shares = {s: float(calendar["subthemes"].get(s, 1)) for t, s in self.material.keys if t == theme}
        weight = float(calendar["themes"][theme]["survey" if survey else "weight"])
        weight *= shares[sub] / sum(shares.values())
        if not survey:
            progress = ((day.year - START.year) * 12 + day.month - START.month) / 23
            weight *= float(calendar["season"].get(sub, {}).get(day.month, 1))
            weight *= 1 + float(calendar["trend"].get(sub, 0)) * (progress - 0.5)
        return weight

    def pick_key(self, day: date, *, survey: bool = False) -> Key:
        """その日の (大分類, 中分類) をひとつ引く。"""
        return self.rng.choices(self.material.keys, self.key_weights(day, survey=survey))[0]

    def clock(self, file: str) -> time:
        """受け付けた時刻。"""
        rng = self.rng
        if file in ("call", "counter"):
            hour = rng.choices(range(8, 18), OFFICE_HOURS)[0]
            if file == "counter":
                hour = min(max(hour, 9), 16)
        else:
            hour = rng.choices(range(24), ANY_HOURS)[0]
        return time(hour, rng.randint(0, 59))

    def channel(self, file: str, day: date) -> str:
        """受付媒体。閉庁日に電話と面談はない。"""
        rng = self.rng
        if file == "call":
            if self.is_open(day):
                return rng.choices(["電話", "FAX", "メール"], [94, 2, 4])[0]
            return rng.choices(["FAX", "メール"], [1, 3])[0]
        if file == "voices":
            if self.is_open(day):
                return rng.choices(VOICE_CHANNELS, [54, 20, 13, 6, 7])[0]
            return rng.choices(VOICE_CHANNELS[:4], [66, 27, 2, 5])[0]
        return {"counter": "来庁・面談", "mail": "電子メール"}[file]

    def answer_day(self, day: date) -> date:
        """回答日(開庁日で数える。遅れたものもある)。"""
        rng = self.rng
        wait = rng.choices(range(1, 11), [2, 4, 6, 9, 11, 12, 13, 13, 12, 10])[0]
        if rng.random() < 0.14:
            wait = rng.randint(11, 34)
        while wait:
            day += timedelta(days=1)
            wait -= self.is_open(day)
        return day
