"""Keys for programs: made with scopes, shown once, kept as hashes, and what a request with one may do."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from api.auth import NO_HASH, SignedIn
from core import audit, db
from core.clock import today, utc_now
from core.errors import ConflictError, InputError, NotFoundError
from core.models import ApiKey, Role, User
from loop.actors import Actor

SCOPES: Mapping[str, str] = {
    "voices:read": "声と案件を読む（伏せた文）",
    "voices:write": "分類を変える、案件を進める",
    "trends:read": "話題・急増・集計を読む",
    "topics:write": "話題をまとめる・分ける・名前を付ける",
    "import:write": "ファイルを取り込む",
    "audit:read": "監査記録を読む",
}
PREFIX = "koe_"
_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{1,47}$")


def actor_name(name: str) -> str:
    """What a key is called in the audit trail and in histories. No person's name has a colon."""
    return f"key:{name}"


def add_key(session: Session, *, name: str, scopes: Iterable[str], expires_on: date | None, actor: str) -> str:
    """Makes a key and gives its token, of which only the hash is kept.

    Raises:
        InputError: the name, a scope or the day can't be used.
        ConflictError: the name is or was another key's: the trail would mix them up.
    """
    wanted = sorted(set(scopes))
    if not _NAME.match(name):
        raise InputError(f"API キーの名前「{name[:48]}」は使えません。", hint="英小文字・数字・.-_ で2〜48文字にしてください。")
    if not wanted or (unknown := [scope for scope in wanted if scope not in SCOPES]):
        told = f"「{unknown[0][:32]}」は選べません。" if wanted else "できることが選ばれていません。"
        raise InputError(told, hint=f"{'・'.join(SCOPES)} から選んでください。")
    if expires_on is not None and expires_on < today():
        raise InputError("期限が過ぎています。", hint="今日よりあとの日にしてください。")
    if session.scalar(select(ApiKey.id).where(ApiKey.name == name)):
        raise ConflictError(f"API キー「{name}」はすでにあります。", hint="止めたキーの名前も使えません。別の名前にしてください。")
    token, now = PREFIX + secrets.token_urlsafe(32), utc_now()
    key = ApiKey(name=name, token_hash=_hash(token), scopes=wanted, created_by=actor, created_at=now, expires_on=expires_on)
    # What a key changes has its name beside it, as a person's changes have theirs: a closed account that nobody can open.
    acting = User(username=actor_name(name), display_name=f"API キー {name}", password_hash=NO_HASH, role=Role.KOCHO, active=False)
    acting.created_at = now
    session.add_all((key, acting))
    session.flush()
    audit.record(session, actor=actor, action="key.add", subject=actor_name(name), detail={"scopes": wanted})
    return token


def revoke_key(session: Session, name: str, *, actor: str) -> None:
    """Ends a key at once; its name stays taken.

    Raises:
        NotFoundError: there is none of that name.
    """
    key = session.scalar(select(ApiKey).where(ApiKey.name == name).with_for_update())
    if key is None:
        raise NotFoundError(f"API キー「{name[:48]}」はありません。", hint="一覧から選びなおしてください。")
    if key.revoked_at is None:
        key.revoked_at = utc_now()
        audit.record(session, actor=actor, action="key.revoke", subject=actor_name(name))


def list_keys(session: Session) -> Sequence[ApiKey]:
    """All keys, those that open something first."""
    return session.scalars(select(ApiKey).order_by(ApiKey.revoked_at.is_not(None), ApiKey.name)).all()


def is_open(key: ApiKey) -> bool:
    """Whether a key still opens something."""
    return key.revoked_at is None and (key.expires_on is None or key.expires_on >= today())


def sign_in(engine: Engine, token: str) -> SignedIn | None:
    """Whom a request with this token acts for; ``None`` when the key is unknown, revoked or out of date. Notes the day."""
    found = select(ApiKey, User).join(User, User.username == _KEY_USER + ApiKey.name).where(ApiKey.token_hash == _hash(token))
    with db.reading(engine) as session:
        row = session.execute(found).one_or_none()
        if row is None or not is_open(row[0]):
            return None
        key, user = row
    if key.last_used_on != today():
        with db.writing(engine) as session:
            session.get_one(ApiKey, key.id).last_used_on = today()
    actor = Actor(user.id, user.username, user.display_name, Role.KOCHO, "")
    return SignedIn(actor, csrf_token="", token_hash="", scopes=frozenset(key.scopes))


def note_reading(engine: Engine, signed_in: SignedIn, path: str) -> None:
    """Notes in the audit trail what a key is about to be given; what it changes is noted where that is done."""
    with db.writing(engine) as session:
        name = signed_in.actor.username
        audit.record(session, actor=name, action="key.read", subject=name, detail={"path": path[:200]})


_KEY_USER = actor_name("")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
