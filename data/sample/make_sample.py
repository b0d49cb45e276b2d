"""潮見市(架空)の24か月分の見本記録をつくる。

使い方: python data/sample/make_sample.py [--out DIR]

乱数の種は固定で、同じ材料(material/*.yaml)からは毎回同じバイト列のファイルができる。つくり方は maker/ にある。
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from maker.city import make
from maker.settings import SAMPLE


def main(argv: Sequence[str] | None = None) -> int:
    """命令行からの入口。"""
    parser = argparse.ArgumentParser(description="潮見市(架空)の見本記録をつくる")
    parser.add_argument("--out", type=Path, default=SAMPLE, help="書きだす先(既定はこの場所)")
    args = parser.parse_args(argv)
    summary = make(args.out)
    for name, count in summary["counts"].items():
        print(f"{name}: {count}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
