"""Model files: where they are, whether they fit the corpus and taxonomy at hand, and how they are stored.

Arrays as .npy, mapped into memory and so shared by all processes, and JSON for the rest: nothing in them can run (docs/adr/0025).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import ModelError
from core.settings import Settings
from nlp.classify import FACETS, SUBTHEME_JOIN, Classifier, LinearModel
from nlp.counting import Vocabulary
from nlp.features import FeatureMaker
from nlp.taxonomy import Taxonomy, Theme
from nlp.taxonomy import load as load_taxonomy
from nlp.vectors import DIMENSIONS, Floats, Lexicon, Sif

# Raise it when features, models or the constants of training (nlp/space.py, nlp/train.py) change: stored models are then made anew.
FORMAT = 7
_CURRENT = "current.json"
# The city, its deadlines and its rules for routing teach nothing: to change them makes no new models.
_TEACHING = ("departments.yaml", "kinds.yaml", "themes.yaml")
_RETRAIN = "koe train を実行して作り直してください。"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One facet's labels (k), coefficients over all views (k, d) and intercepts (k)."""

    labels: tuple[str, ...]
    coefficients: Floats
    intercept: Floats


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that training leaves behind: what rebuilds a ``Classifier``, and the card that tells people about it.

    ``seen`` names the staff's decisions that were learnt from (``nlp.train.decision_key``).
    """

    models: Mapping[str, StoredModel]
    temperatures: Mapping[str, float]
    weights: Mapping[str, tuple[float, float, float]]
    words: Vocabulary
    characters: Vocabulary
    sif: Sif
    seen: tuple[str, ...]
    card: Mapping[str, Any]

    def side_by_side(self, taxonomy: Taxonomy) -> LinearModel:
        """All facets as one model, the views' weights folded in; the 中分類 are those of each theme one after the other."""
        single = {name: self.models[name] for name in ("theme", "kind", "urgency")}
        parts = [
            self.models.get(f"subtheme/{theme.slug}") or _undivided(theme, like=single["theme"])
            for theme in taxonomy.themes
            if theme.name in single["theme"].labels
        ]
        coefficients = {name: model.coefficients for name, model in single.items()}
        coefficients["subtheme"] = np.vstack([part.coefficients for part in parts])
        intercepts = {name: model.intercept for name, model in single.items()}
        intercepts["subtheme"] = np.concatenate([part.intercept for part in parts])
        labels = {name: model.labels for name, model in single.items()}
        labels["subtheme"] = tuple(label for part in parts for label in part.labels)
        ends = np.cumsum([len(self.words.features), len(self.characters.features)])
        views = [np.split(coefficients[name], ends, axis=1) for name in FACETS]
        words, characters, sif = (
            np.vstack([view[place] * np.float32(self.weights[name][place]) for name, view in zip(FACETS, views, strict=True)]).T
            for place in range(3)
        )
        return LinearModel(labels, self.temperatures, words, characters, sif, np.concatenate([intercepts[name] for name in FACETS]))

    def classifier(self, taxonomy: Taxonomy) -> Classifier:
        """The models at work before they are stored."""
        features = FeatureMaker(words=self.words, characters=self.characters, sif=self.sif)
        return Classifier(features, self.side_by_side(taxonomy), taxonomy)


def _undivided(theme: Theme, *, like: StoredModel) -> StoredModel:
    """A theme's only 中分類, or none at all: a single label that nothing speaks for or against."""
    label = f"{theme.name}{SUBTHEME_JOIN}{(*theme.subthemes, '')[0]}"
    return StoredModel((label,), np.zeros_like(like.coefficients[:1]), np.zeros(1, dtype=np.float32))


