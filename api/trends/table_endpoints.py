"""The JSON API over cross tables, compared periods and words in context, with the figures of the pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from api.deps import SEARCHES, TRENDS_READ, VOICES_READ, EngineOf, KeyringOf, Reading, Staff
from api.trends import compare, cross, search
from api.trends.table_schemas import (
    AssociationItem,
    ChangeItem,
    CompareAnswer,
    CrossAnswer,
    LineItem,
    MonthItem,
    PeriodItem,
    PlaceItem,
    SearchAnswer,
)
from api.trends.view import TrendsView
from core.errors import NotFoundError
from loop import topic_queries
from loop.cross_tables import Line
from loop.periods import Period

router = APIRouter(prefix="/api/v1/trends", tags=["trends"])


@router.get("/cross", summary="二つの項目のクロス集計", dependencies=[Depends(TRENDS_READ)])
def cross_table(query: Annotated[cross.CrossPeriod, Query()], session: Reading) -> CrossAnswer:
    """Two attributes against each other, over a period."""
    view = TrendsView.of(query, whole=_whole(session))
    found = cross.cross_of(session, query, view)
    whole = found.table.association
    return CrossAnswer(
        since=view.period.since,
        until=view.period.until,
        rows_by=query.rows,
        columns_by=query.columns,
        rows=[LineItem(name=found.name(line, query.rows), values=list(line.values), count=line.count) for line in found.table.rows],
        columns=[
            LineItem(name=found.name(line, query.columns), values=list(line.values), count=line.count) for line in found.table.columns
        ],
        counts=found.table.counts.tolist(),
        residuals=[[None if math.isnan(each) else round(each, 4) for each in row] for row in found.table.residuals.tolist()],
        total=found.table.total,
        association=whole
        and AssociationItem(chi_square=whole.chi_square, degrees=whole.degrees, p=whole.p, cramers_v=whole.cramers_v, shaky=whole.is_shaky),
    )


@router.get("/compare", summary="二つの期間の比較", dependencies=[Depends(TRENDS_READ)])
def compared(query: Annotated[compare.ComparePeriods, Query()], session: Reading) -> CompareAnswer:
    """Two periods side by side."""
    found = compare.compared(session, query, whole=_whole(session))
    return CompareAnswer(
        by=query.by,
        after=PeriodItem(since=found.after.since, until=found.after.until),
        before=found.before and PeriodItem(since=found.before.since, until=found.before.until),
        items=[
            ChangeItem(
                value=change.value,
                name=found.name(change),
                before=change.before,
                after=change.after,
                before_rate=change.before_rate,
                after_rate=change.after_rate,
                ratio=change.ratio.value,
                low=change.ratio.low,
                high=change.ratio.high,
                p=change.ratio.p,
                told=change.told,
                new=change.is_new,
                gone=change.is_gone,
                ended=change.value in found.ended,
            )
            for change in found.changes
        ],
    )


@router.get("/search", summary="ことばとその前後", dependencies=[Depends(VOICES_READ), Depends(SEARCHES)])
def searched(
    query: Annotated[search.SearchConditions, Query()], signed_in: Staff, session: Reading, engine: EngineOf, keyring: KeyringOf
) -> SearchAnswer:
    """A word in its context. Who looked for what is noted."""
    found = search.search(session, query, whole=_whole(session), seen_by=signed_in.actor)
    search.note(engine, keyring, found, actor=signed_in.actor.username)
    concordance = found.concordance
    return SearchAnswer(
        since=found.view.period.since,
        until=found.view.period.until,
        voices=concordance.voices if concordance else 0,
        pages=concordance.pages if concordance else 0,
        unknown=list(concordance.unknown) if concordance else [],
        common=concordance.common if concordance else False,
        months=[MonthItem(begins_on=month.since, count=count) for month, count in found.months()],
        items=[
            PlaceItem(
                receipt_number=line.receipt_number,
                received_on=line.received_on,
                theme=line.theme,
                kind=line.kind,
                department=line.department,
                district=line.district,
                **asdict(line.excerpt),
            )
            for line in (concordance.lines if concordance else [])
        ],
    )


def _lines(names: Sequence[str], lines: Sequence[Line]) -> list[LineItem]:
    return [LineItem(name=name, values=list(line.values), count=line.count) for name, line in zip(names, lines, strict=True)]


def _whole(session: Session) -> Period:
    whole = topic_queries.span(session)
    if whole is None:
        raise NotFoundError("まだ声がありません。", hint="声を取り込むと、集計できます。")
    return whole
