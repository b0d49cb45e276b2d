"""The sample city's voices in a database of their own, and what each is truly about: what drafting is measured on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from core import db
from core.crypto import load_keyring
from core.settings import Settings
from nlp.annotate import Annotator
from nlp.answering.quality import AnsweringReport

# Voices that are asked for: by these the share is told to about 0.03.
MOST = 300
_FILES = ("call_log_cp932.csv", "voices_utf8bom.csv", "faq_log.csv")


def measure_answering(settings: Settings, annotator: Annotator, *, most: int = MOST) -> AnsweringReport:
    """How well drafting does: past answers on ``most`` voices of the sample, the rest on the gold of the data folder.

    What isn't there isn't measured.
    """
    from loop import recall
    from nlp.answering import gold, lists
    from nlp.similar import load_sif

    sentences, answered = measured_on(settings)
    sif, by = load_sif(settings), lists.load()
    seen = gold.score(gold.sentences(sentences)) if sentences.exists() else None
    left_open = None
    if answered.exists():
        left_open = gold.score_open(gold.answered(answered), courtesy=by.courtesy, sif=sif, below=by.limits.unanswered)
    known = matters(settings)
    if not known:
        return AnsweringReport(None, seen, left_open)
    with database(settings, annotator) as engine, db.reading(engine) as session:
        return AnsweringReport(recall.measure(session, known, sif=sif, most=most), seen, left_open)


def measured_on(settings: Settings) -> tuple[Path, Path]:
    """The files of the gold folder that ``measure_answering`` takes: sentences that ask, and voices with their answers."""
    from nlp.answering import gold

    folder = settings.data / "gold"
    return folder / gold.QUESTIONS, folder / gold.ANSWERED


def matters(settings: Settings) -> dict[str, str]:
    """What each record of the sample is about, by its own number; nothing where the sample isn't there, or doesn't tell."""
    path = settings.data / "sample" / "truth.jsonl"
    if not path.exists():
        return {}
    lines = map(json.loads, path.read_text("utf-8").splitlines())
    return {line["external_id"]: matter for line in lines if (matter := line.get("matter"))}


@contextmanager
def database(settings: Settings, annotator: Annotator) -> Iterator[Engine]:
    """A database with the sample's calls, voices and FAQ, gone afterwards."""
    from ingest.pipeline import import_file
    from nlp.annotate import Masker

    with TemporaryDirectory(prefix="koe-sample") as folder:
        home = settings.model_copy(update={"home": Path(folder), "database_url": "", "keys": ""})
        engine = db.connect(home.url)
        try:
            db.upgrade(engine)
            keyring, mask = load_keyring(home), Masker(settings.taxonomy_dir)
            for name in _FILES:
                path = settings.data / "sample" / name
                import_file(engine, path, settings=home, keyring=keyring, annotate=annotator, mask=mask, actor="measure")
            yield engine
        finally:
            engine.dispose()
