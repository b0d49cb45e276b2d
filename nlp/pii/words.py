"""The word lists behind masking (data/masking/words.yaml), and what every rule shares."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from nlp.japanese import tokenize

WORDS = Path(__file__).resolve().parents[2] / "data" / "masking" / "words.yaml"

_DASHES = "-‐‑‒–—―−－ー─━ｰ"
DASH = f"[{re.escape(_DASHES)}]"
# Inside a character class: the kanji (with 々, 髙, 𠮷 and other rare forms) that names are written in.
KANJI = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff々〆ヶ"


@dataclass(frozen=True, slots=True)
class MaskingWords:
    """The word lists of data/masking/words.yaml."""

    honorifics: frozenset[str]
    jobs: frozenset[str]
    long_jobs: tuple[str, ...]
    job_beginnings: frozenset[str]
    offices_of_places: frozenset[str]
    town_offices: frozenset[str]
    strict_labels: re.Pattern[str]
    strict_label_end: re.Pattern[str]
    kin_words: frozenset[str]
    kin_end: re.Pattern[str]
    before_end: re.Pattern[str]
    before_words: frozenset[str]
    before_any: re.Pattern[str]
    plain_roles: frozenset[str]
    before_last: frozenset[str]
    no_values: re.Pattern[str]
    person_verbs: re.Pattern[str]
    person_moves: re.Pattern[str]
    speech_verbs: re.Pattern[str]
    hearsay: re.Pattern[str]
    belongings: re.Pattern[str]
    meetings: re.Pattern[str]
    person_noun: re.Pattern[str]
    speaks_or_acts: tuple[str, ...]
    speaks_or_acts_anywhere: re.Pattern[str]
    short_surnames: frozenset[str]
    before_name: frozenset[str]
    not_names: frozenset[str]
    things: frozenset[str]
    ends_with_not_name: re.Pattern[str]
    place_suffixes: frozenset[str]
    lands: frozenset[str]
    no_places: frozenset[str]
    surname_followers: frozenset[str]
    public_offices: frozenset[str]
    building: re.Pattern[str]
    dwelling: re.Pattern[str]
    id_label: re.Pattern[str]
    labelled_id: re.Pattern[str]
    neutral_label: re.Pattern[str]


@lru_cache(maxsize=1)
def masking_words() -> MaskingWords:
    """The lists, read once."""
    lists: dict[str, list[str]] = yaml.safe_load(WORDS.read_text("utf-8"))
    before = [*lists["name_labels"], *lists["before_name"], *lists["roles"], *lists["jobs"], *lists["offices_of_places"], *lists["kin"]]
    buildings = "|".join(map(re.escape, lists["buildings"]))
    return MaskingWords(
        honorifics=frozenset(lists["honorifics"]),
        jobs=frozenset(lists["jobs"]),
        # 係長 is two tokens: by the text, and by how the tokenizer begins it.
        long_jobs=tuple(job for job in lists["jobs"] if len(job) > 1),
        job_beginnings=frozenset(tokenize(job)[0].surface for job in lists["jobs"]),
        offices_of_places=frozenset(lists["offices_of_places"]),
        town_offices=frozenset(lists["town_offices"]),
        strict_labels=re.compile(_any_of(lists["name_labels"])),
        strict_label_end=re.compile(f"(?:{_any_of(lists['name_labels'])})(?:\\([ァ-ヴぁ-ん]{{2,5}}\\))?$"),
        kin_words=frozenset(lists["kin"]),
        # One kanji is kin only by itself: not the last of 親子, 女子, 弟子.
        kin_end=re.compile(f"(?:{_kin(lists['kin'])})$"),
        before_end=re.compile(f"(?:{_kin(before)})$"),
        before_words=frozenset(before),
        before_any=re.compile(f"(?:{_kin(before)})" + r"[)\]】]?(?:の|は|が|、|:| |\(|「|・|/){1,2}(?=[\u3400-\u9fffァ-ヴ])"),
        plain_roles=frozenset([*lists["before_name"], *lists["roles"]]) - frozenset(lists["kin"]),
        before_last=_last_tokens(before),
        no_values=re.compile(_any_of(lists["no_values"])),
        person_verbs=re.compile(_any_of(lists["person_verbs"])),
        speech_verbs=re.compile(f"(?:{_any_of(lists['speech_verbs'])})"),
        hearsay=re.compile(f"(?:{_any_of(lists['hearsay'])})"),
        belongings=re.compile(f"(?:{_any_of(lists['belongings'])})"),
        meetings=re.compile(f"(?:に|と)(?:{_any_of(lists['meetings'])})"),
        person_noun=re.compile(f"(?:{_any_of(lists['person_noun_ends'])})$"),
        person_moves=re.compile(_any_of([*lists["person_verbs"], *lists["person_moves"]])),
        speaks_or_acts=(*lists["introductions"], *lists["acts"]),
        speaks_or_acts_anywhere=re.compile(_any_of([*lists["introductions"], *lists["acts"]])),
        short_surnames=frozenset(lists["short_surnames"]),
        before_name=frozenset(lists["before_name"]),
        not_names=frozenset(lists["not_names"]),
        things=frozenset(lists["things"]),
        # One character is too little to speak against a name (方, 人, 王): such a word must be the whole of it.
        ends_with_not_name=re.compile("(?:" + "|".join(re.escape(word) for word in lists["not_names"] if len(word) > 1) + ")$"),
        place_suffixes=frozenset(lists["place_suffixes"]),
        lands=frozenset(lists["lands"]),
        no_places=frozenset(lists["no_places"]),
        surname_followers=frozenset(lists["surname_followers"]),
        public_offices=frozenset(lists["public_offices"]),
        building=_building(buildings),
        # A building where people live: with a room it is an address even without a block (ひまわり荘7号室).
        dwelling=re.compile(f"(?:{_any_of(lists['dwellings'])})"),
        id_label=re.compile(_any_of(lists["id_labels"])),
        labelled_id=_labelled_id(lists["id_labels"], lists["id_labels_with_number"]),
        neutral_label=re.compile(f"(?:{_any_of(lists['neutral_labels'])})[はがの:・、 (「]{{0,3}}(?:[Nn]o\\.?|№)? ?$"),
    )


def _last_tokens(words: list[str]) -> frozenset[str]:
    """What the tokenizer leaves of each word at its end: a text without any of them holds none of the words."""
    ends = {word: tokenize(word)[-1].surface for word in words}
    # 人 and 前 end too much else to be worth a look: of such words only those that are one token count.
    return frozenset(end for word, end in ends.items() if end == word or end not in {"人", "前"})


def _kin(words: list[str]) -> str:
    return "|".join(rf"(?<![\u4e00-\u9fff]){word}" if len(word) == 1 else word for word in sorted(words, key=len, reverse=True))


def _building(buildings: str) -> re.Pattern[str]:
    figure = "[〇零一二三四五六七八九十百]"
    name = rf"[ ,、]?[一-龥ァ-ヶーA-Za-z・]{{0,12}}(?:{buildings})"
    room = (
        rf"(?:(?:[A-Z]|\d{{1,2}}|{figure}{{1,2}})号?棟 ?)?(?:[A-Z]{DASH}?)?"
        rf"(?:\d{{1,4}}|{figure}{{2,4}}|{figure}(?=号))(?:{DASH}[A-Z\d]{{1,4}})?"
        rf"(?!{figure}| ?[年月日時分円人台件本回名個歳才]) ?(?:号室|号|棟|階|F)?(?: ?\d{{2,4}} ?(?:号室|号)?)?"
    )
    return re.compile(rf"{name}[一-龥ぁ-んァ-ヶーA-Za-z・]{{0,10}}? ?{room}|{name}[一-龥ァ-ヶーA-Za-z・]{{0,8}}")


def _any_of(words: list[str]) -> str:
    """An alternation of plain words, the longest first."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


def _labelled_id(labels: list[str], only_with_number: list[str]) -> re.Pattern[str]:
    """A personal number behind its label: 「保険証の番号は」「免許返納済、番号」「診察券」「母子手帳 No.」."""
    alone = [label for label in labels if label not in only_with_number]
    number = r"(?:番号|ばんごう|コード|ナンバー|[Nn]o\.?|NO\.?|№|ID|[Nn]umber(?: is)?|記号(?:と|・|及び)?番号|記号)"
    joint = r"[のはがもを、, :;)】]{0,3}[(「『【]? ?(?:[Nn]o\.?|№)? ?"
    return re.compile(
        rf"(?:(?:{_any_of(labels)})[^\d\n。A-Za-z]{{0,7}}?{number}(?: ?{number})?|(?:{_any_of(alone)})){joint}"
        r"(?P<id>(?:第 ?)?[一-龥]{0,2}(?=[A-Za-z0-9\-・]{0,12}\d)[A-Za-z0-9](?:[A-Za-z0-9]|[\-−‐ー](?=[A-Za-z0-9])){3,23}(?: ?号)?)"
        r"(?![A-Za-z0-9]|[年月日時分円人件枚冊回歳才%割度代階]|[ヶケカか箇]月)"
    )
