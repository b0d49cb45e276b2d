"""What the acts of the audit trail are called in Japanese. A test holds this table to what the program records."""

from __future__ import annotations

from collections.abc import Mapping

from api.desk.view import FILTERS
from api.job_kinds import TITLES
from api.timeline_words import POST
from api.words import FACET, ROLE, STEP_NAME
from loop import answers, cases, clock, originals, recount
from loop.steps import STEPS, Step

ACTIONS: Mapping[str, str] = {
    **{step.value: f"案件: {rule.name}" for step, rule in STEPS.items()},
    "audit.verify": "監査記録を確かめた",
    "digest.send": "毎朝の知らせを送った",
    "export": "書き出した",
    "file.open": "案件のファイルを開いた",
    "import.cancel": "取込をやめた",
    "import.finish": "取り込んだ",
    "import.undo": "取込の取消を頼んだ",
    "import.undone": "取込を取り消した",
    "job.cancel": "処理を取り消した",
    "job.create": "処理を頼んだ",
    "job.retry": "処理をやり直した",
    "key.add": "API キーを作った",
    "key.read": "API キーで読んだ",
    "key.revoke": "API キーを止めた",
    "keys.rotate": "暗号鍵を入れかえた",
    "label.set": "分類を変えた",
    "label.undo": "分類の変更を取り消した",
    "mailbox.move": "メールを移した",
    "mapping.save": "列の対応表を保存した",
    "note.read_original": "メモの原文を見た",
    "password.failed": "いまのパスワードを間違えた",
    "reject.discard": "取り込めなかった行を破棄した",
    "reject.export": "取り込めなかった行を書き出した",
    "reject.open": "取り込めなかった行を開いた",
    "reject.retry": "取り込めなかった行を直した",
    "senders.blind": "送り主の印を作りなおした",
    "sign_in": "ログインした",
    "sign_in.failed": "ログインに失敗した",
    "sign_in.refused": "ログインを断った",
    "sign_out": "ログアウトした",
    "topics.fit": "話題を作った",
    "topics.merge": "話題をまとめた",
    "topics.move": "声を別の話題に移した",
    "topics.pin": "話題をことばで留めた",
    "topics.rename": "話題の名前を変えた",
    "topics.split": "話題を分けた",
    "topics.unmerge": "まとめた話題を戻した",
    "topics.unpin": "話題を留めたことばを外した",
    "topics.unmove": "移した声を戻した",
    "topics.update": "話題に声を入れた",
    "upload.discard": "送ったファイルを捨てた",
    "upload.keep": "ファイルを送った",
    "upload.view": "送ったファイルを見た",
    "user.add": "利用者を加えた",
    "user.change": "利用者を変更した",
    "user.city": "利用者を市の認証に移した",
    "user.close": "利用者の利用を止めた",
    "user.own_password": "自分のパスワードを変えた",
    "user.password": "利用者に最初のパスワードを付けた",
    "user.reopen": "利用者の利用を再開した",
    "user.unlock": "利用者のログインの停止を解いた",
    "view.delete": "保存した一覧の条件を消した",
    "view.save": "一覧の条件を保存した",
    "voice.read_original": "原文を見た",
    "voices.search": "ことばで検索した",
}

SUBJECTS: Mapping[str, str] = {
    "audit": "監査記録",
    "batch": "取込",
    "case": "案件",
    "day": "日",
    "desk": "受付一覧",
    "job": "処理",
    "key": "API キー",
    "keys": "暗号鍵",
    "sign_in": "ログイン",
    "topic": "話題",
    "trends": "話題と動き",
    "upload": "送ったファイル",
    "user": "利用者",
    "view": "保存した一覧",
    "voice": "声",
}

