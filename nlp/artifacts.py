"""Model files: where they are, whether they fit the corpus and taxonomy at hand, and how they are stored (skops, never pickle)."""

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
from nlp.classify import SUBTHEME_JOIN, Classifier, LinearModel
from nlp.features import FeatureMaker
from nlp.taxonomy import Taxonomy
from nlp.vectors import Floats, Lexicon, Sif

# Raise it when features, models or the constants of training (nlp/space.py, nlp/train.py) change: stored models are then made anew.
FORMAT = 5
_CURRENT = "current.json"
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

    ``seen`` names the staff's decisions that were learnt from (``nlp.train.text_key``).
    """

    models: Mapping[str, StoredModel]
    temperatures: Mapping[str, float]
    weights: Mapping[str, tuple[float, float, float]]
    words: Any
    characters: Any
    sif_words: tuple[str, ...]
    sif_frequencies: Any
    sif_common: Any
    seen: tuple[str, ...]
    card: Mapping[str, Any]


def source_digest(settings: Settings) -> str:
    """A digest of what base models are made from: corpus, taxonomy and the format of the files."""
    digest = hashlib.sha256(f"format {FORMAT}".encode())
    for folder in (settings.data / "corpus", settings.taxonomy_dir):
        for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.yaml")]):
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
    import skops.io

    version = str(bundle.card["version"])
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with _staged(settings.models_dir) as staged:
        skops.io.dump(
            {
                "models": {name: [model.coefficients, model.intercept] for name, model in bundle.models.items()},
                "words": bundle.words,
                "characters": bundle.characters,
                "sif_frequencies": bundle.sif_frequencies,
                "sif_common": bundle.sif_common,
            },
            staged / "models.skops",
        )
        described = {
            "labels": {name: list(model.labels) for name, model in bundle.models.items()},
            "seen": list(bundle.seen),
            "temperatures": dict(bundle.temperatures),
            "weights": {name: list(weights) for name, weights in bundle.weights.items()},
            "sif_words": list(bundle.sif_words),
        }
        (staged / "models.json").write_text(json.dumps(described, ensure_ascii=False), "utf-8")
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
        ModelError: a file is missing or damaged, or holds a type that isn't expected.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        stored = skops.io.load(folder / "models.skops", trusted=[])
        described = json.loads((folder / "models.json").read_text("utf-8"))
    except UntrustedTypesFoundException:
        raise ModelError("モデルのファイルに想定外のものが入っています。", hint=_RETRAIN) from None
    except Exception as error:
        raise ModelError("モデルのファイルが読めません。", hint=_RETRAIN) from error
    frequencies = dict(zip(described["sif_words"], np.asarray(stored["sif_frequencies"]).tolist(), strict=True))
    sif = Sif(Lexicon(lexicon), frequencies=frequencies, common=stored["sif_common"])
    features = FeatureMaker(words=stored["words"], characters=stored["characters"], sif=sif)
    blocks = (len(features.words.vocabulary_), len(features.characters.vocabulary_))
    single: dict[str, LinearModel] = {}
    for name, (coefficients, intercept) in stored["models"].items():
        facet = name.partition("/")[0]
        model = StoredModel(tuple(described["labels"][name]), coefficients, intercept)
        single[name] = _in_views(model, blocks, tuple(described["weights"][facet]), described["temperatures"][facet])
    models = {name: model for name, model in single.items() if "/" not in name}
    models["subtheme"] = LinearModel.side_by_side(
        [
            single.get(f"subtheme/{theme.slug}")
            or LinearModel.constant(f"{theme.name}{SUBTHEME_JOIN}{(*theme.subthemes, '')[0]}", like=models["theme"])
            for theme in taxonomy.themes
            if theme.name in models["theme"].labels
        ]
    )
    return Classifier(features, models, taxonomy, hold_below=hold_below)


def seen(folder: Path) -> frozenset[str]:
    """The staff's decisions that a stored bundle learnt from."""
    try:
        return frozenset(json.loads((folder / "models.json").read_text("utf-8"))["seen"])
    except (OSError, ValueError, KeyError):
        raise ModelError("モデルのファイルが読めません。", hint=_RETRAIN) from None


def _in_views(
    model: StoredModel, blocks: tuple[int, int], weights: tuple[float, float, float], temperature: float
) -> LinearModel:  # fmt: skip
    """Takes the coefficients apart by view, with the views' weights folded in."""
    first, second = blocks[0], blocks[0] + blocks[1]
    return LinearModel(
        labels=model.labels,
        words=model.coefficients[:, :first] * np.float32(weights[0]),
        characters=model.coefficients[:, first:second] * np.float32(weights[1]),
        sif=model.coefficients[:, second:] * np.float32(weights[2]),
        intercept=model.intercept,
        temperature=temperature,
    )


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
