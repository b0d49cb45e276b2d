"""The intake that one would write first, for comparison: a GiNZA document for each record, and a row with a commit of its own."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import spacy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

from core.settings import get_settings
from nlp import corpus

MASKED = {"Person", "Phone_Number", "Email", "Postal_Address"}


def rate(records: Sequence[tuple[str, ...]], folder: Path) -> float:
    """Records a second on one core, of rows as ``intake.call`` makes them.

    The time runs from the first record: GiNZA is loaded, and logistic regression on TF-IDF of characters has learnt the corpus's themes
    beforehand.
    """
    examples = [example for example in corpus.load(get_settings().data / "corpus") if example.theme]
    classifier = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 2)), SGDClassifier(loss="log_loss", random_state=0))
    classifier.fit([example.text for example in examples], [example.theme for example in examples])
    nlp = spacy.load("ja_ginza")
    connection = sqlite3.connect(folder / "naive.db")
    connection.execute("CREATE TABLE voices (id INTEGER PRIMARY KEY, number TEXT, received TEXT, district TEXT, text TEXT, theme TEXT)")
    began = time.perf_counter()
    for number, received, _, district, text, *_ in records:
        masked = text
        for found in reversed(nlp(text).ents):
            if found.label_ in MASKED:
                masked = f"{masked[: found.start_char]}〔{found.label_}〕{masked[found.end_char :]}"
        (theme,) = classifier.predict([masked])
        row = (number, received, district, masked, str(theme))
        connection.execute("INSERT INTO voices (number, received, district, text, theme) VALUES (?, ?, ?, ?, ?)", row)
        connection.commit()
    seconds = time.perf_counter() - began
    connection.close()
    return len(records) / seconds
