"""The tables. Importing this package registers every one of them on ``Base.metadata``."""

from core.models.audit import AuditEntry
from core.models.base import Base
from core.models.cases import Case, CaseEvent, CaseFile, CaseNote, CasePart, CasePause
from core.models.desk import DeskAct, Look, SavedView
from core.models.drafts import Approval, Dispatch, Draft, DraftRevision
from core.models.enums import (
    ApprovalState,
    BatchContent,
    BatchStatus,
    Channel,
    CloseReason,
    Delivery,
    DispatchState,
    Disposition,
    DraftKind,
    DraftState,
    Facet,
    JobState,
    Kind,
    Role,
    SignInBy,
    Status,
    TopicEventKind,
    TopicStatus,
    Urgency,
)
from core.models.facts import DailyCount, MonthlyCount
from core.models.faq import FaqCount, FaqEntry
from core.models.forecasts import DailyRun, DigestMark, Forecast, Pace
from core.models.intake import Batch, MailboxMark, ReceiptCounter, Reject, Upload
from core.models.jobs import Job
from core.models.labels import HumanLabel, MachineLabel, MachineReading
from core.models.likeness import Campaign, CampaignMember, ReadingMark, SearchTerm, Sender, VoiceWording, voice_search
from core.models.opinions import Opinion
from core.models.people import ApiKey, User, UserSession
from core.models.surges import Surge, SurgeRun
from core.models.topics import Topic, TopicEvent, TopicMembership, TopicMove, TopicRun, TopicSpace
from core.models.voice import Answer, Secret, Voice, VoiceConcern

__all__ = [
    "Answer",
    "ApiKey",
    "Approval",
    "ApprovalState",
    "AuditEntry",
    "Base",
    "Batch",
    "BatchContent",
    "BatchStatus",
    "Campaign",
    "CampaignMember",
    "Case",
    "CaseEvent",
    "CaseFile",
    "CaseNote",
    "CasePart",
    "CasePause",
    "Channel",
    "CloseReason",
    "DailyCount",
    "DailyRun",
    "Delivery",
    "DeskAct",
    "DigestMark",
    "Dispatch",
    "DispatchState",
    "Disposition",
    "Draft",
    "DraftKind",
    "DraftRevision",
    "DraftState",
    "Facet",
    "FaqCount",
    "FaqEntry",
    "Forecast",
    "HumanLabel",
    "Job",
    "JobState",
    "Kind",
    "Look",
    "MachineLabel",
    "MachineReading",
    "MailboxMark",
    "MonthlyCount",
    "Opinion",
    "Pace",
    "ReadingMark",
    "ReceiptCounter",
    "Reject",
    "Role",
    "SavedView",
    "SearchTerm",
    "Secret",
    "Sender",
    "SignInBy",
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
    "VoiceConcern",
    "VoiceWording",
    "voice_search",
]
