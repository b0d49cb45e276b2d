"""材料(material/*.yaml と data/taxonomy)を読む。"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .models import ALL_MONTHS, Core, Key
from .settings import MATERIAL, TAXONOMY


def load_yaml(path: Path) -> Any:
    """YAML をひとつ読む。"""
    with path.open(encoding="utf-8") as handle:
        return yaml.safe_load(handle)


class Material:
    """読んだ材料。つくりながら変わるのは、型の使った回数だけ。"""

    def __init__(self) -> None:
        self.city: dict[str, Any] = load_yaml(TAXONOMY / "city.yaml")
        self.places: dict[str, Any] = load_yaml(MATERIAL / "places.yaml")
        self.names: dict[str, Any] = load_yaml(MATERIAL / "people.yaml")
        self.frames: dict[str, Any] = load_yaml(MATERIAL / "frames.yaml")
        self.calendar: dict[str, Any] = load_yaml(MATERIAL / "calendar.yaml")
        events: dict[str, Any] = load_yaml(MATERIAL / "events.yaml")
        self.surges: list[dict[str, Any]] = events["surges"]
        self.campaign: dict[str, Any] = events["campaign"]
        self.faq: list[dict[str, Any]] = load_yaml(MATERIAL / "faq.yaml")["faq"]
        self.bad_rows: list[dict[str, Any]] = events["bad_rows"]
        self.themes: dict[str, dict[str, Any]] = {}
        self.cores: dict[Key, list[Core]] = {}
        self.bits: dict[Key, list[Core]] = {}
        for path in sorted(MATERIAL.glob("theme_*.yaml")):
            self._load_theme(load_yaml(path))
        order = [t["name"] for t in load_yaml(TAXONOMY / "themes.yaml")["themes"]]
        self.keys = [k for t in order for k in self.cores if k[0] == t]
        self.department: dict[Key, dict[str, Any]] = {
            (entry["theme"], sub): dept
            for dept in load_yaml(TAXONOMY / "departments.yaml")["departments"]
            for entry in dept["themes"]
            for sub in entry["subthemes"]
        }
        self.districts: list[str] = [d["name"] for d in self.city["districts"]]
        self.district_weights = [float(d["population"]) for d in self.city["districts"]]
        self.towns: dict[str, list[str]] = {d["name"]: list(d["towns"]) for d in self.city["districts"]}

    def surge(self, name: str) -> dict[str, Any]:
        """名前から急増を引く。"""
        return next(s for s in self.surges if s["name"] == name)

    def subtheme(self, key: Key) -> dict[str, Any]:
        """中分類の材料。"""
        body: dict[str, Any] = self.themes[key[0]]["subthemes"][key[1]]
        return body

    def _load_theme(self, data: dict[str, Any]) -> None:
        theme = data["theme"]
        self.themes[theme] = data
        for sub, body in data["subthemes"].items():
            self.cores[theme, sub] = [_core(theme, sub, item, turn) for turn, item in enumerate(body["cores"], start=1)]
            self.bits[theme, sub] = [Core(theme, sub, kind, "normal", text) for kind, text in body["bits"]]


def _core(theme: str, sub: str, item: list[Any], turn: int) -> Core:
    options = item[3] if len(item) > 3 else {}
    months, only = frozenset(options.get("m", ALL_MONTHS)), options.get("only", "")
    return Core(theme, sub, item[0], item[1], item[2], months, only, matter=f"{theme}/{sub}/{turn}")