def source_digest(settings: Settings) -> str:
    """A digest of what base models are made from: corpus, taxonomy and the format of the files."""
    digest = hashlib.sha256(f"format {FORMAT}".encode())
    for folder in (settings.data / "corpus", settings.taxonomy_dir):
        taught = [path for path in folder.glob("*.yaml") if path.name in _TEACHING]
        for path in sorted([*folder.glob("*.jsonl"), *taught]):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def current_folder(settings: Settings) -> Path | None:
    """The folder of the models in force, ``None`` when there are none or they were made from another corpus or taxonomy."""
    try:
        current = json.loads((settings.models_dir / _CURRENT).read_text("utf-8"))
        folder = settings.models_dir / str(current["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return folder if current.get("source") == source_digest(settings) and (folder / "card.json").exists() else None


def lexicon_folder(settings: Settings) -> Path:
    """Where the word vectors are, shared by every version of the models."""
    return settings.models_dir / "lexicon"


def save(bundle: Bundle, settings: Settings) -> Path:
    """Stores a bundle under its version and makes it the one in force; a reader sees the old or the new one, never half."""
    version = str(bundle.card["version"])
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    model = bundle.side_by_side(load_taxonomy(settings.taxonomy_dir))
    sif_words, shares = zip(*sorted(bundle.sif.frequencies.items()), strict=True) if bundle.sif.frequencies else ((), ())
    arrays = {
        "words": model.words,
        "characters": model.characters,
        "sif": model.sif,
        "intercept": model.intercept,
        "words_idf": bundle.words.idf,
        "characters_idf": bundle.characters.idf,
        "sif_shares": np.array(shares, dtype=np.float64),
        "sif_common": bundle.sif.common,
    }
    with _staged(settings.models_dir) as staged:
        for name, array in arrays.items():
            np.save(staged / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
        described = {
            "labels": dict(model.labels),
            "temperatures": dict(bundle.temperatures),
            "words": bundle.words.features,
            "characters": bundle.characters.features,
            "sif_words": sif_words,
            "seen": bundle.seen,
        }
        # A feature may be half a character, of a text that was cut there: as an escape it can be stored.
        (staged / "models.json").write_text(json.dumps(described), "utf-8")
        (staged / "card.json").write_text(json.dumps(dict(bundle.card), ensure_ascii=False, indent=1), "utf-8")
        (staged / "card.md").write_text(_card_text(bundle.card), "utf-8")
        folder = settings.models_dir / version
        if folder.exists():
            shutil.rmtree(folder)
        staged.rename(folder)
    _replace(settings.models_dir / _CURRENT, json.dumps({"folder": version, "source": source_digest(settings)}))
    return folder


def card(folder: Path) -> dict[str, Any]:
    """The model card: version, date, data, metrics."""
    try:
        content: dict[str, Any] = json.loads((folder / "card.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise ModelError("モデルカードが読めません。", hint=_RETRAIN) from None
    return content


def load(folder: Path, *, lexicon: Path, taxonomy: Taxonomy, hold_below: float = 0.0) -> Classifier:
    """The classifier of a stored bundle.

    Raises:
        ModelError: a file is missing or damaged.
    """
    try:
        described = json.loads((folder / "models.json").read_text("utf-8"))
        words, characters = (Vocabulary(tuple(described[name]), array(folder, f"{name}_idf")) for name in ("words", "characters"))
        model = LinearModel(
            {name: tuple(described["labels"][name]) for name in FACETS},
            {name: float(described["temperatures"][name]) for name in FACETS},
            *(array(folder, name) for name in ("words", "characters", "sif", "intercept")),
        )
        _check(model, words, characters)
        features = FeatureMaker(words=words, characters=characters, sif=load_sif(folder, lexicon))
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise ModelError("モデルのファイルが読めません。", hint=_RETRAIN) from error
    return Classifier(features, model, taxonomy, hold_below=hold_below)


def load_sif(folder: Path, lexicon: Path) -> Sif:
    """The SIF vectors of a stored bundle alone (milliseconds).

    Raises:
        ModelError: the word vectors can't be read.
        OSError, ValueError, KeyError: a file of the bundle is missing or damaged.
    """
    words = json.loads((folder / "models.json").read_text("utf-8"))["sif_words"]
    frequencies = dict(zip(words, array(folder, "sif_shares").tolist(), strict=True))
    return Sif(Lexicon(lexicon), frequencies=frequencies, common=array(folder, "sif_common"))


def array(folder: Path, name: str) -> Any:
    """One array of a stored bundle, mapped."""
    return np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))


def _check(model: LinearModel, words: Vocabulary, characters: Vocabulary) -> None:
    """Raises ``ValueError`` where files of different bundles have come together."""
    labels = sum(map(len, model.labels.values()))
    wanted = [(len(words.features), labels), (len(characters.features), labels), (DIMENSIONS, labels), (labels,)]
    if [view.shape for view in (model.words, model.characters, model.sif, model.intercept)] != wanted:
        raise ValueError("shapes differ")
    if len(words.idf) != len(words.features) or len(characters.idf) != len(characters.features):
        raise ValueError("vocabularies differ")


def seen(folder: Path) -> frozenset[str]:
    """The staff's decisions that a stored bundle learnt from."""
    try:
        return frozenset(json.loads((folder / "models.json").read_text("utf-8"))["seen"])
    except (OSError, ValueError, KeyError):
        raise ModelError("モデルのファイルが読めません。", hint=_RETRAIN) from None


@contextmanager
def _staged(parent: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replace(path: Path, text: str) -> None:
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(text, "utf-8")
    staged.replace(path)


def _card_text(card: Mapping[str, Any]) -> str:
    sources = (
        f"付属の文例 {card['corpus_examples']:,} 件、市の過去の事例 {card['case_examples']:,} 件、職員の判断 {card['human_examples']:,} 件"
    )
    foreign = "（付属の文例と分野の名が違うため、文例は手がかりとしてだけ使った）" if card["transfer"] else ""
    lines = [
        f"# モデルカード {card['version']}",
        "",
        f"- 作成: {card['date']}",
        f"- 学習例: {card['examples']:,} 件（{sources}）",
        f"- 分類ファイル: {card['taxonomy']}{foreign}",
        "- 使いみち: 市民の声の振り分けの下書き。確信度が低いものは判断保留とし、人が決める。",
        "- 限界: 文例はこの製品のために書いたもので、市の実際の声ではない。人の権利や給付を決めることには使わない。",
        "",
        "| 項目 | 件数 | 正解率 | マクロ F1 | 較正誤差 (ECE) | 正解率95%を保てる確信度 | それに届く割合 |",
        "|---|---|---|---|---|---|---|",
    ]
    names = {"theme": "分野", "kind": "種別", "urgency": "緊急度"}
    for name, m in card["metrics"].items():
        above = f"{m['sure_above']:.3f}" if m["coverage"] else "なし"
        scores = f"{m['accuracy']:.3f} | {m['macro_f1']:.3f} | {m['ece']:.3f}"
        lines.append(f"| {names[name]} | {m['texts']:,} | {scores} | {above} | {m['coverage']:.3f} |")
    lines += ["", "数字は一つ抜き法による（どの例も、それを学ばなかったモデルで当てた）。語彙と重みは全体から求めている。", ""]
    return "\n".join(lines)
