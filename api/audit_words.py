"""What the acts of the audit trail are called in Japanese. A test holds this table to what the program records."""

from __future__ import annotations

from collections.abc import Mapping

ACTIONS: Mapping[str, str] = {
    "audit.verify": "監査記録を確かめた",
    "case.answer": "案件: 回答を送った",
    "case.approve": "案件: 決裁した",
    "case.assign": "案件: 担当を決めた",
    "case.attach": "案件: ファイルを付けた",
    "case.close": "案件: 回答せずに終えた",
    "case.confirm": "案件: 内容を確かめた",
    "case.delegate": "案件: 決裁を代わってもらった",
    "case.divide": "案件: 部分の回答を頼んだ",
    "case.draft": "案件: 回答案を書いた",
    "case.finish": "案件: 完了にした",
    "case.fold": "案件: 同文をまとめた",
    "case.hand_back": "案件: 広聴課に戻した",
    "case.interim": "案件: 中間回答をした",
    "case.involve": "案件: 関係課を加えた",
    "case.merge": "案件: まとめた",
    "case.note": "案件: メモを書いた",
    "case.pause": "案件: 期限を止めた",
    "case.post": "案件: 郵送した",
    "case.recount": "案件: 期限を数えなおした",
    "case.relabel": "案件: 分類を変えた",
    "case.release": "案件: 関係課を外した",
    "case.reopen": "案件: 再開した",
    "case.reply": "案件: 課の意見を書いた",
    "case.resume": "案件: 期限を動かした",
    "case.return": "案件: 決裁を差し戻した",
    "case.return_part": "案件: 課の意見を差し戻した",
    "case.split": "案件: 分けた",
    "case.submit": "案件: 決裁に回した",
    "case.undo": "案件: 操作を取り消した",
    "case.withdraw": "案件: 決裁を取り下げた",
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
    "label.accept": "分類を採用した",
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
    "because": "直した分類",
    "by": "ログインのしかた",
    "changed": "変えた項目",
    "checked": "確かめた件数",
    "broken_at": "つながらない番号",
    "conditions": "条件",
    "department": "課",
    "found": "件数",
    "first": "最初のログイン",
    "format": "形式",
    "from": "前",
    "kind": "種類",
    "path": "あて先",
    "locked": "停止",
    "marks": "ことばの印",
    "position": "職位",
    "reason": "理由",
    "receipt": "受付番号",
    "role": "役割",
    "rows": "行数",
    "scopes": "できること",
    "stood": "それまでの分類",
    "to": "後",
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


def action(code: str) -> str:
    """An act's name; one of a later or earlier version of the program keeps its code."""
    return ACTIONS.get(code, code)


def subject(code: str) -> str:
    """What an act was done to: 声 12 for voice:12."""
    kind, _, number = code.partition(":")
    return f"{SUBJECTS.get(kind, kind)} {number}".strip()


def detail(values: Mapping[str, object]) -> list[tuple[str, str]]:
    """The particulars as pairs of words; empty ones are left out."""
    said = {
        **values,
        **{name: SIGN_INS.get(str(values[name]), values[name]) for name in ("by", "reason") if "by" in values and name in values},
    }
    return [(DETAILS.get(name, name), _said(value)) for name, value in said.items() if value not in (None, "", [], {})]


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if isinstance(value, Mapping):
        return "、".join(f"{DETAILS.get(str(name), str(name))}: {_said(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return "、".join(_said(each) for each in value)
    return str(value)
