"""Staff's corrections read back for training."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from core import db
from core.models import Campaign, CampaignMember, Facet, MachineReading
from core.settings import PROJECT_ROOT, Settings
from nlp import service, taxonomy
from nlp.corpus import Example
from nlp.routing import Routing, Rule
from nlp.taxonomy import Taxonomy
from tests.factories import NOON, create_human_label, create_user, create_voice


@pytest.fixture(scope="session")
def city() -> Taxonomy:
    return taxonomy.load(PROJECT_ROOT / "data/taxonomy")


def labels_of(example: Example) -> tuple[str, str, str, str]:
    return example.theme, example.subtheme, example.kind, example.urgency


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
        create_human_label(session, second, user, facet=Facet.KIND, value="要望")
    with db.reading(engine) as session:
        one, two = service.corrections(session)
    assert (one.id, two.id) == (str(first.id), str(second.id))
    assert (one.text, *labels_of(one)) == ("穴がある", "道路・交通", "除雪・凍結", "苦情", "通常")
    assert labels_of(two) == ("", "", "要望", "")


def test_a_subtheme_is_chosen_within_the_theme_that_stands_there(engine: Engine) -> None:
    with db.writing(engine) as session:
        user = create_user(session)
        voice = create_voice(session, theme="公園・緑地", subtheme="草刈り・樹木", text="木")
        create_human_label(session, voice, user, facet=Facet.SUBTHEME, value="草刈り・樹木")
        changed = create_voice(session, theme="道路・交通", subtheme="", text="穴")
        create_human_label(session, changed, user, facet=Facet.SUBTHEME, value="草刈り・樹木")
    with db.reading(engine) as session:
        (one,) = service.corrections(session)
    assert labels_of(one) == ("公園・緑地", "草刈り・樹木", "", "")


def test_what_was_taken_back_does_not_count_and_what_stood_before_does(engine: Engine) -> None:
    with db.writing(engine) as session:
        user = create_user(session)
        voice = create_voice(session, text="穴がある")
        for value, undone in (("道路・交通", False), ("公園・緑地", True), ("道路・交通", True)):
            create_human_label(session, voice, user, facet=Facet.THEME, value=value, undone=undone)
        create_human_label(session, create_voice(session, text="木"), user, facet=Facet.THEME, value="公園・緑地", undone=True)
    with db.reading(engine) as session:
        assert [labels_of(example) for example in service.corrections(session)] == [("道路・交通", "", "", "")]


def test_copies_of_a_campaign_or_of_a_text_count_once(engine: Engine) -> None:
    with db.writing(engine) as session:
        user = create_user(session)
        session.add(Campaign(id=1, created_at=NOON))
        session.flush()
        for number in range(37):
            voice = create_voice(session, text=f"{number}番目の声です。公園を守れ")
            create_human_label(session, voice, user, facet=Facet.THEME, value="公園・緑地")
            session.add(CampaignMember(voice_id=voice.id, campaign_id=1, text_id=voice.id))
        for _ in range(5):
            create_human_label(session, create_voice(session, text="穴"), user, facet=Facet.THEME, value="道路・交通")
        create_human_label(session, create_voice(session, text="穴"), user, facet=Facet.THEME, value="その他")
    with db.reading(engine) as session:
        said = service.corrections(session)
    assert [example.theme for example in said] == ["公園・緑地", "道路・交通", "その他"]


@pytest.mark.parametrize(
    ("department", "theme", "subtheme", "chosen", "said"),
    [
        ("道路維持課", "道路・交通", "除雪・凍結", False, ("", "")),
        ("保育課", "道路・交通", "除雪・凍結", False, ("子育て・保育", "")),
        ("障害福祉課", "道路・交通", "除雪・凍結", False, ("福祉・介護", "")),
        ("生活福祉課", "道路・交通", "除雪・凍結", False, ("福祉・介護", "生活保護・困窮")),
        ("生活福祉課", "道路・交通", "除雪・凍結", True, ("", "")),
        ("生活福祉課", "福祉・介護", "障害福祉", True, ("福祉・介護", "生活保護・困窮")),
        ("くらし安全課", "道路・交通", "除雪・凍結", False, ("道路・交通", "信号・標識・交通安全")),
        ("くらし安全課", "公園・緑地", "草刈り・樹木", False, ("", "")),
        ("交通政策課", "道路・交通", "除雪・凍結", False, ("", "")),
        ("特命課", "道路・交通", "除雪・凍結", False, ("", "")),
    ],
)
def test_what_a_department_implies(
    city: Taxonomy, department: str, theme: str, subtheme: str, *, chosen: bool, said: tuple[str, str]
) -> None:  # fmt: skip
    assert service.implied(department, theme=theme, subtheme=subtheme, chosen=chosen, words=city) == said


def test_a_corrected_department_teaches_the_theme_half_as_much(engine: Engine, city: Taxonomy) -> None:
    with db.writing(engine) as session:
        user = create_user(session)
        voice = create_voice(session, theme="道路・交通", text="家賃が払えない", title="")
        create_human_label(session, voice, user, facet=Facet.DEPARTMENT, value="生活福祉課")
        create_human_label(session, voice, user, facet=Facet.KIND, value="要望")
    with db.reading(engine) as session:
        own, further = service.corrections(session, words=city, now=NOON)
        assert [labels_of(example) for example in service.corrections(session)] == [("", "", "要望", "")]
    assert (labels_of(own), own.weight) == (("", "", "要望", ""), 1)
    assert (labels_of(further), further.weight) == (("福祉・介護", "生活保護・困窮", "", ""), 0.5)


def test_a_department_that_a_rule_named_teaches_nothing(engine: Engine, city: Taxonomy) -> None:
    rules = Routing((Rule("家賃", "生活福祉課", words=("家賃",)),))
    with db.writing(engine) as session:
        user = create_user(session)
        now = create_voice(session, theme="道路・交通", text="家賃が払えない", title="")
        then = create_voice(session, theme="道路・交通", text="困っている", title="", department="生活福祉課")
        session.get_one(MachineReading, then.id).department = ["生活福祉課", 1.0, [], [], ["昔の規則", "道路維持課", 0.8]]
        for voice in (now, then):
            create_human_label(session, voice, user, facet=Facet.DEPARTMENT, value="生活福祉課")
    with db.reading(engine) as session:
        assert service.corrections(session, words=city, rules=rules) == []
        assert len(service.corrections(session, words=city)) == 1, "without the rule, the first one teaches"


def test_lessons_follow_the_citys_own_files(engine: Engine, settings: Settings) -> None:
    with db.writing(engine) as session:
        voice = create_voice(session, theme="道路・交通", text="家賃が払えない", title="")
        create_human_label(session, voice, create_user(session), facet=Facet.DEPARTMENT, value="生活福祉課")
    with db.reading(engine) as session:
        assert [labels_of(example) for example in service.lessons(session, settings)] == [("福祉・介護", "生活保護・困窮", "", "")]
