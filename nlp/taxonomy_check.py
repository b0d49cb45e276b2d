"""A city's taxonomy files held against each other, so that what is wrong is told before anything relies on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from core import city, deadline_file
from core.errors import InputError
from nlp import routing_file, taxonomy
from nlp.taxonomy import Taxonomy


def problems(folder: Path) -> list[str]:
    """Everything that is wrong with the files of a folder, a Japanese sentence each; nothing, when they can be used."""
    found = [*_unreadable(taxonomy.load, folder), *_unreadable(city.load, folder), *_unreadable(deadline_file.load, folder)]
    if found:
        return list(dict.fromkeys(found))
    words = taxonomy.load(folder)
    return [*_twice(words), *_departments(words), *(f"振り分け規則 {problem}" for problem in routing_file.read(folder)[1])]


def _unreadable(load: Callable[[Path], Any], folder: Path) -> Iterator[str]:
    try:
        load(folder)
    except InputError as error:
        yield f"{error.message} {error.hint}".rstrip()


def _twice(words: Taxonomy) -> Iterator[str]:
    named = {
        "themes.yaml の分野": words.theme_names,
        "themes.yaml の slug ": [theme.slug for theme in words.themes],
        "departments.yaml の所管課": [department.name for department in words.departments],
        "departments.yaml の code ": [department.code for department in words.departments if department.code],
    }
    for what, names in named.items():
        yield from (f"{what}「{name}」が {count} つあります。" for name, count in Counter(names).items() if count > 1)


def _departments(words: Taxonomy) -> Iterator[str]:
    """Each 中分類 has one department, and departments name only what there is."""
    if not words.departments:
        return
    subthemes = {theme.name: theme.subthemes for theme in words.themes}
    owners: dict[tuple[str, str], list[str]] = {(theme, name): [] for theme, names in subthemes.items() for name in names}
    whole: set[str] = set()
    for department in words.departments:
        for theme, names in department.themes:
            if theme not in subthemes:
                yield f"departments.yaml の「{department.name}」の分野「{theme}」は themes.yaml にありません。"
                continue
            if not names:
                whole.add(theme)
            for name in names:
                if (theme, name) in owners:
                    owners[theme, name].append(department.name)
                else:
                    yield f"departments.yaml の「{department.name}」の中分類「{theme} > {name}」は themes.yaml にありません。"
    for (theme, name), departments in owners.items():
        if len(departments) > 1:
            yield f"中分類「{theme} > {name}」を受け持つ所管課が {len(departments)} つあります（{'、'.join(departments)}）。"
        elif not departments and theme not in whole:
            yield f"中分類「{theme} > {name}」を受け持つ所管課がありません。"
