"""What is measured of drafting: past answers found, questions seen, answers checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nlp.answering.gold import OpenScore, QuestionScore
from nlp.answering.recall import NAMES, Recall


@dataclass(frozen=True, slots=True)
class AnsweringReport:
    """All of it; what was not measured is ``None``."""

    recall: Recall | None = None
    questions: QuestionScore | None = None
    open_questions: OpenScore | None = None

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        parts = {"past_answers": self.recall, "questions": self.questions, "open_questions": self.open_questions}
        return {name: part.as_dict() for name, part in parts.items() if part}

    def as_text(self) -> str:
        """For people."""
        lines = []
        if self.recall:
            lines.append(f"過去の回答: 前に同じ用件の回答がある {self.recall.of:,} 件のうち {self.recall.voices:,} 件で測定")
            lines += [
                f"  {NAMES[name]}: 上位3件に同じ用件の回答がある {found.at_3:.3f}、先頭がそうである {found.at_1:.3f}"
                for name, found in self.recall.ways.items()
            ]
        if q := self.questions:
            found = f"再現率 {q.recall:.3f}、適合率 {q.precision:.3f}、質問・依頼・どちらでもないの正解率 {q.kinds:.3f}"
            lines.append(f"問いの見つけ方: {found}（{q.sentences:,} 文、うち問い {q.asking:,}）")
        if o := self.open_questions:
            found = f"答えずに残した問いを見つけた {o.recall:.3f}、答えた問いを誤って知らせた {o.false_alarms:.3f}"
            lines.append(f"回答の点検: {found}（問い {o.questions:,}）")
        return "\n".join(lines)
