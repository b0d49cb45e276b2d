"""How good, how steady and how quick topics are beside what one would take instead, on the same words and vectors in one run.

Usage: python bench/topics.py [--texts sample|generated|FOLDER …] [--count N] [--only METHOD …] [--no-stability]

Each method runs in a process of its own; its memory is that process's most, with the vectors. Coherence is the mean NPMI of each topic's
ten words over the same texts, diversity the share of words that no other topic has. Steadiness: the share of the texts that keep their
topic when 5 % of them are left out, and when the last month comes in addition: by id for ours, which starts from the topics
that exist, and under the best matching for the others, which start afresh.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import topic_peers
import topic_texts
from topic_peers import Found

from core import engine
from core.settings import get_settings
from nlp.line import Ints
from nlp.topic_quality import coherence, diversity, stayed
from nlp.topics import UNSEEN, Words
from nlp.topics.description import class_counts, telling_words
from nlp.topics.grouping import Grouping, place
from nlp.topics.identity import Known, Refit, refit
from nlp.topics.keywords import told_together
from nlp.topics.reading import SAMPLE, chances
from nlp.topics.space import Reader, Space
from nlp.topics.words import words_of
from nlp.train import ready_lexicon
from nlp.vectors import Floats

OURS = "声環"
SEED = 20261122
LEFT_OUT = 0.05
MONTH = 30
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Given:
    """The texts as each method gets them, in the order of their days."""

    lines: list[str]
    words: Words
    vectors: Floats
    days: Ints


@dataclass(frozen=True, slots=True)
class Result:
    """What one method came to. ``kept_without`` and ``kept_with`` are the shares that stay with 5 % less and a month more."""

    seconds: float
    megabytes: float
    topics: int
    unassigned: float
    coherence: float
    diversity: float
    kept_without: float | None = None
    kept_with: float | None = None


def prepare(texts: topic_texts.Texts, folder: Path) -> Given:
    """Words and vectors, made as `koe topics fit` makes them; stored for the methods' processes."""
    settings = get_settings()
    chunks = [list(enumerate((text for _, text in texts[at : at + _CHUNK]), at + 1)) for at in range(0, len(texts), _CHUNK)]
    words = Words.join(engine.map(words_of, chunks, settings=settings))
    lexicon = ready_lexicon(settings)
    space = Space.fit(words.take(_sample(len(words))), lexicon)
    names = [term.norm for term in words.term_list]
    numbers, text_of = words.terms.span(0, len(words))
    lines: list[list[str]] = [[] for _ in texts]
    for number, text in zip(numbers.tolist(), text_of.tolist(), strict=True):
        lines[text].append(names[number])
    first = texts[0][0]
    days = np.array([(day - first).days for day, _ in texts])
    given = Given([" ".join(line) or "_" for line in lines], words, Reader(space, words, lexicon).every(), days)
    (folder / "given.pickle").write_bytes(pickle.dumps(given, protocol=5))
    return given


def ours(vectors: Floats, previous: Ints | None = None, count: int = 0) -> Refit:
    """Our topics of some vectors, starting from those that exist: made on a sample, then given to all, as a full run does."""
    before = np.full(len(vectors), UNSEEN, dtype=np.int64) if previous is None else previous
    rows = _sample(len(vectors))
    made = refit(vectors[rows], Known(before[rows], count))
    return made if len(rows) == len(vectors) else Refit(place(vectors, made.grouping.centroids), made.origin, made.hold)


def keywords(words: Words, grouping: Grouping) -> list[list[str]]:
    """The ten words that each topic is shown by, in the form that is counted."""
    terms = telling_words(*class_counts(words, grouping.labels, len(grouping.centroids)))
    return [[term.norm for term, _ in row[: topic_peers.WORDS]] for row in told_together(words, terms, most=topic_peers.WORDS)]


def by_id(found: Refit, count: int) -> Ints:
    """Labels in which a topic that continues an earlier one has its number, and a new one a number of its own."""
    numbers = np.array([count + index if old is None else old for index, old in enumerate(found.origin)] + [-1])
    return np.asarray(numbers[found.grouping.labels])


def run_one(name: str, given: Given, *, count: int, stability: bool) -> Result:
    """One method, in this process."""
    began = time.perf_counter()
    if name == OURS:
        base = ours(given.vectors)
        found = Found(base.grouping.labels, keywords(given.words, base.grouping))
    else:
        found = topic_peers.PEERS[name](given.lines, given.vectors, count)
    seconds = time.perf_counter() - began
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    texts = [line.split() for line in given.lines]
    unassigned = float((found.labels < 0).mean())
    coherent, diverse = coherence(found.keywords, texts), diversity(found.keywords)
    result = Result(seconds, megabytes, len(found.keywords), unassigned, coherent, diverse)
    if not stability:
        return result
    kept = np.sort(np.random.default_rng(SEED).permutation(len(given.lines))[: round(len(given.lines) * (1 - LEFT_OUT))])
    earlier = np.flatnonzero(given.days < given.days.max() - MONTH)
    without, more = _steady(name, given, found.labels, kept, earlier, count)
    return replace(result, kept_without=without, kept_with=more)


