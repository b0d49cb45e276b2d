"""市の側の文: 回答、件名、応答と処理の記録。"""

from __future__ import annotations

from .models import Record
from .workshop import Workshop


def answer(shop: Workshop, record: Record) -> str:
    """市の回答文。個人情報は入らない。"""
    rng = shop.rng
    frames = shop.material.frames["answer"]
    pool = _answer_pool(shop, record)
    bits = [rng.choice(frames["openings"]), rng.choice(pool)]
    if rng.random() < 0.6:
        bits.append(rng.choice(frames["closings"]))
    if rng.random() < 0.7:
        bits.append(rng.choice(frames["signs"]))
    glue = "\n" if rng.random() < 0.35 else ""
    draft = shop.draft_about(record)
    text = glue.join([shop.texts.expand(bit, draft.apart()) for bit in bits])
    if draft.pii:
        raise ValueError(f"回答に個人情報のスロットがある: {text}")
    return text


def _answer_pool(shop: Workshop, record: Record) -> list[str]:
    material, core = shop.material, record.core
    by_theme: dict[str, list[str]] = material.themes[core.theme]["answers"]
    if record.surge:
        pool: list[str] = material.surge(record.surge)["answers"]
    elif record.campaign:
        pool = material.campaign["answers"]
    elif core.group in ("ask", "thx"):
        pool = by_theme[core.group]
    else:
        pool = material.subtheme(core.key)["answers"]
        if shop.rng.random() < 0.15:
            pool = by_theme.get("general", pool)
    return pool


def subject_of(shop: Workshop, record: Record) -> str:
    """件名。"""
    rng, material = shop.rng, shop.material
    if record.subject:
        return record.subject
    frames = material.frames["subjects"]
    if rng.random() < 0.24:
        return str(rng.choice(frames["plain"]))
    source = material.surge(record.surge) if record.surge else material.subtheme(record.core.key)
    pattern = rng.choice(frames["thx" if record.core.kind == "感謝" else "any"])
    return str(pattern).replace("{s}", str(rng.choice(source["subjects"])))


def call_reply(shop: Workshop, record: Record) -> str:
    """電話での応答の記録。"""
    frames = shop.material.frames["call"]
    draft = shop.draft_about(record)
    reply = shop.texts.one_of(frames["replies"][record.core.group], draft.apart())
    if shop.rng.random() < 0.2:
        reply += "\n" + shop.texts.one_of(frames["memos"], draft.apart())
    return reply


def counter_result(shop: Workshop, record: Record) -> str:
    """窓口での処理の記録。"""
    pool = shop.material.frames["counter"]["results"][record.core.group]
    return shop.texts.one_of(pool, shop.draft_about(record))
