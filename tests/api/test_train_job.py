"""The job that learns from corrections: what staff decided goes into new models, and the figures of before and after into its result."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api import words
from api.job_kinds import KINDS
from api.jobs import Runner
from core import db, jobs
from core.crypto import Keyring
from core.models import Facet, Job, JobState
from core.settings import Settings
from nlp import artifacts
from nlp.annotate import ready
from tests.factories import create_human_label, create_user, create_voice


@pytest.fixture
def copied(trained_settings: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(trained_settings.home / "models", tmp_path / "var/models")
    return trained_settings.model_copy(update={"home": tmp_path / "var"})


def train(engine: Engine, settings: Settings, keyring: Keyring) -> Job:
    with db.writing(engine) as session:
        job = jobs.create(session, kind="train", title="訂正から学び直す", arguments={}, actor="hanako")
    assert Runner(settings, engine, keyring, KINDS, lambda: f"w-{job.id}", threading.Event()).run(job.id)
    with db.reading(engine) as session:
        return jobs.find(session, job.id)


def test_corrections_reach_the_models_and_the_result_tells_what_changed(engine: Engine, copied: Settings, keyring: Keyring) -> None:
    nothing = train(engine, copied, keyring)
    assert (nothing.state, nothing.result["taken"], nothing.result["decisions"]) == (JobState.DONE, False, 0)
    with db.writing(engine) as session:
        user = create_user(session)
        for place in ("庁舎", "支所", "別館", "新館", "本庁", "北庁舎", "南庁舎", "食堂"):
            for dish in ("うどん", "そば", "カレー"):
                voice = create_voice(session, theme="道路・交通", text=f"{place}の売店の{dish}がぬるい", title="")
                create_human_label(session, voice, user, facet=Facet.THEME, value="その他")
    learnt = train(engine, copied, keyring)
    figures = learnt.result
    assert (learnt.state, figures["taken"], figures["decisions"], figures["held_out"]) == (JobState.DONE, True, 24, 24)
    assert figures["right_after"] > figures["right_before"]
    assert len(figures["held_out_f1"]) == len(figures["test_f1"]) == 2
    assert "学んだ判断 24、比べた判断 24" in words.result(figures)
    current = artifacts.current_folder(copied)
    assert current is not None
    assert current.name == figures["model"]
    said = ready(copied)(["西庁舎の売店のうどんがぬるい"])
    assert said[0].theme.label == "その他"
    again = train(engine, copied, keyring)
    assert (again.result["taken"], again.result["model"]) == (False, current.name)