def _steady(name: str, given: Given, labels: Ints, kept: Ints, earlier: Ints, count: int) -> tuple[float, float]:
    if name == OURS:
        topics = int(labels.max()) + 1
        without = by_id(ours(given.vectors[kept], labels[kept], topics), topics)
        base = ours(given.vectors[earlier]).grouping
        previous = np.full(len(given.lines), UNSEEN, dtype=np.int64)
        previous[earlier] = base.labels
        more = by_id(ours(given.vectors, previous, len(base.centroids)), len(base.centroids))
        return stayed(labels[kept], without, by_id=True), stayed(base.labels, more[earlier], by_id=True)
    method = topic_peers.PEERS[name]
    again = method([given.lines[row] for row in kept], given.vectors[kept], count).labels
    before = method([given.lines[row] for row in earlier], given.vectors[earlier], count).labels
    return stayed(labels[kept], again), stayed(before, labels[earlier])


def _sample(count: int) -> Ints:
    return np.sort(np.argsort(chances(np.arange(1, count + 1)), kind="stable")[:SAMPLE])


def measure(name: str, folder: Path, *, count: int, stability: bool) -> Result:
    """One method in a process of its own."""
    command = [sys.executable, __file__, "--one", name, "--folder", str(folder), "--topics", str(count)]
    done = subprocess.run(command if stability else [*command, "--no-stability"], stdout=subprocess.PIPE, text=True, check=True)
    return Result(**json.loads(done.stdout.splitlines()[-1]))


def table(results: dict[str, Result]) -> str:
    """The results as lines."""
    head = f"{'':<10}{'seconds':>9}{'MB':>8}{'topics':>8}{'none':>8}{'NPMI':>8}{'diverse':>9}{'-5 %':>8}{'+month':>8}"
    rows = [
        f"{name:<10}{one.seconds:9.1f}{one.megabytes:8,.0f}{one.topics:8}{one.unassigned:8.1%}{one.coherence:8.3f}{one.diversity:9.3f}"
        f"{_share(one.kept_without)}{_share(one.kept_with)}"
        for name, one in results.items()
    ]
    return "\n".join([head, *rows])


def _share(value: float | None) -> str:
    return f"{'':>8}" if value is None else f"{value:8.1%}"


def _texts(name: str, count: int) -> topic_texts.Texts:
    readers: dict[str, Callable[[], topic_texts.Texts]] = {"sample": topic_texts.sample, "generated": lambda: topic_texts.generated(count)}
    return readers[name]() if name in readers else topic_texts.of_files(sorted(Path(name).glob("*.csv")))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--texts", nargs="+", default=["sample", "generated"])
    parser.add_argument("--count", type=int, default=100_000, help="how many are generated")
    parser.add_argument("--only", nargs="+", choices=[OURS, *topic_peers.PEERS])
    parser.add_argument("--no-stability", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--topics", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        loaded = pickle.loads((given.folder / "given.pickle").read_bytes())  # noqa: S301 - written by this very run
        print(json.dumps(asdict(run_one(given.one, loaded, count=given.topics, stability=not given.no_stability))))
        return
    for name in given.texts:
        texts = _texts(name, given.count)
        with tempfile.TemporaryDirectory(prefix="topics-") as temporary:
            folder = Path(temporary)
            began = time.perf_counter()
            prepare(texts, folder)
            spoken = name if name in {"sample", "generated"} else "real"
            days = f"{texts[0][0]} to {texts[-1][0]}"
            print(f"\n{spoken}: {len(texts):,} texts, {days}; words and vectors in {time.perf_counter() - began:.1f} s", flush=True)
            results: dict[str, Result] = {}
            for method in given.only or [OURS, *topic_peers.PEERS]:
                count = results[OURS].topics if OURS in results else 60
                results[method] = measure(method, folder, count=count, stability=not given.no_stability)
                print(table({method: results[method]}).splitlines()[-1], flush=True)
            print(table(results), flush=True)
            if OURS in results and "BERTopic" in results:
                print(f"BERTopic takes {results['BERTopic'].seconds / results[OURS].seconds:.1f} times as long")


if __name__ == "__main__":
    main()
