"""koe train on a small city of its own, and koe demo on the first lines of the sample city."""

from __future__ import annotations

import json
import shutil
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import func, select

from api.cli.demo import ACCOUNTS, SAMPLES
from core import db
from core.models import Facet, Topic, User, Voice
from core.settings import PROJECT_ROOT
from tests.api.conftest import Koe, json_lines
from tests.factories import create_human_label, create_user, create_voice

THEMES = "themes:\n  - {name: 道, slug: roads, subthemes: [歩道, 信号]}\n  - {name: 緑, slug: parks, subthemes: [遊具, 樹木]}\n"
EXAMPLES = {
    ("道", "歩道"): ("歩道の段差が大きい", "歩道が狭くて歩きにくい", "歩道の舗装がはがれた"),
    ("道", "信号"): ("信号が長すぎる", "信号機をつけてほしい", "信号が見えにくい"),
    ("緑", "遊具"): ("公園の遊具がさびた", "公園のブランコが足りない", "公園のすべり台が壊れた"),
    ("緑", "樹木"): ("公園の木の枝が折れた", "街路樹の落ち葉が多い", "公園の木を切らないで"),
}
LINES_OF_EACH_SAMPLE = 50


@pytest.fixture
def small_city(tmp_path: Path) -> Path:
    """A data folder with two themes and two dozen examples."""
    data = tmp_path / "data"
    (data / "corpus").mkdir(parents=True)
    (data / "taxonomy").mkdir()
    (data / "taxonomy/themes.yaml").write_text(THEMES, "utf-8")
    shutil.copy(PROJECT_ROOT / "data/taxonomy/kinds.yaml", data / "taxonomy")
    records = [
        {"text": text + ending, "topics": [{"theme": theme, "subtheme": subtheme}], "kind": kind, "urgency": urgency}
        for (theme, subtheme), texts in EXAMPLES.items()
        for text in texts
        for ending, kind, urgency in (("。直してください。", "要望", "normal"), ("。今すぐ来てください、危ないです。", "通報", "today"))
    ]
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (data / "corpus/small.jsonl").write_text(lines, "utf-8")
    return data


def test_training_takes_staffs_corrections_in(koe: Koe, home: Path, trained_home: Path, small_city: Path) -> None:
    (home / "models").unlink()
    (home / "models").mkdir()
    (home / "models/lexicon").symlink_to(trained_home / "models/lexicon", target_is_directory=True)
    first = koe("train", KOE_DATA=str(small_city))
    assert first.exit_code == 0
    assert "学習例: 24 件（付属の文例 24 件、市の過去の事例 0 件、職員の判断 0 件）" in first.stdout

    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    with db.writing(engine) as session:
        user = create_user(session)
        for number in range(6):
            voice = create_voice(session, theme="道", text=f"橋のたもとの石碑が読めません。{number}回目です。")
            create_human_label(session, voice, user, facet=Facet.THEME, value="緑")
    engine.dispose()
    again = koe("train")
    assert "学習例: 30 件（付属の文例 24 件、市の過去の事例 0 件、職員の判断 6 件）" in again.stdout
    assert "own-" in again.stdout
    (said,) = json_lines(koe("annotate", stdin='{"id": 1, "text": "橋のたもとの石碑が読めません。"}').stdout)
    assert said["theme"]["label"] == "緑"
    assert {item["label"] for item in said["theme"]["alternatives"]} == {"道"}


def test_the_demo_goes_from_files_to_accounts(koe: Koe, home: Path, trained_home: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(trained_home / "data", data)
    (data / "sample").mkdir()
    for name in SAMPLES:
        with (PROJECT_ROOT / "data/sample" / name).open("rb") as whole:
            (data / "sample" / name).write_bytes(b"".join(islice(whole, LINES_OF_EACH_SAMPLE)))
    result = koe("demo", "--no-serve", KOE_DATA=str(data))
    assert result.exit_code == 0, result.output
    assert result.stdout.count("読込 ") == len(SAMPLES)
    engine = db.connect(f"sqlite:///{home / 'koenowa.db'}")
    with db.reading(engine) as session:
        voices = session.scalar(select(func.count(Voice.id)))
        assert f"{voices:,} 件の声を" in result.stdout
        assert session.scalar(select(func.count(Topic.id)))
        assert set(session.scalars(select(User.username))) == {account[0] for account in ACCOUNTS}
    engine.dispose()
    for account in ACCOUNTS:
        assert account[-1] in result.stdout
