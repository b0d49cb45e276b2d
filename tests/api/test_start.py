"""The web process starts quickly, and the vendored files are the ones of the manifest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("spacy", "sklearn", "bertopic", "sudachipy", "ginza", "pandas", "numba", "umap")


def test_no_heavy_library_is_loaded_at_start(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from api.app import create_app
from core.settings import Settings
create_app(Settings(home=Path({str(tmp_path)!r})))
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"


def test_vendored_files_agree_with_their_manifests() -> None:
    done = subprocess.run([sys.executable, "tools/vendor.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
