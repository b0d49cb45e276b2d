"""Sentences of a text, and which of them ask for something or ask to know something."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 300
_END = re.compile(r"[。！？!?\n]+[」』）)]*|(?<=[一-龥ぁ-んァ-ヶ])\.(?=\s|$)")
_SOFT = re.compile(r"[、，,\s]")

_REQUEST = re.compile(
    r"[てで](?:ほしい|欲しい)(?!人|方[がはも]|とき|時|場合|もの|物|の(?:では|じゃ)|わけ|訳|とは|とまで)|て(?:ほしく|欲しく)(?!な)|[てで](?:(?:ください|下さい)(?!まし|ます|ませんでし)|くださる(?:よう|と)|くださいま)|"
    r"[てで](?:頂|いただ|もら|貰)(?:き|い)?(?:たい|たく(?!な))|[てで](?:いただけ|頂け|もらえ|貰え|くれ)(?:(?:ない|ません|ないもの)(?:か|でしょうか|だろうか)|(?:れば|ば|ると|たら|ましたら|ますと)[^。]{0,10}(?:助か|うれし|嬉し|ありがた|有難|有り難|幸い|良い|いい|よい|安心|便利))|"
    r"[てで]くれ(?:[。！!、\s]|よ|$)|お願い(?!した(?:のに|が|けど|ところ|けれど|にも|ら)|しました|して(?:い|おり|き)|に(?:行|伺|あが))|願います|(?:する|す|う|く|ぐ|つ|ぶ|む|る|な|の)べき|"
    r"必要(?:だ|です|が(?:ある|あり)|と(?:思|考)|では|である|かと|性(?:が|を))|求め(?:ます|る(?![声人方こ])|たい|て(?:い|お)?ます)|"
    r"希望(?:します|する(?!人|方|者|場)|いたし|致し|しています|です)|要望(?:します|する|いたし|です)|(?:が|も|は|を|の)(?:ほしい|欲しい|ほしかっ|欲しかっ)(?!もの)|"
    r"なりませんか|できませんか|できないもの(?:か|でしょうか)|(?:たら|ては|れば|は)(?:どう|いかが)(?:です|でしょ|か)|検討(?:を|して|願|お願い)|"
    r"(?:(?<!だっ)て|んで|いで|しろ|せよ|くれ|やめろ|なさい|頼む|頼みます|ちょうだい|頂戴)(?:ね|よ|よね)?[。！!」』]*$"
)
_NO_REQUEST = re.compile(
    r"必要(?:では|じゃ|は|が|も)?(?:ない|ありません|なく|なかった)|必要(?:でしょう|です|が?あるのでしょう|が?あります|が?あるの)か[？?。]?$|(?:ください|下さい|ほしい|欲しい|くれ)」?(?:と|って)(?:言|云|いわ|いう|紙|書(?:い|か)|渡|張|貼|申す|頼ま)|お願いしても|(?:思|感じ|考え|困|助か|驚|泣|怒)[^。]{0,3}って[。！!]*$|について[。！!]*$|(?:そし|はじめ|初め|あらため|改め|として|にとっ|によっ|に対し|続い|せっかく|決し|大し|すべ|全|けっし)て[。！!]*$"
)

# What others said: 「車を売ってください」と言われた.
_QUOTED = re.compile(r"「[^」]*」?(?!と(?:の|い?う)?(?:こと|要望|申し?出|意見|声|お願い|希望|思))")
_POLITE = re.compile(r"(?:です|ます|ません|でしょう|ました|でした|ましょう)か(?:ね|？|\?|。|！|!|\s|$)")
_MARK = re.compile(r"(?<=[ぁ-んァ-ヶ一-龥ーa-zA-Z0-9])(?<!ですね)(?<!ますね)(?<!よね)[?？]\s*[」』）)]*$")
_PLAIN = re.compile(r"(?:の|のだろう|だろう|んだろう)か(?:[？?。]|$)|かな[？?。]?$|かしら")
_TEACH = re.compile(
    r"教えて(?:ください|下さい|ほしい|欲しい|いただ|頂|もら|くれ(?!た|て|る)|[。！!]|$)|知りたい|(?:伺|うかが|お聞き|お尋ね|質問|問い合わせ)(?:い)?(?:たい|します|いたします|です)"
)
_ASKING = re.compile(r"いつ|どこ|どちら|どれ|どの|どんな|どう|なぜ|何故|なんで|何で|誰|だれ|いくら|何時|何歳|何日|何人|何を|いくつ")
_RHETORICAL = re.compile(
    r"という(?:の|つもり)|つもり(?:です|なの|なん|でしょう)[^。]{0,3}か|いったい|一体|誰のため|誰の(?:ため|金|税)|何のため|何を(?:考え|して(?:い)?る|やって)|恥ずかし|いい加減|いつまで|どうして[^。]{0,20}なければ|"
    r"(?:では|じゃ)(?:ない|ありません)(?:でしょう|の(?:です)?)?か|のではないか|ばかりではないか|おかしくない|ひどくない|ものか|とでも|わけですか|と言うのか|いかがなもの|馬鹿に|責任を(?:取|と)|ない(?:ん|の)ですか|ではございません|気持ち(?:が|を)(?:わか|分か|考え)|ものですか"
)
_ASKS_TO_DO = re.compile(
    r"[てで](?:もらえ|貰え|いただけ|頂け|くれ|ください|下さい)[^。]{0,6}か|なりませんか|できませんか|できないもの|(?:たら|ては|れば|は)(?:どう|いかが)(?:です|でしょ|か)|ないものか"
)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """The sentences of a text as (start, end), signs at the end included, blanks at both ends left out. None is longer than ``LONGEST``."""
    start = 0
    for match in _END.finditer(text):
        yield from _pieces(text, start, match.end())
        start = match.end()
    yield from _pieces(text, start, len(text))


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LONGEST:
        breaks = [match.end() for match in _SOFT.finditer(text, start + LONGEST // 2, start + LONGEST)]
        cut = breaks[-1] if breaks else start + LONGEST
        yield from _trimmed(text, start, cut)
        start = cut
    yield from _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        yield start, end


def _blank(match: re.Match[str]) -> str:
    return "　" * len(match[0])


def asks_for(sentence: str) -> bool:
    """Whether a sentence asks that something be done, kept or stopped."""
    return bool(_REQUEST.search(_NO_REQUEST.sub("", _QUOTED.sub(_blank, sentence))))


def asks_to_know(sentence: str) -> bool:
    """Whether a sentence is a question that wants an answer: not a reproach in a question's clothes, nor a request (〜てもらえませんか)."""
    sentence = _QUOTED.sub(_blank, sentence)
    if _TEACH.search(sentence):
        return True
    if _ASKS_TO_DO.search(sentence):
        return False
    if _RHETORICAL.search(sentence) and not re.search(r"なぜ|どうして[^。]{0,30}でしょう", sentence):
        return False
    if _POLITE.search(sentence) or _MARK.search(sentence):
        return True
    return bool(_PLAIN.search(sentence)) and bool(_ASKING.search(sentence)) and not sentence.rstrip("。").endswith("のか")
