"""What a voice wants answered: the sentences that ask to know something, and those that ask for something to be done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nlp.japanese import Part, tokenize
from nlp.opinions.sentences import asks_for, asks_to_know, sentences

# A sentence of fewer content words than this speaks of what the one before it tells (水道代が三倍です。なぜですか。).
_ENOUGH_WORDS = 2
# What is asked of those who answer, not of the city's work: it needs no answer of its own.
_ABOUT_THE_ANSWER = re.compile(
    r"^[^。]{0,24}(?:ご|お|御)?(?:回答|返事|返答|返信|連絡|折り?返し|お電話)[^。]{0,16}"
    r"(?:お願い|ください|下さい|いただけ|いただき|頂け|頂き|ほしい|欲しい|待ち|希望|幸い|結構)"
)
_MANNERS = re.compile(
    r"^(?:どうか|どうぞ|何とぞ|何卒|以上、?|では、?|それでは、?|とにかく|早急に|至急|一日も早く|早めに|ぜひ|是非|引き続き)?[、　 ]*"
    r"(?:(?:ご|御)?(?:対応|検討|善処|配慮|理解|協力|確認|調査|指導|改善|一考|高配|尽力)(?:の(?:ほど|程))?[、を]?(?:何とぞ|何卒|どうか|ぜひ)?)?"
    r"[、　 ]*(?:よろしく|宜しく)?(?:お願い|御願い|願い|お頼み)(?:いた|致|申し?上げ)?(?:し)?"
    r"(?:します|いたします|致します|です|上げます|たい|まする)[^。]{0,6}[。！!]?$"
)
# The one who took the call tells what was asked.
_TOLD = re.compile(
    r"(?:か|の?(?:可否|有無|方法|理由|時期|場所|見通し|予定|対象|費用|手続き?|必要書類))(?:との|を(?:知りたい|教えて)|について(?:の)?|という|、(?:との)?)?"
    r"[^。]{0,6}(?:問い?合わ?せ|(?:ご|御)?質問|お尋ね|ご照会|相談)(?:あり|です|でした|を(?:受け|いただ)|が(?:あり|あった)|。|$)"
)
_TOLD_WISH = re.compile(
    r"(?:ほしい|欲しい|たい|もらえないか|いただきたい|くれ)(?:と|との|という|旨)[^。]{0,8}(?:こと|話|要望|依頼|意見|希望|訴え|申し?出|強い|主張|電話|相談)"
)
_WH = re.compile(r"いつ|どこ|どちら|どれ|どの|どんな|どう|なぜ|何故|なんで|誰|だれ|いくら|何[時歳日人年月回度階分科枚か]|いくつ|どなた")
_WH_END = re.compile(r"(?:か|の)(?:[？?。]|$|(?:も|を|は)?(?:分から|わから|不明|はっきり|知り|説明|示し|明らか|お示し|公表|知らせ))")
_PLAIN_QUESTION = re.compile(
    r"(?:ある|ない|いる|できる|なる|もらえる|使える|要る|よい|いい|買える|受けられる|払える|見られる|借りられる|行ける|必要)(?:の)?か[。？?]?$"
)
_REPROACH = re.compile(
    r"(?:いったい|一体)[^。]{0,24}(?:考え|思って|つもり|何をして)|(?:税金|市民)を(?:何|なん)だと|何のための|誰のための|恥ずかし|だと思って(?:い)?る(?:の|ん)|"
    r"つもり(?:な|です|でしょ)|いつまで[^。]{0,20}(?:放置|待た|我慢|放って|続け(?:る|させる)|ほったらかし)|死ぬまで待|(?:人|子ども|だれか|誰か)が(?:死|けが|怪我|事故)[^。]{0,14}(?:から|まで)|"
    r"ではない(?:で|だろう|のでしょう)[^。]{0,4}か|ものですか|ありえま|信じられ|わけがない|と(?:で)?も(?:言う|いう|思って)|いい加減"
)
_REASON = re.compile(r"なぜ|何故|どうして|理由")


class Wants(StrEnum):
    """Whether a sentence asks to know something, or that something be done."""

    KNOW = "know"
    DO = "do"


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence of a masked voice that wants an answer, [start, end); what it speaks of begins at ``about``, maybe a sentence earlier."""

    start: int
    end: int
    wants: Wants
    about: int

    def text(self, voice: str) -> str:
        """The sentence itself."""
        return voice[self.start : self.end]

    def subject(self, voice: str) -> str:
        """The sentence with what it needs to be understood."""
        return voice[self.about : self.end]


def questions(voice: str) -> tuple[Question, ...]:
    """The sentences of a masked voice that want an answer, in its order.

    Reproaches in a question's clothes aren't among them, nor what is only asked of the answer (お返事をください, よろしくお願いします).
    """
    places = list(sentences(voice))
    return tuple(_found(voice, places))


def wants(sentence: str) -> Wants | None:
    """What a sentence wants; ``None`` where it only tells."""
    plain = sentence.strip()
    if _MANNERS.match(plain) or _ABOUT_THE_ANSWER.match(plain):
        return None
    if _TOLD_WISH.search(plain):
        return Wants.DO
    if _TOLD.search(plain):
        return Wants.KNOW
    if _REPROACH.search(plain) and not _REASON.search(plain):
        return None
    if asks_to_know(plain) or _PLAIN_QUESTION.search(plain) or (_WH.search(plain) and _WH_END.search(plain)):
        return Wants.KNOW
    return Wants.DO if asks_for(plain) else None


def _found(voice: str, places: Sequence[tuple[int, int]]) -> Iterator[Question]:
    for number, (start, end) in enumerate(places):
        kind = wants(voice[start:end])
        if kind is None:
            continue
        short = _content_words(voice[start:end]) < _ENOUGH_WORDS
        yield Question(start, end, kind, about=places[number - 1][0] if short and number else start)


def _content_words(sentence: str) -> int:
    return sum(1 for token in tokenize(sentence) if token.part & Part.CONTENT and not token.part & Part.VAGUE)
