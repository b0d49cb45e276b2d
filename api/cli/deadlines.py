"""koe deadlines recount: open voices' deadlines by the city's rules as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli import app
from api.cli.context import as_json, database, say, settings

if TYPE_CHECKING:
    from loop.recount import Differing

deadlines = typer.Typer(help="回答期限（city.yaml の answer_deadline）", no_args_is_help=True)
app.add_typer(deadlines, name="deadlines")
_SHOWN = 10


@deadlines.command()
def recount(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="数えるだけで、変えない")] = False,
    as_json_line: Annotated[bool, typer.Option("--json", help="JSON で出す")] = False,
) -> None:
    """未対応の声の回答期限を、いまの決まりで数えなおす。止めた日数はそのまま除く。止まっている声と、終わった声は変えない。"""
    from core import db, deadline_file
    from core.clock import today
    from loop import recount as recounting

    rules = deadline_file.load(settings().taxonomy_dir)
    engine = database(upgrade=True)
    with db.reading(engine) as session:
        running, found = recounting.running(session), recounting.differing(session, rules)
    changed = 0 if dry_run else recounting.bring_up_to_date(engine, [one.id for one in found], rules, actor="cli")
    overdue = sum(one.after < today() <= one.before for one in found)
    figures = {
        "open": running,
        "differing": len(found),
        "earlier": sum(one.after < one.before for one in found),
        "later": sum(one.after > one.before for one in found),
        "overdue": overdue,
        "changed": changed,
    }
    say(as_json(figures) if as_json_line else _page(figures, found, dry_run=dry_run))


def _page(figures: dict[str, int], found: list[Differing], *, dry_run: bool) -> str:
    out = [f"期限のある未対応の声 {figures['open']:,} 件のうち、いまの決まりと違うもの {figures['differing']:,} 件"]
    if not found:
        return out[0] + "。"
    out[0] += f"（早くなる {figures['earlier']:,} 件、遅くなる {figures['later']:,} 件）。"
    if figures["overdue"]:
        out.append(f"早くなって、もう期限を過ぎたことになるもの {figures['overdue']:,} 件。")
    out += [f"　{one.receipt_number}　{one.before} → {one.after}" for one in found[:_SHOWN]]
    if len(found) > _SHOWN:
        out.append(f"　ほか {len(found) - _SHOWN:,} 件")
    out.append("変えていません。--dry-run を外すと変えます。" if dry_run else f"{figures['changed']:,} 件の期限を数えなおしました。")
    return "\n".join(out)
