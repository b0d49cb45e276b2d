"""The tables. Importing this package registers every one of them on ``Base.metadata``."""

from core.models.audit import AuditEntry
from core.models.base import Base
from core.models.enums import BatchStatus, Channel, Facet, Kind, Role, Status, TopicStatus, Urgency
from core.models.intake import Batch, ReceiptCounter, Reject
from core.models.labels import HumanLabel, MachineLabel
from core.models.likeness import Campaign, CampaignMember, DistinctText, ReadingMark, SearchTerm, Sender, TextBand
from core.models.opinions import Opinion
from core.models.people import User, UserSession
from core.models.topics import Topic, TopicMembership, TopicRun
from core.models.voice import Answer, Secret, Voice

__all__ = [
    "Answer",
    "AuditEntry",
    "Base",
    "Batch",
    "BatchStatus",
    "Campaign",
    "CampaignMember",
    "Channel",
    "DistinctText",
    "Facet",
    "HumanLabel",
    "Kind",
    "MachineLabel",
    "Opinion",
    "ReadingMark",
    "ReceiptCounter",
    "Reject",
    "Role",
    "SearchTerm",
    "Secret",
    "Sender",
    "Status",
    "TextBand",
    "Topic",
    "TopicMembership",
    "TopicRun",
    "TopicStatus",
    "Urgency",
    "User",
    "UserSession",
    "Voice",
]
