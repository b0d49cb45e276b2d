"""Signatures and introductions: a run of kanji between two boundaries, beside a phone, at the end of a letter, before です.

The word's points (``lexicon``) and the place's are added; place names and plain words need more from their place.
"""

from __future__ import annotations

import re

from nlp.annotation import PiiSpan
from nlp.pii.clues import Clues
from nlp.pii.evidence import ENOUGH, NOTHING, STRONG, WEAK, Contacts, aged, begins_sentence, introduces, labelled
from nlp.pii.lexicon import CLEAR, family_weight, joined_weight
from nlp.pii.words import KANJI

_SEGMENT = re.compile(
    rf"(?P<run>[{KANJI}ノ](?:(?<=[\n。！？!?」』)、,/:の )(].)|(?<=^.))[{KANJI}ノ]{{0,4}}?)"
    r"(?=$|[\s、。,()/]|です|でした|でございます|と申|より$|より[\n(]|拝(?:$|\s)|@[一-龥ぁ-んァ-ヴ]|へ[、\n])"
)
_GREETING = re.compile(
    r"(?:お世話になっております|お世話になります|お世話になってい?ます|はじめまして|初めまして|こんにちは|こんばんは|おはようございます|"
    r"失礼(?:いた)?します|すみません|恐れ入ります)[、 ]$"
)
# Who one is by where one lives or belongs, at a sentence's beginning: 三丁目の池上です.
_BELONGS = re.compile(
    r"(?:^|[\n。！？!?、])[^はがをもに、。\n]{1,14}"
    r"(?:丁目|町|村|区|市|団地|会|課|班|係|部|店|社|校|組|地区|台|在住|院|園|局|所|館|連合|同盟|クラブ|サークル)の$"
)
_GOES_ON = re.compile("先日|電話|お世話|件|相談|よろしく|ありがとう|連絡|お願い|申し|前回|メール|手紙|伺")
# What a writer says of themselves before their name: 先日電話した山口です.
_OF_ONESELF = re.compile(
    r"(?:越して|引っ越|に住む|継い|申し込|申請|届け|お願い|相談|電話|投稿|連絡|問い合わせ|伺っ|世話に|メール|手紙|通う|通って|勤める|利用)"
    r"[^。、\n]{0,8}[たるだむうす]$"
)
_RUN = re.compile(rf"(?<![{KANJI}])[{KANJI}ノ]{{2,4}}$")
_CALLED = re.compile(
    rf"(?<![{KANJI}])(?P<run>[{KANJI}ノ]{{1,4}})という(?:職員|担当|者|人(?!物像)|方|男|女|先生|ケアマネ|ヘルパー|看護師|医師|係|議員|業者の人|若い)"
)
_WHO_WAS = re.compile(rf"(?:担当者?|相手|対応したの|[たる]のは?)は(?P<run>[{KANJI}ノ]{{2,4}})(?=で(?!は|も)|だ[。と]|と私|さん|です)")
_NOBODY = frozenset({"課長", "係長", "部長", "本人", "市長", "別人", "若者", "住民", "市民"})
_TAIL = 8


def slots(plain: str, contacts: Contacts, clues: Clues) -> list[PiiSpan]:
    """The names that stand between two boundaries; ``plain`` has half-width blanks and punctuation."""
    found = []
    for match in _SEGMENT.finditer(plain):
        start, end = match.span("run")
        run = match["run"]
        weight = clues.family_weight(run, start)
        if not weight and len(run) > 2 and joined_weight(run) >= ENOUGH:
            weight = CLEAR
        if weight and weight + _place_points(plain, start, end, weight, contacts) >= ENOUGH:
            found.append(PiiSpan(start, end, "NAME"))
    return found + _of_oneself(plain) + _spoken_of(plain)


def _spoken_of(plain: str) -> list[PiiSpan]:
    """福島という職員, 担当は蛭田で: words that can only have a person's name beside them."""
    said = list(_CALLED.finditer(plain)) if "という" in plain else []
    if "担当" in plain or "相手は" in plain or "のは" in plain:
        said += _WHO_WAS.finditer(plain)
    return [PiiSpan(*match.span("run"), "NAME") for match in said if family_weight(match["run"]) and match["run"] not in _NOBODY]


def _of_oneself(plain: str) -> list[PiiSpan]:
    found = []
    at = plain.find("です")
    while at >= 0:
        run = _RUN.search(plain, max(0, at - 5), at)
        if run and family_weight(run.group()) and _OF_ONESELF.search(plain, max(0, run.start() - 24), run.start()):
            found.append(PiiSpan(*run.span(), "NAME"))
        at = plain.find("です", at + 2)
    return found


def _place_points(plain: str, start: int, end: int, weight: int, contacts: Contacts) -> int:
    """Points of a segment's place."""
    before, after = plain[start - 1 : start] if start else "", plain[end : end + 1]
    if not before and end + _TAIL >= len(plain):
        return NOTHING  # the word is all there is: an answer, and no signature under one
    if _beside_contact(plain, start, end, contacts):
        return STRONG
    if before == "の":
        return STRONG if end - start > 1 and introduces(plain, end) and _BELONGS.search(plain, max(0, start - 20), start) else NOTHING
    if labelled(plain, start) and (after in {"", "\n", " ", "、", "。", "("} or introduces(plain, end)):
        return STRONG
    if weight < CLEAR and end - start == 1:
        # One kanji that is a plain word as well: who begins with 林です goes on about a call, a matter, a greeting.
        return STRONG if not before and plain.startswith("です", end) and _GOES_ON.search(plain, end, end + 40) else NOTHING
    return _sentence_points(plain, start, end, contacts)


def _beside_contact(plain: str, start: int, end: int, contacts: Contacts) -> bool:
    after = plain[end : end + 1]
    if contacts.ends_before(plain, start):
        return after in {"", "\n", "。", "(", "、", ")"} or introduces(plain, end) or contacts.starts_behind(plain, end)
    return (begins_sentence(plain, start) or plain[start - 1] in ":(") and contacts.starts_behind(plain, end, reach=6)


def _sentence_points(plain: str, start: int, end: int, contacts: Contacts) -> int:
    """Points by the sentence around: who speaks, who signs at the end of a text, of a line."""
    sentence = begins_sentence(plain, start) or bool(_GREETING.search(plain, max(0, start - 16), start))
    speaks = introduces(plain, end) or (plain.startswith("より", end) and contacts.starts_behind(plain, end + 2, reach=4))
    if speaks:
        return STRONG if sentence else WEAK
    if not sentence:
        return NOTHING
    ends_text = end + _TAIL >= len(plain) and not plain[end:].strip()
    if (ends_text and start > 0) or aged(plain, end):
        return STRONG
    return WEAK if plain.startswith("\n", end) and start > 0 and plain[start - 1] != "\n" else NOTHING
