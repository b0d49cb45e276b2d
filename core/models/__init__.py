"""The tables. Importing this package registers every one of them on ``Base.metadata``."""

from core.models.audit import AuditEntry
from core.models.base import Base
from core.models.enums import BatchStatus, Channel, Facet, Kind, Role, Status, TopicStatus, Urgency
from core.models.intake import Batch, ReceiptCounter, Reject
from core.models.labels import HumanLabel, MachineLabel
from core.models.people import User, UserSession
from core.models.topics import Topic, TopicMembership, TopicRun
from core.models.voice import Answer, Secret, Voice

__all__ = [
    "Answer",
    "AuditEntry",
    "Base",
    "Batch",
    "BatchStatus",
    "Channel",
    "Facet",
    "HumanLabel",
    "Kind",
    "MachineLabel",
    "ReceiptCounter",
    "Reject",
    "Role",
    "Secret",
    "Status",
    "Topic",
    "TopicMembership",
    "TopicRun",
    "TopicStatus",
    "Urgency",
    "User",
    "UserSession",
    "Voice",
]
