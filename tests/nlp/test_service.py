"""Staff's corrections read back for training."""

from __future__ import annotations

from sqlalchemy import Engine

from core import db
from core.models import Facet
from nlp import service
from tests.factories import create_human_label, create_user, create_voice


def test_no_corrections(engine: Engine) -> None:
    with db.reading(engine) as session:
        assert service.corrections(session) == []


def test_corrections_are_the_newest_of_each_facet(engine: Engine) -> None:
    with db.writing(engine) as session:
        user = create_user(session)
        first, second, _ = (create_voice(session, text=text, labelled=False) for text in ("穴がある", "砂場が汚い", "直されていない"))
        for facet, value in (
            (Facet.THEME, "公園・緑地"),
            (Facet.THEME, "道路・交通"),
            (Facet.SUBTHEME, "除雪・凍結"),
            (Facet.KIND, "苦情"),
            (Facet.URGENCY, "通常"),
        ):
            create_human_label(session, first, user, facet=facet, value=value)
        create_human_label(session, second, user, facet=Facet.SUBTHEME, value="遊具・設備")
        ids = (first.id, second.id)
    with db.reading(engine) as session:
        one, two = service.corrections(session)
    assert (one.id, two.id) == tuple(map(str, ids))
    assert (one.text, one.theme, one.subtheme, one.kind, one.urgency) == ("穴がある", "道路・交通", "除雪・凍結", "苦情", "通常")
    assert (two.theme, two.subtheme, two.kind) == ("", "", ""), "a 中分類 without its theme says nothing"
