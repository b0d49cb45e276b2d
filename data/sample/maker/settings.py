"""期間、件数、場所。見本の大きさを決める数はここだけにある。"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent
MATERIAL = SAMPLE / "material"
TAXONOMY = SAMPLE.parent / "taxonomy"

SEED = 20241101
START = date(2024, 11, 1)
END = date(2026, 10, 31)
DAYS = [START + timedelta(days=i) for i in range((END - START).days + 1)]

N_CALL, N_VOICE, N_COUNTER, N_MAIL = 3000, 2000, 300, 40
N_RESPONDENTS, N_REASONS = 500, 1049
N_DUPLICATES, N_CAMPAIGN, N_SENDERS = 12, 60, 45
N_PERSONS = 2200
N_CALL_ROWS = 120

CALL_FILE = "call_log_cp932.csv"
VOICE_FILE = "voices_utf8bom.csv"
SURVEY_FILE = "survey_wide_utf8.csv"
COUNTER_FILE = "counter_log.xlsx"
CALL_ROWS_FILE = "calls_by_row.csv"
FAQ_FILE = "faq_log.csv"

AGES = ["10代", "20代", "30代", "40代", "50代", "60代", "70代", "80代以上"]
AGE_WEIGHTS = [2, 8, 16, 18, 17, 16, 15, 8]
ELDERS = AGES[6:]
