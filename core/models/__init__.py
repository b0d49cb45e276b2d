"""The tables. Importing this package registers every one of them on ``Base.metadata``."""

from core.models.audit import AuditEntry
from core.models.base import Base
from core.models.enums import BatchContent, BatchStatus, Channel, Facet, JobState, Kind, Role, Status, TopicEventKind, TopicStatus, Urgency
from core.models.facts import DailyCount, MonthlyCount
from core.models.faq import FaqCount, FaqEntry
from core.models.intake import Batch, MailboxMark, ReceiptCounter, Reject, Upload
from core.models.jobs import Job
from core.models.labels import HumanLabel, MachineLabel, MachineReading
from core.models.likeness import Campaign, CampaignMember, ReadingMark, SearchTerm, Sender, VoiceWording, voice_search
from core.models.opinions import Opinion
from core.models.people import User, UserSession
from core.models.surges import Surge, SurgeRun
from core.models.topics import Topic, TopicEvent, TopicMembership, TopicMove, TopicRun, TopicSpace
from core.models.voice import Answer, Secret, Voice

__all__ = [
    "Answer",
    "AuditEntry",
    "Base",
    "Batch",
    "BatchContent",
    "BatchStatus",
    "Campaign",
    "CampaignMember",
    "Channel",
    "DailyCount",
    "Facet",
    "FaqCount",
    "FaqEntry",
    "HumanLabel",
    "Job",
    "JobState",
    "Kind",
    "MachineLabel",
    "MachineReading",
    "MailboxMark",
    "MonthlyCount",
    "Opinion",
    "ReadingMark",
    "ReceiptCounter",
    "Reject",
    "Role",
    "SearchTerm",
    "Secret",
    "Sender",
    "Status",
    "Surge",
    "SurgeRun",
    "Topic",
    "TopicEvent",
    "TopicEventKind",
    "TopicMembership",
    "TopicMove",
    "TopicRun",
    "TopicSpace",
    "TopicStatus",
    "Upload",
    "Urgency",
    "User",
    "UserSession",
    "Voice",
    "VoiceWording",
    "voice_search",
]
