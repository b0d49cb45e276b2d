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
    r"^(?:(?:お手数|お手間|ご面倒|ご多忙|お忙しい|恐縮|恐れ入り|おそれいり|勝手なお願い|すみません|申し訳)"
    r"[^。]{0,14}?(?:が|けど|けれども?|ところ|中)[、　 ]*)?"
    r"(?:どうか|どうぞ|何とぞ|何卒|以上、?|では、?|それでは、?|とにかく|早急に|至急|一日も早く|早めに|ぜひ|是非|引き続き)?[、　 ]*"
    r"(?:(?:ご|御)?(?:対応|検討|善処|配慮|理解|協力|確認|調査|指導|改善|一考|高配|尽力)(?:の(?:ほど|程))?[、を]?(?:何とぞ|何卒|どうか|ぜひ)?)?"
    r"[、　 ]*(?:よろしく|宜しく)?(?:お願い|御願い|願い|お頼み)(?:いた|致|申し?上げ)?(?:し)?"
    r"(?:します|いたします|致します|です|申し?上げます|たい)[^。]{0,6}[。！!]?$|"
    r"^(?:匿名|内密|内緒|電話|メール|郵送|手紙|書面)(?:で|に)お願い|^お願い(?:ごと|事|ばかり)"
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
_WH_END = re.compile(
    r"(?:でしょう[。？?]?$|(?:か|の)(?:[？?。]|$|、?との(?:こと|話)|(?:も|を|は)?(?:分から|わから|不明|はっきり|知り|説明|示し|明らか|お示し|公表|知らせ)))"
)
_PLAIN_QUESTION = re.compile(
    r"(?:ある|ない|いる|できる|なる|もらえる|使える|要る|よい|いい|買える|受けられる|払える|見られる|借りられる|行ける|必要)(?:の)?か[。？?]?$"
)
# What was said, told or asked for before isn't asked for now.
_PAST = re.compile(
    r"(?:教えて|知らせて|説明して)(?:いただい|もらっ|くださっ|くれ)た|お願いした(?:翌|日|とき|時|件|方|人|場所|箇所)|(?:要望|希望)(?:した|していた)(?:の|件|が|とおり)"
)
# To be told, whatever the verb.
_TELL = re.compile(
    r"(?:知らせて|お知らせ|はっきりさせて|(?:お|ご)?説明(?:を|が|して)?|示して|(?:お|ご)?聞かせ|明らかにして|公表して|(?:お|ご)?答え(?:て|を)?|(?:お|ご)?回答(?:を|して)|(?:お|ご)?返答(?:を|して)|"
    r"(?:お|ご)?教示)[、を]?(?:ください|下さい|くれ|ほしい|欲しい|もらい|いただ|頂|願い|お願い|求め)|(?:か|かどうか|点|件|こと|の)(?:を|か|、)?(?:伺|うかが|お尋ねし|確認した|確かめた)|(?:の|る|い|た)か(?:を|、)?知りた[いく]"
)
_WISH = re.compile(
    r"[てで](?:もらえ|貰え|いただけ|頂け|くれ)(?:ます|る)か|[てで](?:くださる|くれる|もらえる|いただける)と[^。]{1,14}|[てで](?:いただけ|もらえ|頂け|くれ)(?:たら|れば)(?:と|なあ)|(?:を|が)(?:望み|望んで)|(?:こと|よう|を)(?:を|に)?(?:提案|提言)(?:し|いたし)|"
    r"(?:ご|御)?検討(?:を)?(?:して)?(?:ください|下さい|いただ|を?お?願)|何とかして(?:ください|下さい|ほしい|くれ)"
)
_CAN_NOT = re.compile(r"(?:[えけせてねべめれげ]|られ|でき|出来)(?:ない|ません)(?:もの)?(?:でしょうか|だろうか|か)[。？?！!]*$")
_SHOULD = re.compile(r"べきで(?:は|しょう)|(?:ては|たら|れば)(?:どう|いかが)(?:です|でしょう|か)")
# Whether one may have something from the city is a question, however it is asked.
_ENTITLED = re.compile(r"(?:もらえる|いただける|してくれる)(?:の|もの)?(?:です|でしょう)?か[。？?]*$")
_REPROACH = re.compile(
    r"(?:いったい|一体)[^。]{0,24}(?:考え|思って|つもり|何をして)|(?:税金|市民)を(?:何|なん)だと|何のための|誰のための|恥ずかし|だと思って(?:い)?る(?:の|ん)|"
    r"つもり(?:な|です|でしょ)|いつまで[^。]{0,20}(?:放置|待た|我慢|放って|続け(?:る|させる)|ほったらかし)|(?:死|けが|怪我|事故)[^。]{0,14}(?:から|まで)[^。]{0,12}(?:か|遅)|"
    r"ではない(?:で|だろう|のでしょう)[^。]{0,4}か|ものですか|ありえま|信じられ|わけがない|と(?:で)?も(?:言う|いう|思って)|いい加減|"
    r"と(?:言|い)える(?:の|ん)|態度(?:です|なの)|気が(?:ある|ない)の|(?:思う|言える|できる|納得する|喜ぶ)人が(?:い|ど)|(?:こんな|それ|これ)(?:こと)?で(?:いい|よい|良い)|"
    r"と(?:言|い)うの(?:です)?か|(?:だれ|誰)が[^。]{1,20}(?:喜|望|得|信|納得)|^どうせ|ないのでしょう[。!！]*$|^(?:なん|何)と[^。]{1,12}でしょう"
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
    plain = _PAST.sub("", sentence.strip())
    if _MANNERS.match(plain) or _ABOUT_THE_ANSWER.match(plain):
        return None
    if _TELL.search(plain) or _TOLD.search(plain) or _ENTITLED.search(plain):
        return Wants.KNOW
    if _TOLD_WISH.search(plain) or _SHOULD.search(plain):
        return Wants.DO
    return None if _REPROACH.search(plain) and not _REASON.search(plain) else _asks(plain)


def _asks(sentence: str) -> Wants | None:
    if _CAN_NOT.search(sentence) and not _WH.search(sentence):
        return Wants.DO
    if asks_to_know(sentence) or _PLAIN_QUESTION.search(sentence) or (_WH.search(sentence) and _WH_END.search(sentence)):
        return Wants.KNOW
    return Wants.DO if asks_for(sentence) or _WISH.search(sentence) else None


def _found(voice: str, places: Sequence[tuple[int, int]]) -> Iterator[Question]:
    for number, (start, end) in enumerate(places):
        kind = wants(voice[start:end])
        if kind is None:
            continue
        short = _content_words(voice[start:end]) < _ENOUGH_WORDS
        yield Question(start, end, kind, about=places[number - 1][0] if short and number else start)


def _content_words(sentence: str) -> int:
    return sum(1 for token in tokenize(sentence) if token.part & Part.CONTENT and not token.part & Part.VAGUE)
