"""アンケートの書きだし: 年4回のモニター調査を8回分。同じ見出しの自由記述が4つ並ぶ。"""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

from .models import Core, Draft, Key, Person, Record, Scene, kept
from .settings import N_REASONS, N_RESPONDENTS, SURVEY_FILE
from .tables import csv_bytes
from .texts import choose
from .truth import Line, truth_line
from .workshop import Workshop

REASON = "上記回答の理由をお書きください（任意）"
QUESTIONS = [
    ("【問２】潮見市は住みやすいと思いますか。", ["住みやすい", "どちらかといえば住みやすい", "どちらかといえば住みにくい", "住みにくい"]),
    (
        "【問３】これからも潮見市に住みつづけたいと思いますか。",
        ["住みつづけたい", "できれば住みつづけたい", "できれば移りたい", "移りたい"],
    ),
    (
        "【問４】市民の声が市の仕事に生かされていると思いますか。",
        ["生かされている", "ある程度生かされている", "あまり生かされていない", "生かされていない"],
    ),
    ("【問５】この１年で市のサービスはよくなったと思いますか。", ["よくなった", "少しよくなった", "少し悪くなった", "悪くなった"]),
]
NUMBERS = range(2, 2 + len(QUESTIONS))  # 問1は地区
NOTHING = ["特になし", "なし", "特にありません。"]
ABOUT_CITY_HALL = "市政運営・職員"


def write_survey(shop: Workshop, out: Path) -> list[Line]:
    """survey_wide_utf8.csv を書く。"""
    rng = shop.rng
    head = ["回答番号", "回答日", "【問１】お住まいの地区"]
    for question, _ in QUESTIONS:
        head += [question, REASON]
    rows = [[*head, "年代", "性別"]]
    truth: list[Line] = []
    days = _answer_days(shop)
    places = [(i, number) for i in range(1, N_RESPONDENTS + 1) for number in NUMBERS]
    given = frozenset(rng.sample(places, N_REASONS))
    for i, day in enumerate(days, start=1):
        district = shop.people.district()
        person = shop.people.resident(district)
        reasons = {number for number in NUMBERS if (i, number) in given}
        cells, lines = _answers(shop, day, person, i, reasons)
        truth += lines
        rows.append([f"S{i:04d}", day.isoformat(), district, *cells, person.age if rng.random() < 0.95 else "", person.sex])
    (out / SURVEY_FILE).write_bytes(csv_bytes(rows, "utf-8", "\n"))
    return truth


def _answer_days(shop: Workshop) -> list[date]:
    waves: list[date] = shop.material.calendar["survey_waves"]
    days = [waves[i * len(waves) // N_RESPONDENTS] for i in range(N_RESPONDENTS)]
    return sorted([day + timedelta(days=min(13, int(shop.rng.expovariate(0.25)))) for day in days])


def _answers(shop: Workshop, day: date, person: Person, respondent: int, reasons: set[int]) -> tuple[list[str], list[Line]]:
    """ひとりの答えと理由。理由の中身に合わせて選択肢も動く。"""
    rng = shop.rng
    cells: list[str] = []
    lines: list[Line] = []
    base = rng.gauss(0.42, 0.17)
    for number, (_, options) in zip(NUMBERS, QUESTIONS, strict=True):
        reason = ""
        mood = base + rng.uniform(-0.2, 0.2) + (0.12 if number >= 4 else 0)
        if number in reasons:
            record = _reason(shop, day, person, number)
            record.external_id, record.row = f"S{respondent:04d}-問{number}", respondent + 1
            reason = record.text
            mood = {"感謝": 0.2, "その他": mood}.get(record.core.kind, 0.72)
            mood += rng.uniform(-0.2, 0.2)
            lines.append(truth_line(shop, record, SURVEY_FILE, question=number))
        cells += [options[min(3, max(0, int(mood * 4)))], reason]
    return cells, lines


def _reason(shop: Workshop, day: date, person: Person, number: int) -> Record:
    """短い理由をひとつ。たまに「特になし」。"""
    rng = shop.rng
    draft = Draft(Scene(person.district, person, day, {}))
    if rng.random() < 0.014:
        text = rng.choice(NOTHING)
        core = Core("その他", "内容なし・不明", "その他", "normal", "")
    else:
        for _ in range(60):
            draft.pii = []
            core = choose(shop.material.bits[_reason_key(shop, day, number)], day.month, "self", rng)
            text = _reason_text(shop, core, draft)
            if not shop.seen[text] and 6 <= len(text) <= 60:
                break
    shop.seen[text] += 1
    return Record("survey", day, time(0), core, person.district, text, kept(text, draft.pii), person)


def _reason_key(shop: Workshop, day: date, number: int) -> Key:
    """問4は市政運営の話が多い。"""
    key = shop.timeline.pick_key(day, survey=True)
    if number == 4 and shop.rng.random() < 0.6:
        return ABOUT_CITY_HALL, shop.rng.choice([s for t, s in shop.material.keys if t == ABOUT_CITY_HALL])
    return key


def _reason_text(shop: Workshop, core: Core, draft: Draft) -> str:
    rng, texts, frames = shop.rng, shop.texts, shop.material.frames["survey"]
    text = texts.expand(core.text, draft.apart())
    draw = rng.random()
    if draw < 0.2:
        text = texts.one_of(frames["heads"], draft.apart()) + text
    elif draw < 0.42:
        text += texts.one_of(frames["tails"]["thx" if core.kind == "感謝" else "any"], draft.apart())
    return text + ("。" if rng.random() < 0.35 else "")
