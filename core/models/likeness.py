"""What likeness is found by: the search index's counts, wordings, groups of near-copies, blind senders.

The index itself is ``voice_search``: an FTS5 virtual table on SQLite; on PostgreSQL a table with each voice's terms, beside
``voice_postings`` with each term's voices. Only ``nlp.postings`` and ``nlp.posting_blocks`` read and write them.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base

# As PostgreSQL has it. On SQLite it is made by the migration alone, and ``core.db.drift`` compares no more than its name.
voice_search = Table(
    "voice_search",
    Base.metadata,
    Column("voice_id", ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("terms", Text, nullable=False, doc="with a space between them"),
)

# On PostgreSQL alone. No foreign key: an id that is left over from a voice that was deleted finds no voice.
voice_postings = Table(
    "voice_postings",
    Base.metadata,
    Column("term", String(64, collation="C"), primary_key=True),
    Column("block", Integer, primary_key=True, autoincrement=False, doc="the voices' ids divided by ``nlp.posting_blocks.BLOCK``"),
    Column("voices", ARRAY(Integer), nullable=False),
    info={"only": "postgresql"},
)


class SearchTerm(Base):
    """In how many voices a term stands. The term of no letters counts the voices that are indexed."""

    __tablename__ = "search_terms"
    __table_args__ = ({"sqlite_with_rowid": False},)

    term: Mapped[str] = mapped_column(String(64), primary_key=True)
    documents: Mapped[int]


class VoiceWording(Base):
    """A voice's wording, by which near-copies are told (``nlp.wordings``). One that is too short has a row without a key."""

    __tablename__ = "wordings"

    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    key: Mapped[int | None] = mapped_column(BigInteger, doc="64 bits of the wording's digest")
    signature: Mapped[bytes] = mapped_column(doc="70 little-endian numbers of 16 bits, or nothing")


class Campaign(Base):
    """A group of near-copies (同文・一斉投稿). Its id is never used again; one that was joined to an older one points there."""

    __tablename__ = "campaigns"

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"))


class CampaignMember(Base):
    """Which group a voice is in, and which wording it uses."""

    __tablename__ = "campaign_members"
    __table_args__ = (Index(None, "campaign_id", "text_id"),)

    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    text_id: Mapped[int] = mapped_column(Integer, doc="the first voice with this wording")


class Sender(Base):
    """Who sent a voice, blind: equal for equal contacts, and nobody can be read from it without the key (``core.senders``)."""

    __tablename__ = "senders"

    voice_id: Mapped[int] = mapped_column(ForeignKey("voices.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    key_id: Mapped[str] = mapped_column(String(64), index=True)
    sender: Mapped[str | None] = mapped_column(String(32), doc="empty where the contact tells nobody apart")


class ReadingMark(Base):
    """How far an incremental work has come: all voices up to this id are done, by this scheme."""

    __tablename__ = "reading_marks"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    voice_id: Mapped[int]
    scheme: Mapped[str] = mapped_column(String(64))
