"""A person's choices column by column, and mappings that are saved and found again."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.models import Channel
from core.settings import PROJECT_ROOT, Settings
from ingest.mapping import ColumnMapping, guess_mapping, resolve_mapping
from ingest.mapping_choices import ATTRIBUTE, CHOICES, QUESTION, REASON, UNUSED, blank, choices_of, corrected, save_mapping
from ingest.mapping_files import AUTO, load_mapping_file, mapping_names

LIST = ("管理番号", "受付日", "受付媒体", "ご意見", "お名前", "備考", "")
SURVEY = ("回答者番号", "【問1】住みやすいですか", "上記回答の理由", "【問2】続けて住みますか", "上記回答の理由", "年代")


def alike(one: ColumnMapping, other: ColumnMapping) -> bool:
    given, found = one.as_dict(), other.as_dict()
    return {**given, "name": ""} == {**found, "name": ""}


@pytest.mark.parametrize("headings", [LIST, SURVEY])
def test_choices_that_nobody_changed_change_nothing(headings: tuple[str, ...]) -> None:
    base = guess_mapping(headings)
    assert corrected(base, choices_of(base)) is base


def test_a_column_is_read_as_it_was_chosen() -> None:
    base = guess_mapping(LIST)
    columns = [*choices_of(base)]
    columns[0], columns[5], columns[6] = UNUSED, "title", ATTRIBUTE
    made = corrected(base, columns)
    assert dict(made.fields) == {"received_on": 1, "channel": 2, "text": 3, "name": 4, "title": 5}
    assert dict(made.attributes) == {"7列目": 6}
    assert choices_of(made) == tuple(columns)


def test_free_texts_of_a_survey_go_with_the_question_before_them() -> None:
    base = guess_mapping(LIST)
    made = corrected(blank(SURVEY), ["external_id", QUESTION, REASON, QUESTION, REASON, "age"])
    assert [(reason.position, reason.question, reason.code) for reason in made.reasons] == [(2, 1, "Q01"), (4, 3, "Q02")]
    assert (made.same_rows, made.deadline, made.defaults.channel) == ("each", False, Channel.SURVEY)
    assert (base.same_rows, base.deadline) == ("one", True)


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        (["external_id", "external_id", "", "text", "", "", ""], "受付番号"),
        (["external_id", "", "", "", "", "", ""], "本文の列が選ばれていません"),
        (["external_id", "", "", "text", REASON, "", ""], "両方"),
    ],
)
def test_choices_that_contradict_each_other_are_told(columns: list[str], word: str) -> None:
    with pytest.raises(InputError, match=word) as told:
        corrected(guess_mapping(LIST), columns)
    assert told.value.hint


def test_columns_that_were_not_asked_about_stay_as_they_were() -> None:
    base = guess_mapping(LIST)
    made = corrected(base, ["", "received_on"])
    assert "external_id" not in made.fields
    assert made.fields["text"] == 3


@pytest.mark.parametrize("headings", [LIST, SURVEY, ("^列…", "列", "列", "ご意見")])
def test_a_saved_mapping_is_the_one_that_was_corrected(settings: Settings, headings: tuple[str, ...]) -> None:
    base = guess_mapping(headings)
    columns = [*choices_of(base)]
    columns[0] = ATTRIBUTE
    made = corrected(base, columns)
    assert save_mapping(made, "わが市の記録", settings=settings) == "わが市の記録"
    assert alike(resolve_mapping("わが市の記録", headings, settings=settings), made)
    assert alike(resolve_mapping(AUTO, headings, settings=settings), made), "the same headings are read so from now on"
    assert "わが市の記録" in mapping_names(settings)


def test_other_headings_are_guessed_as_before(settings: Settings) -> None:
    save_mapping(corrected(guess_mapping(LIST), ["", "", "", "text", "", "", ""]), "短い", settings=settings)
    other = (*LIST[:-1], "地区")
    assert resolve_mapping(AUTO, other, settings=settings) == guess_mapping(other)


def test_what_was_saved_last_holds(settings: Settings) -> None:
    for name, first in (("あとの", "title"), ("さきの", UNUSED), ("あとの", ATTRIBUTE)):
        save_mapping(corrected(guess_mapping(LIST), [first]), name, settings=settings)
    assert resolve_mapping(AUTO, LIST, settings=settings).name == "あとの"
    assert dict(resolve_mapping(AUTO, LIST, settings=settings).attributes) == {"管理番号": 0}


def test_the_channel_that_was_chosen_is_saved_too(settings: Settings) -> None:
    save_mapping(guess_mapping(LIST), "電話の記録", settings=settings, channel=Channel.PHONE)
    assert load_mapping_file("電話の記録", settings=settings).channel is Channel.PHONE


def test_a_damaged_saved_mapping_stops_nobody(settings: Settings) -> None:
    save_mapping(guess_mapping(LIST), "よい", settings=settings)
    (settings.home / "mappings" / "わるい.yaml").write_text("columns: [", "utf-8")
    assert resolve_mapping(AUTO, LIST, settings=settings).name == "よい"


@pytest.mark.parametrize("name", ["", " ", "../x", "a/b", "auto", ".hidden", "あ" * 41, "a b"])
def test_a_name_that_cannot_be_one_is_told(settings: Settings, name: str) -> None:
    with pytest.raises(InputError):
        save_mapping(guess_mapping(LIST), name, settings=settings)
    assert not (settings.home / "mappings").exists()


def test_the_projects_own_names_are_not_taken_over(settings: Settings) -> None:
    with pytest.raises(InputError, match="用意してある"):
        save_mapping(guess_mapping(LIST), "call-log", settings=settings)
    (settings.home / "mappings").mkdir(parents=True)
    (settings.home / "mappings" / "call-log.yaml").write_text("columns: {text: 1}", "utf-8")
    given = load_mapping_file("call-log", settings=settings)
    assert given == load_mapping_file(str(PROJECT_ROOT / "data/mappings/call-log.yaml"), settings=settings)


def test_every_choice_has_a_name() -> None:
    assert all(CHOICES.values())
