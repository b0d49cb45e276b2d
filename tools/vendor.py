"""Brings the browser's libraries into the repository, and checks that nobody changed them there.

``python tools/vendor.py`` packs each package with npm, keeps the one built file that a page needs (and its licence), and writes
a manifest beside it; ``--check`` compares every file with its manifest and needs no network.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE_MAP = re.compile(rb"(?m)^\s*(?://[#@]|/\*[#@])\s*sourceMappingURL=[^\n]*\n?")


@dataclass(frozen=True)
class Package:
    """What to take: a package as npm names it, the file inside it, and the room that it goes to."""

    spec: str
    inside: str
    room: Path
    file: str


PAGES = ROOT / "api" / "static" / "vendor"
BROWSER_TESTS = ROOT / "tests" / "e2e" / "vendor"
PACKAGES = (
    Package("htmx.org@2", "dist/htmx.min.js", PAGES, "htmx.min.js"),
    Package("echarts@6", "dist/echarts.common.min.js", PAGES, "echarts.common.min.js"),
    Package("@digital-go-jp/design-tokens@1", "dist/tokens.css", PAGES, "design-tokens.css"),
    Package("axe-core@4", "axe.min.js", BROWSER_TESTS, "axe.min.js"),
)


def main() -> int:
    """Packs or checks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the files with their manifests")
    if parser.parse_args().check:
        faults = [fault for room in (PAGES, BROWSER_TESTS) for fault in check(room)]
        print("\n".join(faults) or "vendored files agree with their manifests")
        return 1 if faults else 0
    for room in (PAGES, BROWSER_TESTS):
        entries = [take(package) for package in PACKAGES if package.room == room]
        (room / "manifest.json").write_text(json.dumps(entries, indent=1) + "\n", "utf-8")
    return 0


def take(package: Package) -> dict[str, str]:
    """Packs one package, writes its file and licence, and gives its manifest entry."""
    package.room.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["npm", "pack", "--silent", package.spec], cwd=folder, check=True, capture_output=True, text=True)
        with tarfile.open(Path(folder) / packed.stdout.strip().splitlines()[-1]) as archive:
            about = json.loads(_read(archive, "package.json"))
            body = SOURCE_MAP.sub(b"", _read(archive, package.inside))
            licence = _read(archive, "LICENSE")
    (package.room / package.file).write_bytes(body)
    licence_file = f"{package.file}.LICENSE.txt"
    (package.room / licence_file).write_bytes(licence)
    print(f"{about['name']} {about['version']} -> {(package.room / package.file).relative_to(ROOT)}")
    return {
        "name": about["name"],
        "version": about["version"],
        "file": package.file,
        "sha256": hashlib.sha256(body).hexdigest(),
        "licence": about["license"],
        "licence_file": licence_file,
    }


def check(room: Path) -> list[str]:
    """What is wrong in a room: a file that is missing, changed, or in no manifest."""
    entries = json.loads((room / "manifest.json").read_text("utf-8"))
    faults = []
    for entry in entries:
        path = room / entry["file"]
        if not path.exists():
            faults.append(f"{path.relative_to(ROOT)}: missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            faults.append(f"{path.relative_to(ROOT)}: not the file of {entry['name']} {entry['version']}")
    known = {"manifest.json"} | {entry[key] for entry in entries for key in ("file", "licence_file")}
    faults += [f"{path.relative_to(ROOT)}: in no manifest" for path in sorted(room.iterdir()) if path.name not in known]
    return faults


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(f"package/{name}")
    if member is None:
        raise FileNotFoundError(name)
    return member.read()


if __name__ == "__main__":
    sys.exit(main())
