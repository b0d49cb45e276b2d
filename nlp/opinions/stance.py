"""For or against: what a voice says of the change that it is about, by explicit words first and by its judgements second.

The stance is towards the change on the table. Who asks that something be kept (存続, なくさないで) is against its end and is
counted as 反対, together with those who write 廃止に反対; who asks for a change (進めてほしい) is for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from nlp.opinions.polarity import Polarity, lexicon

CERTAIN = 0.5
"""Below this confidence a voice is neither for nor against."""


class Side(StrEnum):
    """For, against, or neither."""

    FOR = "賛成"
    AGAINST = "反対"
    NEITHER = "どちらでもない"


class Judged(NamedTuple):
    """A pair as the stance needs it: offsets of the topic's start and the predicate's in the text."""

    topic: str
    topic_start: int
    start: int
    end: int
    polarity: Polarity


@dataclass(frozen=True, slots=True)
class Stance:
    """A side, how sure (0–1), and the spans (start, end) of the words that decided it."""

    side: Side
    confidence: float
    words: tuple[tuple[int, int], ...]


class _Cue(NamedTuple):
    weight: float  # > 0 for, < 0 against
    start: int
    end: int


_ASK = (
    r"(?:(?:して|て|で|を|に)?(?:ほしい|欲しい|下さい|ください|頂きたい|いただきたい|いただけ|もらいたい|もらえ)|"
    r"を?(?:強く|切に)?(?:お願い|希望|求め|要望|望み|望む|願い|願う)|すべき|るべき|しろ|せよ|めろ)"
)
_CHANGE = re.compile(
    r"計画|構想|条例|[^提]案(?!内|件|外)|事業|制度|政策|施策|方針|有料化|無料化|無償化|民営化|統合|統廃合|合併|廃止|廃校|閉鎖|閉館|"
    r"値上げ|値下げ|移転|建設|建て替え|建替え|新設|新築|増設|整備|再開発|開発|導入|設置|誘致|再編|見直し|削減|縮小|撤去|売却|義務化|"
    r"デジタル化|オンライン化|委託|一本化|複合化|公募|補助金|給付|予算|新しい|新たな|施設|ホール|庁舎|タワー|センター|会館|スタジアム|"
    r"アリーナ|メガソーラー|風力|処分場|処理場"
)
_VOTE = re.compile(r"(?P<strong>断固|絶対(?:に)?|強く|大いに|心から|全面的に)?(?P<vote>大賛成|大反対|賛成|反対)")
# 道路の反対側, 反対運動, 賛成の声: of a place, or others' votes.
_NOT_A_VOTE = re.compile(
    r"に、|側|車線|方向|運動|派|向き|方面|岸|の道|の歩道|語|車|の端|票|多数|意見|論|の声|"
    r"(?:の|する|している)(?:人|方|者|住民|市民|声|意見)|者|署名|集会|を(?:もら|得|いただ|取)|され"
)
_TURNED = re.compile(
    r"(?:と?は?(?:し|でき|いたし|致し|出来)(?:ない|ません|かね|兼ね)|(?:では|じゃ)(?:ない|ありません|なく)|しかね|しがたい)|"
    r"(?:は|も)?(?:でき|出来)(?:ない|ません)"
)
_NO_VOTE_AT_ALL = re.compile(
    r"し(?:とら|て(?:い)?)(?:ん|ない|ません|ぬ)|(?:して|する)(?:いる|る)?(?:わけ|訳)で(?:は|も)|(?:する|の)理由|(?:では|じゃ|で)(?:は|も)?(?:ない|ありません|なく)|というわけ|なら|ならば"
)
_REPORTED = re.compile(
    r"(?:という|との|と言う)(?:人|方|声|意見|話)|(?:だ|する|している|らしい)?(?:そう(?:です|だ)|らしい|と聞|と言って|と話)|"
    r"ですか|でしょうか|かどうか|か[?？。]|[?？]"
)
_BOTH = re.compile(
    r"賛成でも(?:なく|なければ)?、?反対でも|反対でも(?:なく|なければ)?、?賛成でも|賛成とも反対とも|反対とも賛成とも|賛成も反対も|"
    r"どちらとも(?:言え|いえ)|どちらでもない"
)
_NOT = r"(?:ない|ません)"
_WELCOME = (
    r"(?:楽しみに|期待)して(?:い|お)?(?:る|ます|り)|歓迎(?:し|です|だ)|評価(?:し(?:ます|たい|て(?:い|お)?(?:る|ます|り))|でき(?:る|ます))|"
    r"良い(?:案|計画|取り組み|試み|制度|事業)|ありがたい(?:制度|事業|施設)"
)
_KEEP = r"(?:なくさ|無くさ|廃止し|閉鎖し|閉め|壊さ|減らさ|統合し|売ら|移さ|やめ|つぶさ|潰さ|切ら|変え)ない"
_NEEDLESS = (
    r"いらない|要らない|いりません|要りません|不要(?:です|だ|では|と|。|$)|"
    r"(?<![るうくすつぬむぶぐた])必要(?:は|が|も|性は|性が)?(?:ない|無い|ありません|あるのか|感じ(?:ない|ません))|意味が?(?:ない|ありません)|"
    r"無駄(?:です|だ|遣い|づかい|。|$)|税金の(?:無駄|ムダ)"
)
_REFUSE = (
    r"(?:納得|容認|理解|支持|賛同)(?:は|が)?(?:でき|いたし|し)(?:ない|ません|かね)|"
    rf"(?:認められ|許せ|許され|受け入れられ){_NOT}"
)
_AGREE = r"支持(?:し(?:ます|たい|て)|です)|賛同(?:し(?:ます|たい)|です)|異論(?:は|も)?(?:ない|ありません)"


class _Rule(NamedTuple):
    words: re.Pattern[str]
    weight: float
    needs_change: bool  # only in a sentence that names a change


_RULES = (
    _Rule(re.compile(rf"(?:進め|推し進め|推進|実現|実施し?|続け|継続し?){_ASK}"), 0.7, needs_change=False),
    _Rule(re.compile(r"(?:早く|早期に|ぜひ|是非|どんどん)[^。]{0,12}(?:実現|実施|導入|整備|完成)"), 0.6, needs_change=True),
    _Rule(re.compile(_WELCOME), 0.6, needs_change=True),
    _Rule(re.compile(_AGREE), 0.65, needs_change=False),
    _Rule(re.compile(rf"(?:存続|維持|残し|残す|守っ|{_KEEP}){_ASK}"), -0.7, needs_change=False),
    _Rule(re.compile(rf"(?:中止|撤回|白紙(?:に)?(?:戻し?|撤回)?|やめ|止め|辞め|取りやめ|取り止め|断念){_ASK}"), -0.7, needs_change=False),
    _Rule(re.compile(rf"(?:廃止|撤去){_ASK}"), -0.6, needs_change=True),
    _Rule(re.compile(_NEEDLESS), -0.65, needs_change=True),
    _Rule(re.compile(_REFUSE), -0.65, needs_change=True),
)
_OBJECT = re.compile(r"([一-龥ぁ-んァ-ヶー々]{1,12})(?:を|は|の)(?:すぐに|今すぐ|直ちに|早く|ぜひ|絶対に|一刻も早く)?$")
_TURNS = re.compile(r"が、|けれど|けど|しかし|でも、|ただ|とはいえ|私は|個人的に")
# 建て替えができない: what can't be had isn't unwelcome.
_CANNOT = re.compile(r"な[いくかけ]|ません|ん$|ず$")
_NEW = re.compile(r"(?:新しい|新たな|今度の|新)$")


def stance(text: str, spans: Sequence[tuple[int, int]], judged: Sequence[Judged]) -> Stance:
    """The stance of a text, given its sentences and its pairs."""
    cues = [cue for start, end in spans for cue in _cues(text[start:end], start)]
    if not cues:
        cues = list(_by_judgements(text, judged))
    return _weighed(text, cues)


def _weighed(text: str, cues: Sequence[_Cue]) -> Stance:
    plus = [cue for cue in cues if cue.weight > 0]
    minus = [cue for cue in cues if cue.weight < 0]
    if plus and minus:
        plus, minus = _settled(text, plus, minus)
    decisive = plus or minus
    if not decisive:
        return Stance(Side.NEITHER, 0.0, ())
    strongest = max(abs(cue.weight) for cue in decisive)
    confidence = round(min(0.95, strongest + 0.05 * (len(decisive) - 1)), 2)
    if confidence < CERTAIN:
        return Stance(Side.NEITHER, confidence, ())
    words = tuple(sorted({(cue.start, cue.end) for cue in decisive}))
    return Stance(Side.FOR if plus else Side.AGAINST, confidence, words)


def _settled(text: str, plus: list[_Cue], minus: list[_Cue]) -> tuple[list[_Cue], list[_Cue]]:
    """Where a text has both: what comes last after a turn (しかし, 私は) holds, or what is clearly stronger; else neither."""
    last_plus, last_minus = max(cue.start for cue in plus), max(cue.start for cue in minus)
    early, late = sorted((last_plus, last_minus))
    if _TURNS.search(text, early, late):
        return (plus, []) if last_plus > last_minus else ([], minus)
    weight_plus, weight_minus = max(cue.weight for cue in plus), -min(cue.weight for cue in minus)
    if abs(weight_plus - weight_minus) >= 0.15:
        return (plus, []) if weight_plus > weight_minus else ([], minus)
    return [], []


def _cues(sentence: str, offset: int) -> Iterator[_Cue]:
    if _BOTH.search(sentence):
        return
    yield from _votes(sentence, offset)
    names_change = bool(_CHANGE.search(sentence))
    for rule in _RULES:
        for match in rule.words.finditer(sentence):
            if rule.needs_change and not names_change:
                continue
            if _REPORTED.match(sentence, match.end()) or _of_a_nuisance(sentence[: match.start()]):
                continue
            yield _Cue(rule.weight, offset + match.start(), offset + match.end())


def _of_a_nuisance(before: str) -> bool:
    """Whether the thing to be stopped is a nuisance (騒音, 歩きたばこ): nobody is for it, so that it is no stance."""
    named = _OBJECT.search(before)
    return named is not None and lexicon().is_nuisance(named[1])


def _votes(sentence: str, offset: int) -> Iterator[_Cue]:
    for match in _VOTE.finditer(sentence):
        rest = sentence[match.end() : match.end() + 24]
        if _NOT_A_VOTE.match(rest):
            continue
        weight = 0.9 if match["strong"] or match["vote"].startswith("大") else 0.85
        sign = 1.0 if match["vote"].endswith("賛成") else -1.0
        end = match.end()
        if turned := _TURNED.match(rest):
            if sign < 0:
                continue
            sign, end = -1.0, match.end() + turned.end()
        elif _NO_VOTE_AT_ALL.match(rest) or _REPORTED.search(rest.partition("、")[0]):
            continue
        yield _Cue(sign * weight, offset + match.start(), offset + end)


def _by_judgements(text: str, judged: Sequence[Judged]) -> Iterator[_Cue]:
    """Judgements of a change itself (値上げは困る, 新しいバスは便利) tell, a little, whether it is welcome."""
    for pair in judged:
        if pair.polarity is Polarity.NEUTRAL or _CANNOT.search(text[pair.start : pair.end]):
            continue
        if _CHANGE.search(pair.topic) or _NEW.search(text[max(0, pair.topic_start - 3) : pair.topic_start]):
            yield _Cue(0.55 if pair.polarity is Polarity.POSITIVE else -0.55, pair.start, pair.end)
