"""Writes docs/benchmarks.md: runs the benches, and puts what they print into its sections, each with the machine and the day.

Usage: python bench/document.py [SECTION …]   (without a section all of them; the others keep what was measured before)

bench/intake.py --document writes its own section as a table, with whatever sizes it was given.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.clock import today
from core.settings import PROJECT_ROOT

DOCUMENT = PROJECT_ROOT / "docs/benchmarks.md"
BENCH = Path(__file__).parent

HEAD = """\
# 測定の記録

どの数字も、下の命令が測って書いたものです。手では書きません。自分の計算機で測りなおすと、その節だけが新しくなります。

```
python bench/document.py             # すべて
python bench/document.py similar     # 1つだけ
```

分類とマスキングの正しさは[品質の測り方](quality.md)にあります。
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document: what it is about, and the command that fills it. ``tells``: the command writes the section itself."""

    title: str
    about: str
    command: tuple[str, ...]
    tells: bool = False


SECTIONS = {
    "intake": Section(
        "取込",
        """\
CP932 の応答記録を1つのファイルで `koe import` に渡し、伏せて、分類し、重なりを除き、暗号化して、索引をつけ、保存し終わるまでの時間です。
始まりの準備も含みます。記録は `data/corpus` の文を組み合わせ、作りものの名前・番号・場所を入れたもので、毎回同じです。

- 上限: 同じ文章を、同じ数のプロセスで SudachiPy に区切らせるだけの速さ。これより速くはなりません。
- 素朴な作り方: 1件ごとに GiNZA の文書を作り、固有表現で伏せ、学習しておいた TF-IDF と線形モデルで分野だけを決め、SQLite に1件ずつ確定します
  （1プロセス、読みこみと学習の時間は含めません）。
- メモリ: すべてのプロセスを合わせた最大。共有しているページは1度だけ数えます。
""",
        ("intake.py", "--postgres", "--document"),
        tells=True,
    ),
    "engines": Section("Dask のクラスタ", "同じ記録を、1台の並列処理と Dask のワーカーで取り込みます。\n", ("engines.py",)),
    "annotate": Section("分類とマスキングだけ", "`koe annotate` の速さと、形態素解析だけの速さとの比です。\n", ("annotate.py",)),
    "similar": Section("似た声", "似た声を探す時間と、同じ文面をまとめる速さです。\n", ("similar.py",)),
    "topics": Section(
        "話題のよさと、変わりにくさ",
        """\
同じ語とベクトルから、声環と、かわりに使われそうな手法とで話題を作って、くらべます。
BERTopic は既定の UMAP と HDBSCAN、ほかは scikit-learn です。

- none: どの話題にも入らない声の割合。NPMI: 話題の10語が同じ声に出やすいか。diverse: ほかの話題と重ならない語の割合。
- −5 %・+month: 声を5 % 減らしたとき、最後の1か月を足したときに、同じ話題のままの声の割合。声環は番号が同じか、ほかの手法は
  いちばんよく合うように番号を付けかえて数えます。
""",
        ("topics.py", "--texts", "sample"),
    ),
    "topics_many": Section(
        "10万件の話題",
        "組み合わせて作った10万件で、声環と、既定の BERTopic とをくらべます。\n",
        ("topics.py", "--texts", "generated", "--only", "声環", "BERTopic", "--no-stability"),
    ),
    "topic_scale": Section(
        "大きな市の1年分の話題",
        "コールセンターの1年分（845,880件）から `koe topics fit` が話題を作る時間とメモリです。\n",
        ("topic_scale.py", "--voices", "845880", "--first"),
    ),
    "surges": Section(
        "急増の見つけかた",
        """\
作った市の件数で、急増がないのに知らせてしまう回数（60話題、1か月あたり）と、2週間つづく急増を7日以内に知らせる割合です。
「限界」は、その週の期待が正確に分かっていても超えられない割合です（ネイマン・ピアソンの検定）。
""",
        ("surge.py",),
    ),
    "trends": Section(
        "話題と動きの画面",
        """\
24か月・百万件の声があるときに、`/trends` の画面と、その JSON が答えるまでの時間です。話題と期間を変えながら、1つずつ順に頼みます。
声は作りもので、どの声も読み取り（`koe opinions`）が済んでいます。
""",
        ("trends.py", "--postgres", "--document"),
        tells=True,
    ),
    "desk": Section(
        "受付一覧と声の画面",
        """\
24か月・百万件の声のうち5万件が未対応のときに、`/desk` の一覧と声の画面が答えるまでの時間です。広聴課の職員と、所管課の職員とで測ります。
未対応の3分の1は案件に入っていて、関係課と担当者があり、一斉投稿は1行にまとまっています。声は作りものです。
`next voice` は、前の画面の「次の声」をたどったときの時間、`j: key to text` は、Chromium で j を押してから次の声が画面に出るまでです。
""",
        ("desk.py", "--postgres", "--document"),
        tells=True,
    ),
    "start": Section("始まるまで", "命令が答えるまでの時間と、画面のプロセスが最初に答えるまでの時間です。\n", ("start.py",)),
}


def machine() -> str:
    """The day and what was measured on, in one line."""
    memory = psutil.virtual_memory().total / 2**30
    versions = f"{platform.system()}、Python {platform.python_version()}、SQLite {sqlite3.sqlite_version}"
    return f"{today().isoformat()}、{processor()}、{os.cpu_count()} コア、メモリ {memory:.1f} GB、{versions}"


def processor() -> str:
    """The CPU's name."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor() or "不明")


def put(name: str, measured: str, *, command: Sequence[str]) -> None:
    """Writes the document with what a command measured for a section; the other sections keep theirs."""
    kept = kept_sections()
    kept[name] = f"```\npython bench/{' '.join(command)}\n```\n\n{machine()}\n\n{measured.strip()}"
    DOCUMENT.write_text(compose(kept), "utf-8")


def compose(kept: Mapping[str, str]) -> str:
    """The document with what was measured for some sections; those without are left out."""
    parts = [
        f"## {section.title}\n\n{section.about}\n<!-- {key} -->\n{kept[key]}\n<!-- /{key} -->\n"
        for key, section in SECTIONS.items()
        if key in kept
    ]
    return "\n".join([HEAD, *parts])


def kept_sections() -> dict[str, str]:
    """What was measured before, by section."""
    text = DOCUMENT.read_text("utf-8") if DOCUMENT.exists() else ""
    return dict(re.findall(r"<!-- (\w+) -->\n(.*?)\n<!-- /\1 -->", text, re.DOTALL))


def run(section: Section) -> str:
    """Runs a bench, shows what it prints, and returns it."""
    command = [sys.executable, "-u", BENCH / section.command[0], *section.command[1:]]
    printed = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            printed.append(line)
    if process.returncode:
        raise SystemExit(f"{section.command[0]} ended with {process.returncode}")
    return "".join(printed)


def main() -> None:
    """Measures the sections that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sections", nargs="*", choices=list(SECTIONS), default=list(SECTIONS))
    for name in parser.parse_args().sections:
        print(f"\n== {name}", flush=True)
        printed = run(SECTIONS[name])
        if not SECTIONS[name].tells:
            put(name, f"```\n{printed.strip()}\n```", command=SECTIONS[name].command)


if __name__ == "__main__":
    main()
