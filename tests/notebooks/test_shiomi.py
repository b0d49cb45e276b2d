"""The notebooks' sample city lives beside a city's own voices and never among them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import func, select

from core import db
from core.errors import InputError
from core.models import CampaignMember, Voice
from core.settings import Settings
from nlp import artifacts
from tests.notebooks.conftest import Prepared


def test_it_has_a_database_and_keys_of_its_own(shiomi: ModuleType, prepared: Prepared, tmp_path: Path) -> None:
    real = Settings(home=tmp_path, data=prepared.data, database_url="postgresql://city/voices", keys="city:c2VjcmV0", taxonomy=tmp_path)
    city = shiomi.settings("months", own=real)
    assert city.url == f"sqlite:///{tmp_path}/notebooks/months.db"
    assert (city.home, city.keys) == (tmp_path / "notebooks", "")
    assert city.taxonomy_dir == prepared.data / "taxonomy"


def test_models_are_shared_only_as_long_as_they_fit(shiomi: ModuleType, prepared: Prepared, tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(prepared.home / "models")
    fits = Settings(home=tmp_path, data=prepared.data)
    assert artifacts.current_folder(shiomi.settings(own=fits)) is not None
    (tmp_path / "models").unlink()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "current.json").write_text('{"folder": "own", "source": "another taxonomy"}', "utf-8")
    city = shiomi.settings(own=fits)
    assert not city.models_dir.exists()
    assert artifacts.current_folder(city) is None


def test_without_the_sample_it_says_so(shiomi: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"見本の市のファイルが.*KOE_DATA"):
        shiomi.settings(own=Settings(home=tmp_path, data=tmp_path))


def test_what_is_there_is_not_taken_in_again(shiomi: ModuleType, prepared: Prepared, tmp_path: Path) -> None:
    home = prepared.copied(tmp_path / "home")
    city = shiomi.settings(own=Settings(home=home, data=prepared.data, engine="serial"))
    for engine, is_empty in ((shiomi.imported(city), False), (shiomi.empty(city), True)):
        with db.reading(engine) as session:
            voices, copies = (session.scalar(select(func.count()).select_from(table)) for table in (Voice, CampaignMember))
        assert (voices == 0, copies == 0) == (is_empty, is_empty)
        engine.dispose()
