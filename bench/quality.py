"""How good labels, letters' segments, masks and drafts are, against simpler ways, with more examples, and under another city's taxonomy.

Usage: python bench/quality.py [--report FOLDER] [--masking FILE] [--only PART …]   (parts: baselines transfer growth answers)

Test texts are data/gold. Without --report the report is saved in KOE_HOME/quality.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import document
import sklearn

from api.sample_city import measure_answering
from core.clock import today
from core.settings import Settings, get_settings
from nlp import annotate, artifacts, baselines, corpus, gold, growth, report, taxonomy, transfer
from nlp.corpus import Example
from nlp.evaluate import FacetScore, Outcome, evaluate
from nlp.features import Prepared
from nlp.gold import Gold, GoldVoice
from nlp.report import Study
from nlp.train import Newcomer, prepare_texts

PARTS = ("baselines", "transfer", "growth", "answers")
VOICES = 1_000  # of the sample: by these the share is told to about 0.015


@dataclass(frozen=True, slots=True)
class Material:
    """The corpus to learn from and the voices to test on, both prepared once."""

    settings: Settings
    examples: Sequence[Example]
    texts: Sequence[Prepared]
    voices: Sequence[GoldVoice]
    tests: Sequence[Prepared]

    @classmethod
    def of(cls, settings: Settings, voices: Sequence[GoldVoice]) -> Material:
        """Tokenises and masks both."""
        examples = corpus.load(settings.data / "corpus")
        labelled = [voice for voice in voices if voice.topics and voice.kind]
        texts, tests = ([*prepare_texts([one.text for one in many])] for many in (examples, labelled))
        return cls(settings, examples, texts, labelled, tests)


def compare(material: Material) -> dict[str, dict[str, FacetScore]]:
    """Theme and kind by each baseline."""
    words = taxonomy.load(material.settings.taxonomy_dir)
    found: dict[str, dict[str, FacetScore]] = {}
    for facet in ("theme", "kind"):
        wanted = [[name for name, _ in voice.topics] if facet == "theme" else [voice.kind] for voice in material.voices]
        ways = baselines.all_of(material.texts, material.examples, facet, words)
        found[facet] = {name: FacetScore.of(Outcome.of(wanted, say(material.tests))) for name, say in ways.items()}
    return found


def other_city(material: Material) -> transfer.Transfer:
    """The learning curve under data/gold/other_city."""
    folder = material.settings.data / "gold" / "other_city"
    there = material.settings.model_copy(update={"taxonomy": folder})
    newcomer = Newcomer.of(there, material.examples, material.texts)
    reading = transfer.load_reading(folder / "mapping.yaml")
    return transfer.run(transfer.Trial.of(newcomer, material.voices, material.tests, reading))


def grown(material: Material) -> tuple[growth.Step, ...]:
    """Theme and kind by models of a tenth of the corpus up to all of it."""
    return growth.curve(material.settings, material.examples, material.texts, material.voices, material.tests)


def about(settings: Settings, given: Gold, card: dict[str, object], seconds: float) -> dict[str, str]:
    """What was measured, when and where."""
    versions = f"Python {platform.python_version()}、scikit-learn {sklearn.__version__}"
    files = "、".join(path.name for path in given.files)
    return {
        "測定日": today().isoformat(),
        "計算機": f"{document.processor()}、{platform.system()} {platform.machine()}、{versions}",
        "モデル": f"{card['version']}（学習例 {card['examples']:,} 件）",
        "測った文章": f"声 {len(given.voices):,} 件、マスキング {len(given.masking):,} 件（{files}）",
        "判断保留の確信度": f"{settings.low_confidence} 未満",
        "かかった時間": f"{seconds:,.0f} 秒",
    }


def main() -> None:
    """Prints the report as Markdown and saves it as JSON, Markdown and a page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", type=Path)
    parser.add_argument("--masking", type=Path, help="masking texts beside those of data/gold")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    began = time.perf_counter()
    settings = get_settings()
    given = gold.load(settings.data / "gold")
    if options.masking:
        more = gold.read([options.masking])
        given = Gold(given.voices, (*given.masking, *more.masking), (*given.files, *more.files), given.left_out)
    annotator = annotate.ready(settings)
    words = taxonomy.load(settings.taxonomy_dir)
    measured = evaluate(annotator, given.voices, masking=given.masking, words=words)
    print(measured.as_text(), flush=True)
    material = Material.of(settings, given.voices) if set(options.only) - {"answers"} else None
    compared = compare(material) if material and "baselines" in options.only else {}
    moved = other_city(material) if material and "transfer" in options.only else None
    steps = grown(material) if material and "growth" in options.only else ()
    answering = measure_answering(settings, annotator, most=VOICES) if "answers" in options.only else None
    told = about(settings, given, artifacts.card(annotator.models), time.perf_counter() - began)
    whole = Study(measured, told, compared, steps, moved, answering)
    paths = report.save(whole, options.report or settings.home / "quality")
    print(f"\n{paths[1].read_text('utf-8')}")
    print("\n".join(str(path) for path in paths))


if __name__ == "__main__":
    main()
