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
from nlp.vectors import Lexicon, Sif

# Raise it when features or models change in a way that makes stored ones unusable.
FORMAT = 2
_CURRENT = "current.json"
_RETRAIN = "koe train を実行して作り直してください。"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that training leaves behind: what rebuilds a ``Classifier``, and the card that tells people about it."""

    estimators: Mapping[str, Any]
    temperatures: Mapping[str, float]
    weights: Mapping[str, tuple[float, float, float]]
    words: Any
    characters: Any
    sif_words: tuple[str, ...]
    sif_frequencies: Any
    sif_common: Any
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
                "estimators": dict(bundle.estimators),
                "words": bundle.words,
                "characters": bundle.characters,
                "sif_frequencies": bundle.sif_frequencies,
                "sif_common": bundle.sif_common,
            },
            staged / "models.skops",
        )
        described = {
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


def load(folder: Path, *, lexicon: Path, taxonomy: Taxonomy) -> Classifier:
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
    for name, estimator in stored["estimators"].items():
        facet = name.partition("/")[0]
        single[name] = LinearModel.from_estimator(
            estimator, blocks=blocks, weights=tuple(described["weights"][facet]), temperature=described["temperatures"][facet]
        )
    models = {name: model for name, model in single.items() if "/" not in name}
    models["subtheme"] = LinearModel.side_by_side(
        [
            single.get(f"subtheme/{theme.slug}")
            or LinearModel.constant(f"{theme.name}{SUBTHEME_JOIN}{(*theme.subthemes, '')[0]}", like=models["theme"])
            for theme in taxonomy.themes
            if theme.name in models["theme"].labels
        ]
    )
    return Classifier(features, models, taxonomy)


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
    lines = [
        f"# モデルカード {card['version']}",
        "",
        f"- 作成: {card['date']}",
        f"- 学習例: {card['examples']:,} 件（うち職員の訂正 {card['human_examples']:,} 件）",
    ]
    lines += ["", "| 項目 | 正解率 | マクロ F1 | 較正誤差 (ECE) |", "|---|---|---|---|"]
    lines += [f"| {name} | {m['accuracy']:.3f} | {m['macro_f1']:.3f} | {m['ece']:.3f} |" for name, m in card["metrics"].items()]
    lines += ["", f"数字は {card['folds']} 分割の交差検証による。学習に使った語彙と重みは全体から求めている。", ""]
    return "\n".join(lines)
