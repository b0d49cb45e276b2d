"""How well and how fast opinions are read: precision and recall of pairs, polarity, stance, requests and questions; texts a second.

Usage: python bench/opinions.py [--gold FILE] [--part development|held-out] [--texts N] [--show]

The gold sentences were invented, and their answers written, before the rules. Rules were tuned on the part ``development`` only.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.settings import get_settings
from nlp.opinions import Opinions, load, opinions

PARTS = ("development", "held-out")


def read(path: Path) -> list[dict[str, Any]]:
    """The gold sentences."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def share(hits: int, total: int) -> str:
    """A share and the counts behind it."""
    return f"{hits / total:6.1%} ({hits}/{total})" if total else "  -"


def pairs_of(record: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The expected pairs with their polarity."""
    return {(pair["topic"], pair["predicate"]): pair["polarity"] for pair in record["pairs"]}


def score(records: Sequence[dict[str, Any]], said: Sequence[Opinions]) -> None:
    """Prints the figures of one part."""
    wanted = [pairs_of(record) for record in records]
    found = [{(pair.topic, pair.predicate): pair.polarity.value for pair in item.pairs} for item in said]
    hits = [want.keys() & got.keys() for want, got in zip(wanted, found, strict=True)]
    right = sum(map(len, hits))
    polar = sum(want[key] == got[key] for want, got, both in zip(wanted, found, hits, strict=True) for key in both)
    print(f"pairs precision   {share(right, sum(map(len, found)))}")
    print(f"pairs recall      {share(right, sum(map(len, wanted)))}")
    print(f"polarity of those {share(polar, right)}")
    print(f"stance            {share(sum(r['stance'] == s.stance.side.value for r, s in zip(records, said, strict=True)), len(records))}")
    sided = [(r, s) for r, s in zip(records, said, strict=True) if r["stance"] != "どちらでもない"]
    print(f"  of those with a side  {share(sum(r['stance'] == s.stance.side.value for r, s in sided), len(sided))}")
    print(f"request           {share(sum(r['request'] == bool(s.requests) for r, s in zip(records, said, strict=True)), len(records))}")
    print(f"question          {share(sum(r['question'] == bool(s.questions) for r, s in zip(records, said, strict=True)), len(records))}")


def show(records: Sequence[dict[str, Any]], said: Sequence[Opinions]) -> None:
    """Prints what differs."""
    for record, item in zip(records, said, strict=True):
        want, got = pairs_of(record), {(pair.topic, pair.predicate): pair.polarity.value for pair in item.pairs}
        lines = [f"  missed {'→'.join(key)} {want[key]}" for key in want.keys() - got.keys()]
        lines += [f"  beyond {'→'.join(key)} {got[key]}" for key in got.keys() - want.keys()]
        lines += [f"  {'→'.join(key)} is {want[key]}, said {got[key]}" for key in want.keys() & got.keys() if want[key] != got[key]]
        if record["stance"] != item.stance.side:
            lines.append(f"  stance {record['stance']}, said {item.stance.side.value}")
        lines += [
            f"  {name} {record[name]}, said {bool(spans)}"
            for name, spans in (("request", item.requests), ("question", item.questions))
            if record[name] != bool(spans)
        ]
        if lines:
            print("\n".join([record["text"], *lines]))


def speed(count: int) -> None:
    """Prints texts a second over voices of the corpus, one process."""
    folder = get_settings().data / "corpus"
    texts = [json.loads(line)["text"] for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    texts = texts[:: max(len(texts) // count, 1)][:count]
    began, spent = time.perf_counter(), time.process_time()
    opinions(texts)
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    length = sum(map(len, texts)) / len(texts)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(texts) / seconds:.0f} texts/s of {length:.0f} characters, one process ({len(texts) / spent:.0f} for a second of its CPU)")
    print(f"at most {memory:,.0f} MB")


def main() -> None:
    """Scores and measures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gold", type=Path, default=get_settings().data / "gold" / "opinions.jsonl")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    began = time.perf_counter()
    load()
    print(f"loaded in {time.perf_counter() - began:.1f} s")
    records = read(given.gold)
    for part in (given.part,) if given.part else PARTS:
        chosen = [record for record in records if record["part"] == part]
        said = opinions([record["text"] for record in chosen])
        print(f"\n{part}: {len(chosen)} sentences")
        score(chosen, said)
        if given.show:
            show(chosen, said)
    if given.texts:
        print()
        speed(given.texts)


if __name__ == "__main__":
    main()
