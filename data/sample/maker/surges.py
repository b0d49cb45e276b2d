"""仕込んだ出来事: 急増と、同文の一斉投稿。"""

from __future__ import annotations

from typing import Any

from .models import Core, Draft, Person, Record, kept, mode_of
from .settings import DAYS, N_CAMPAIGN, N_SENDERS
from .texts import choose
from .workshop import Workshop

SURGE_FILES = ("call", "voices", "counter", "mail")


def surge_records(shop: Workshop, surge: dict[str, Any]) -> list[Record]:
    """ひとつの急増の記録。出だしに山があり、しだいに減る。"""
    rng, timeline = shop.rng, shop.timeline
    span = [d for d in DAYS if surge["start"] <= d <= surge["end"]]
    shape = [1.0 + 1.6 * (i + 1) * pow(0.72, i) for i in range(len(span))]
    pool = [_surge_core(surge, item, turn) for turn, item in enumerate(surge["cores"], start=1)]
    out: list[Record] = []
    for file in SURGE_FILES:
        weights = [s * timeline.day_share(file, d) for s, d in zip(shape, span, strict=True)]
        for _ in range(int(surge["counts"][file])):
            day = rng.choices(span, weights)[0]
            district = surge["district"] or shop.people.district()
            core = choose(pool, day.month, mode_of(file), rng)
            record = shop.new_record(core, file, day, district)
            record.surge = surge["name"]
            out.append(record)
    return out


def _surge_core(surge: dict[str, Any], item: list[Any], turn: int) -> Core:
    options = item[3] if len(item) > 3 else {}
    matter = f"{surge['name']}/{turn}"
    return Core(surge["theme"], surge["subtheme"], item[0], item[1], item[2], only=options.get("only", ""), matter=matter)


def expected_per_week(shop: Workshop, surge: dict[str, Any], weights: dict[str, list[float]], sizes: dict[str, int]) -> tuple[float, float]:
    """急増がなかったときの週あたりの件数(大分類, 中分類)。"""
    material = shop.material
    share = 1.0
    if surge["district"]:
        share = material.district_weights[material.districts.index(surge["district"])] / sum(material.district_weights)
    here = material.keys.index((surge["theme"], surge["subtheme"]))
    theme_sum = sub_sum = 0.0
    days = [(i, day) for i, day in enumerate(DAYS) if surge["start"] <= day <= surge["end"]]
    for i, day in days:
        keys = shop.timeline.key_weights(day)
        theme = sum(w for k, w in zip(material.keys, keys, strict=True) if k[0] == surge["theme"])
        for file, table in weights.items():
            volume = sizes[file] * table[i] / sum(table) * share / sum(keys)
            theme_sum += volume * theme
            sub_sum += volume * keys[here]
    return theme_sum * 7 / len(days), sub_sum * 7 / len(days)


def campaign_records(shop: Workshop) -> list[Record]:
    """同文の一斉投稿。二度送る人もいる。"""
    rng = shop.rng
    campaign = shop.material.campaign
    senders = rng.sample(shop.people.all, N_SENDERS)
    again = rng.sample(senders, N_CAMPAIGN - N_SENDERS)
    span = [d for d in DAYS if campaign["start"] <= d <= campaign["end"]]
    weights = [pow(0.86, i) + 0.15 for i in range(len(span))]
    core = Core(campaign["theme"], campaign["subtheme"], campaign["kind"], "normal", "", matter=campaign["name"])
    out: list[Record] = []
    for person in senders + again:
        day = rng.choices(span, weights)[0]
        for _ in range(12):
            draft = shop.draft(core, person.district, person, day)
            text = _campaign_text(shop, draft)
            if shop.seen[text] < 2:
                break
        shop.seen[text] += 1
        record = _campaign_record(shop, core, person, draft, text)
        record.subject = rng.choice(campaign["subjects"])
        out.append(record)
    return out


def _campaign_record(shop: Workshop, core: Core, person: Person, draft: Draft, text: str) -> Record:
    day, clock = draft.scene.day, shop.timeline.clock("voices")
    pii = kept(text, draft.pii)
    return Record("voices", day, clock, core, person.district, text, pii, person, campaign=True, channel="Webフォーム")


def _campaign_text(shop: Workshop, draft: Draft) -> str:
    campaign = shop.material.campaign
    text = "".join([shop.texts.expand(s, draft) for s in campaign["sentences"]])
    if shop.rng.random() < 0.4:
        text = shop.texts.one_of(campaign["heads"], draft) + text
    if shop.rng.random() < 0.5:
        text += shop.texts.one_of(campaign["tails"], draft)
    return text