DETAILS: Mapping[str, str] = {
    **FILTERS,
    "act": "扱い",
    "also": "関係課",
    "because": "期限が変わったわけ",
    "broken_at": "つながらない番号",
    "by": "ログインのしかた",
    "chain": "決裁の順",
    "changed": "変えた項目",
    "checked": "確かめた件数",
    "conditions": "条件",
    "count": "件数",
    "day": "日",
    "delivery": "送り方",
    "department": "課",
    "display_name": "画面に出る名前",
    "draft": "回答案の番号",
    "duplicates": "重複",
    "email": "メールアドレス",
    "facet": "項目",
    "failed": "失敗",
    "fields": "読んだ項目",
    "file": "ファイルの番号",
    "first": "最初のログイン",
    "format": "形式",
    "found": "件数",
    "from": "前",
    "imported": "取り込んだ件数",
    "in_place": "代決",
    "into": "まとめた先の番号",
    "locked": "停止",
    "marks": "ことばの印",
    "masked": "伏せたところ",
    "media": "ファイルの形式",
    "note": "メモの番号",
    "on": "日",
    "path": "あて先",
    "position": "職位",
    "read": "読んだ件数",
    "reason": "理由",
    "receipt": "受付番号",
    "reject": "行の番号",
    "rejected": "取り込めなかった件数",
    "removed": "消したファイルの番号",
    "role": "役割",
    "round": "決裁の回",
    "row": "行",
    "rows": "行数",
    "scopes": "できること",
    "sent": "送った件数",
    "size": "大きさ（バイト）",
    "skipped": "飛ばした段",
    "stood": "それまでの分類",
    "subtheme": "中分類",
    "taken_over": "自分の担当にした",
    "to": "後",
    "to_person": "担当者も決めた",
    "topics": "話題",
    "undone": "取り消した操作",
    "value": "値",
    "version": "版",
    "voices": "声の件数",
    "words": "ことばの数",
}
SIGN_INS: Mapping[str, str] = {
    "city": "市の認証",
    "city_sign_in": "市の認証につながらない",
    "claims": "市の認証が知らせた役割か課を使えない",
    "denied": "市の認証でとりやめた",
    "inactive": "利用を止めてある",
    "local": "パスワード",
    "oidc_token": "市の認証の答えを確かめられない",
    "state": "ほかの画面からのログイン",
    "unknown": "利用者として登録されていない",
}
"""What stands in the particulars of a sign-in: how it was tried, and why it was refused."""
_HIDDEN = {"step", "ids"}
"""Places in tables that nobody can look up by."""
_VALUES: Mapping[str, Mapping[str, str]] = {
    "act": POST,
    "because": {**{facet.value: name for facet, name in FACET.items()}, recount.INTERIM: "中間回答"},
    "by": SIGN_INS,
    "delivery": {way.value: name for way, name in answers.DELIVERIES.items()},
    "kind": TITLES,
    "fields": {"contact": "連絡先", "original": "原文"},
    "facet": {facet.value: name for facet, name in FACET.items()},
    "role": {role.value: name for role, name in ROLE.items()},
    "undone": STEP_NAME,
}
_REASONS: Mapping[str, Mapping[str, str]] = {
    Step.CLOSE.value: {reason.value: name for reason, name in cases.CLOSE_REASONS.items()},
    Step.HAND_BACK.value: cases.BACK_REASONS,
    Step.REOPEN.value: cases.REOPEN_REASONS,
    Step.PAUSE.value: clock.PAUSE_REASONS,
    "sign_in.refused": SIGN_INS,
    **dict.fromkeys(("voice.read_original", "note.read_original", "file.open"), originals.REASONS),
}


def action(code: str) -> str:
    """An act's name; one of a later or earlier version of the program keeps its code."""
    return ACTIONS.get(code, code)


def subject(code: str) -> str:
    """What an act was done to: 声 12 for voice:12."""
    kind, _, number = code.partition(":")
    return f"{SUBJECTS.get(kind, kind)} {number}".strip()


def detail(values: Mapping[str, object], code: str = "") -> list[tuple[str, str]]:
    """The particulars of the act ``code`` as pairs of words; empty ones are left out."""
    told = {name: value for name, value in values.items() if name not in _HIDDEN and value is not False and value not in (None, "", [], {})}
    names = {**DETAILS, "kind": "処理"} if code == "job.create" else DETAILS
    return [(names.get(name, name), _said(name, value, code)) for name, value in told.items()]


def _said(name: str, value: object, code: str) -> str:
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if isinstance(value, Mapping):
        return "、".join(f"{DETAILS.get(str(inner), str(inner))}: {_said(str(inner), each, code)}" for inner, each in value.items())
    if isinstance(value, list | tuple):
        return "、".join(_said(name, each, code) for each in value)
    known = _REASONS.get(code, {}) if name == "reason" else DETAILS if name == "changed" else _VALUES.get(name, {})
    return known.get(str(value), str(value))
