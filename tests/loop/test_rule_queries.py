"""The rules tried on the voices that are there, on both databases."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Engine

from core import db
from core.models import Channel, Facet
from core.settings import Settings
from loop import rule_queries
from loop.rule_queries import Offered, RuleResult
from nlp import taxonomy
from nlp.routing import CONDITIONS, Routing, Rule
from tests import factories

PORT = Rule("港の穴", "水道課", conditions=((CONDITIONS.index("district"), frozenset({"港地区"})),), words=("穴",))
HOLES = Rule("穴", "道路維持課", words=("穴",), not_words=("公園",))
NEVER = Rule("火星", "市民課", words=("火星",))


def test_each_rule_with_its_voices_and_what_staff_decided(engine: Engine) -> None:
    common = {"title": "", "channel": Channel.PHONE, "department": "道路維持課", "received_on": date(2026, 9, 1)}
    with db.writing(engine) as session:
        user = factories.create_user(session)
        port, agreed, other, _, _ = (
            factories.create_voice(session, text=text, district=district, **common)
            for text, district in (
                ("穴がある", "港地区"),
                ("道に穴", "山手地区"),
                ("穴です", "山手地区"),
                ("公園に穴", "山手地区"),
                ("段差", "港地区"),
            )
        )
        old = factories.create_voice(session, text="穴", **{**common, "received_on": date(2025, 9, 1)}, district="")
        for voice, value in ((agreed, "市民課"), (agreed, "道路維持課"), (other, "水道課")):
            factories.create_human_label(session, voice, user, facet=Facet.DEPARTMENT, value=value)
        factories.create_human_label(session, port, user, facet=Facet.KIND, value="苦情")
    with db.reading(engine) as session:
        trial = rule_queries.try_rules(session, Routing((PORT, HOLES, NEVER)))
        newer = rule_queries.try_rules(session, Routing((PORT, HOLES)), since=date(2026, 1, 1))
    assert (trial.voices, trial.matched, newer.voices, newer.matched) == (6, 4, 5, 3)
    first, second, third = trial.rules
    assert first == RuleResult("港の穴", "水道課", voices=1, elsewhere=1, examples=[port.receipt_number])
    shown = [old.receipt_number, other.receipt_number, agreed.receipt_number]
    assert second == RuleResult("穴", "道路維持課", voices=3, decided=2, agreed=1, covered=1, examples=shown)
    assert third == RuleResult("火星", "市民課")


def test_no_voices(engine: Engine) -> None:
    with db.reading(engine) as session:
        assert rule_queries.try_rules(session, Routing((HOLES,))).as_dict()["matched"] == 0


def test_what_is_offered_follows_the_rules_and_then_the_theme(engine: Engine, settings: Settings) -> None:
    words = taxonomy.load(settings.taxonomy_dir)
    with db.writing(engine) as session:
        voice = factories.create_voice(session, theme="公園・緑地", text="砂場に穴がある", title="")
    assert rule_queries.offered(voice, Routing((HOLES,)), words) == Offered("道路維持課", "穴")
    assert rule_queries.offered(voice, Routing((NEVER,)), words) == Offered("公園緑地課")
