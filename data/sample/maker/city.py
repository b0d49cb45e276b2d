"""見本ひとそろいを、決まった順につくって書きだす。"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .books import write_counter
from .call_rows import write_call_rows
from .faq_log import write_faq
from .mails import write_mail
from .models import Record
from .settings import N_CALL, N_CAMPAIGN, N_COUNTER, N_DUPLICATES, N_MAIL, N_VOICE
from .surges import SURGE_FILES, campaign_records, expected_per_week, surge_records
from .survey import write_survey
from .tables import write_calls, write_voices
from .truth import campaign_summary, summarize, surge_summary, write_truth
from .workshop import Workshop


def make(out: Path) -> dict[str, Any]:
    """すべてのファイルを out に書き、truth.json の中身を返す。"""
    out.mkdir(parents=True, exist_ok=True)
    shop = Workshop()
    material = shop.material
    sizes = _everyday_sizes(material.surges)
    weights = {file: shop.timeline.day_weights(file) for file in sizes}
    records: dict[str, list[Record]] = {file: shop.everyday_records(file, size, weights[file]) for file, size in sizes.items()}
    for surge in material.surges:
        for record in surge_records(shop, surge):
            records[record.file].append(record)
    records["voices"] += campaign_records(shop)

    lines, bad_rows = write_calls(shop, records["call"], out)
    voice_lines, duplicates = write_voices(shop, records["voices"], out)
    lines += voice_lines
    lines += write_survey(shop, out)
    lines += write_counter(shop, records["counter"], out)
    lines += write_mail(shop, records["mail"], out)

    summary = summarize(shop, lines, bad_rows, duplicates)
    summary["surges"] = [surge_summary(s, lines, expected_per_week(shop, s, weights, sizes)) for s in material.surges]
    summary["campaign"] = campaign_summary(material.campaign, records["voices"])
    write_truth(lines, summary, out)
    write_call_rows(shop, weights["call"], out)  # ここから先は、ほかのファイルに使う乱数を変えない
    write_faq(shop, out)
    return summary


def _everyday_sizes(surges: list[dict[str, Any]]) -> dict[str, int]:
    """ファイルごとの件数から、仕込む件数を引いたもの。"""
    injected = {file: sum(int(s["counts"][file]) for s in surges) for file in SURGE_FILES}
    totals = {"call": N_CALL, "voices": N_VOICE - N_CAMPAIGN - N_DUPLICATES, "counter": N_COUNTER, "mail": N_MAIL}
    return {file: total - injected[file] for file, total in totals.items()}
