"""Texts to make topics of, each with its day: the sample city's, those of some folder of files, or generated ones."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from core.settings import get_settings
from ingest.incoming import RejectedRow
from ingest.options import FileOptions
from ingest.plan import plan_source
from ingest.sources import open_source

SEED = 20261122
FIRST, DAYS = date(2024, 11, 1), 730
NAMES = ("北", "南", "東", "西", "中央", "緑", "桜", "若葉", "泉", "浜", "坂", "旭")
PLACES = ("町", "台", "が丘", "通り", "公園前", "小学校前", "駅前", "団地")
Texts = list[tuple[date, str]]


def sample() -> Texts:
    """The voices of the sample city."""
    folder = get_settings().data / "sample"
    return of_files([folder / "voices_utf8bom.csv", folder / "call_log_cp932.csv"])


def of_files(paths: Sequence[Path]) -> Texts:
    """The voices of files as `koe import` reads them, not masked, each text once."""
    found: dict[str, date] = {}
    for path in paths:
        for received_on, text in _voices(path):
            found.setdefault(text, received_on)
    return sorted((day, text) for text, day in found.items())


def _voices(path: Path) -> Iterator[tuple[date, str]]:
    settings = get_settings()
    plan = plan_source(open_source(path), FileOptions(), settings=settings)
    interpreter = plan.rows.interpreter()
    for row in plan.source.rows(needed=plan.mapping.needed, settings=settings):
        voices = interpreter.read(row)
        if not isinstance(voices, RejectedRow):
            yield from ((voice.received_on, voice.text) for voice in voices)


def generated(count: int) -> Texts:
    """So many texts of one or two sentences of the same 中分類 of data/corpus, with a made-up place; some matters are far commoner.

    Always the same ones. What is new in the last month is the last of the 中分類, so that a month more is more than more of the same.
    """
    rng = random.Random(SEED)  # noqa: S311
    matters = _matters()
    weights = [1 / (place + 3) for place in range(len(matters))]
    rng.shuffle(weights)
    days = sorted(FIRST + timedelta(days=rng.randrange(DAYS)) for _ in range(count))
    last = FIRST + timedelta(days=DAYS - 30)
    texts: Texts = []
    for day in days:
        matter = matters[-1] if day >= last and rng.random() < 0.1 else rng.choices(matters[:-1], weights[:-1])[0]
        said = rng.sample(matter, min(len(matter), rng.choice((1, 1, 2, 2, 3))))
        place = f"{rng.choice(NAMES)}{rng.choice(PLACES)}" if rng.random() < 0.5 else ""
        texts.append((day, f"{place}の件です。{''.join(said)}" if place else "".join(said)))
    return texts


def _matters() -> list[list[str]]:
    """The corpus's sentences by 中分類, those with enough of them."""
    matters: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for path in sorted((get_settings().data / "corpus").glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            example = json.loads(line)
            if len(example["topics"]) == 1:
                topic = example["topics"][0]
                for sentence in re.findall(r"[^。\n]{8,}。?", example["text"]):
                    matters[topic["theme"], topic["subtheme"]][sentence if sentence.endswith("。") else f"{sentence}。"] = None
    return [list(sentences) for _, sentences in sorted(matters.items()) if len(sentences) >= 40]
