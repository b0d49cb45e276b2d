"""正解の一覧: 1件1行の truth.jsonl と、まとめの truth.json。"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from .models import Record, by_time
from .settings import END, N_RESPONDENTS, START, VOICE_FILE
from .workshop import Workshop

Line = dict[str, Any]


def truth_line(shop: Workshop, record: Record, file: str, **more: Any) -> Line:
    """正解の1行。"""
    core = record.core
    return {
        "file": file,
        "row": record.row,
        "external_id": record.external_id,
        "theme": core.theme,
        "subtheme": core.subtheme,
        "kind": core.kind,
        "urgency": core.urgency,
        "department": shop.department(core)["name"],
        "pii": [{"surface": s, "type": t} for s, t in record.pii],
        "surge": record.surge,
        "campaign": record.campaign,
        "matter": core.matter,
        **more,
    }


def summarize(shop: Workshop, lines: list[Line], bad_rows: list[Line], duplicates: list[Line]) -> dict[str, Any]:
    """件数と、仕込んだもののまとめ。"""
    counts = Counter("mail" if line["file"].startswith("mail/") else line["file"] for line in lines)
    return {
        "period": {"start": START.isoformat(), "end": END.isoformat()},
        "records": len(lines),
        "counts": dict(counts),
        "respondents": N_RESPONDENTS,
        "same_text_records": sum(n for n in shop.seen.values() if n > 1),
        "pii_records": sum(1 for line in lines if line["pii"]),
        "bad_rows": bad_rows,
        "duplicates": duplicates,
    }


def surge_summary(surge: dict[str, Any], lines: list[Line], expected: tuple[float, float]) -> dict[str, Any]:
    """急増ひとつのまとめ。expected は週あたりの見こみ(大分類, 中分類)。"""
    hits = [{"file": x["file"], "external_id": x["external_id"]} for x in lines if x["surge"] == surge["name"]]
    weeks = ((surge["end"] - surge["start"]).days + 1) / 7
    return {
        "name": surge["name"],
        "theme": surge["theme"],
        "subtheme": surge["subtheme"],
        "district": surge["district"],
        "start": surge["start"].isoformat(),
        "end": surge["end"].isoformat(),
        "expected_per_week": round(expected[0], 2),
        "expected_per_week_subtheme": round(expected[1], 2),
        "injected_per_week": round(len(hits) / weeks, 2),
        "external_ids": [x["external_id"] for x in hits],
        "records": hits,
    }


def campaign_summary(campaign: dict[str, Any], voices: list[Record]) -> dict[str, Any]:
    """一斉投稿のまとめ。"""
    hits = [r for r in by_time(voices) if r.campaign]
    return {
        "name": campaign["name"],
        "theme": campaign["theme"],
        "subtheme": campaign["subtheme"],
        "start": campaign["start"].isoformat(),
        "end": campaign["end"].isoformat(),
        "file": VOICE_FILE,
        "records": len(hits),
        "distinct_texts": len({r.text for r in hits}),
        "senders": len({(r.person.full, r.person.email) for r in hits}),
        "external_ids": [r.external_id for r in hits],
    }


def write_truth(lines: list[Line], summary: dict[str, Any], out: Path) -> None:
    """truth.jsonl と truth.json を書く。"""
    rows = [json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines]
    (out / "truth.jsonl").write_bytes("".join(rows).encode())
    (out / "truth.json").write_bytes((json.dumps(summary, ensure_ascii=False, indent=1) + "\n").encode())
