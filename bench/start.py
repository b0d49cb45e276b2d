"""How long the command answers `--help`, and how long a web process takes until its first page.

Usage: python bench/start.py
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

KOE = Path(sys.executable).with_name("koe")
RUNS = 5


def seconds_of_help() -> float:
    """One `koe --help`."""
    began = time.perf_counter()
    subprocess.run([KOE, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def seconds_to_first_page() -> float:
    """From starting `koe serve` to an answer of /healthz."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    server = subprocess.Popen([KOE, "serve", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while time.perf_counter() - began < 30:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
                    answer.read()
                    return time.perf_counter() - began
            except OSError:
                time.sleep(0.02)
        raise TimeoutError("no answer within 30 s")
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    """Prints the medians."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["KOE_HOME"] = home
        subprocess.run([KOE, "db", "upgrade"], check=True, stdout=subprocess.DEVNULL)
        print(f"koe --help:      {statistics.median(seconds_of_help() for _ in range(RUNS)):.2f} s (median of {RUNS})")
        print(f"web process up:  {statistics.median(seconds_to_first_page() for _ in range(RUNS)):.2f} s (median of {RUNS})")


if __name__ == "__main__":
    main()
