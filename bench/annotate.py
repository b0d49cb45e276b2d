"""How many voices of about 100 characters a second `koe annotate` labels, against SudachiPy alone on the same texts in the same run.

Usage: python bench/annotate.py [--voices N]   (the texts are the sample city's, masked and labelled like any file)
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from core import engine
from core.settings import get_settings
from nlp import annotate, routing_file
from nlp.annotate import Annotator
from nlp.japanese import tokenize
from nlp.routing import Routing, applied

CHUNK = 500


def texts(count: int) -> list[str]:
    """Sample texts, joined or cut so that each has 100 characters."""
    folder = get_settings().data / "corpus"
    stream = "".join(json.loads(line)["text"] for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines())
    pieces = [stream[start : start + 100] for start in range(0, len(stream) - 100, 100)]
    return list(islice(cycle(pieces), count))


def tokens_only(chunk: list[str]) -> int:
    """The limit: morphemes and nothing else."""
    return sum(len(tokenize(text)) for text in chunk)


def cost_of_rules(chunks: list[list[str]], annotator: Annotator, rules: Routing) -> float:
    """How much longer annotating takes with the rules, as a share: processor time in this process, so that others' work counts little."""
    labelling = ruling = 0.0
    for chunk in chunks:
        began = time.process_time()
        annotations = annotator(chunk)
        between = time.process_time()
        for annotation in annotations:
            applied(rules, annotation)
        labelling += between - began
        ruling += time.process_time() - between
    return ruling / labelling


def whole_command(voices: list[str]) -> float:
    """Seconds that `koe annotate` takes from start to end, start-up and models included."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        source.write_text("".join(json.dumps({"id": number, "text": text}) + "\n" for number, text in enumerate(voices)), "utf-8")
        began = time.perf_counter()
        subprocess.run([Path(sys.executable).with_name("koe"), "annotate", "--input", source, "--output", target], check=True)
        return time.perf_counter() - began


def main() -> None:
    """Prints the two rates and their ratio, and what the city's rules for routing cost."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--voices", type=int, default=20_000)
    voices = texts(parser.parse_args().voices)
    settings = get_settings()
    annotator = annotate.ready(settings)
    chunks = [voices[start : start + CHUNK] for start in range(0, len(voices), CHUNK)]
    warm = chunks[: 2 * engine.workers(settings)]
    rates = {}
    # The heavy one first: loky takes a process that grows later for one that leaks.
    for name, work in (("annotate", annotator), ("limit", tokens_only)):
        list(engine.map(work, warm, settings=settings))
        began = time.perf_counter()
        list(engine.map(work, chunks, settings=settings))
        rates[name] = len(voices) / (time.perf_counter() - began)
    whole = len(voices) / whole_command(voices)
    print(f"voices of 100 characters: {len(voices):,}; processes: {engine.workers(settings)}")
    print(f"tokens only (limit):      {rates['limit']:>8,.0f}/s")
    print(f"annotate, after start:    {rates['annotate']:>8,.0f}/s   {rates['annotate'] / rates['limit']:.2f} of the limit")
    print(f"koe annotate, whole run:  {whole:>8,.0f}/s")
    rules = routing_file.load(settings.taxonomy_dir)
    print(f"{len(rules.rules)} rules for routing:     {cost_of_rules(chunks, annotator, rules):>+8.2%} time (at most +2 % allowed)")


if __name__ == "__main__":
    main()
