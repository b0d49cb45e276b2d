"""声の文をつくる: 型を選び、スロットを埋め、書き出しと結びをつけ、文体をそろえる。"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from .endings import ending, mark
from .material import Material
from .models import Core, Draft, Key, Person, kept
from .settings import ELDERS
from .slots import Slots

CAR_THEMES = ("道路・交通", "ごみ・環境", "防災・防犯", "公園・緑地")
NUMBER_THEMES = ("税・保険・年金", "文化・スポーツ・図書館", "福祉・介護")
COMPLAINING = ("苦情", "要望", "通報")
JOINTS = ["それから、", "もう一点、", "あわせて、", "ついでに申し上げると、"]
POLITE_ENDS = ("です", "ます", "ました", "ません", "ください", "ましょう")


def choose(pool: Sequence[Core], month: int, mode: str, rng: random.Random) -> Core:
    """その月と受け方に合う型から、あまり使っていないものを選ぶ。"""
    fit = [c for c in pool if c.suits(month, mode)] or [c for c in pool if c.only in ("", mode)]
    core = min(rng.sample(fit, min(3, len(fit))), key=lambda c: c.used)
    core.used += 1
    return core


class Texts:
    """材料の文を、ひとつの記録の文にする。"""

    def __init__(self, material: Material, slots: Slots, rng: random.Random) -> None:
        self.material = material
        self.slots = slots
        self.rng = rng

    # 埋める -------------------------------------------------------------------------------

    def expand(self, text: str, draft: Draft) -> str:
        """<a|b> と {slot} を埋める。個人情報のスロットは draft.pii に書きとめる。"""
        while found := re.search(r"<([^<>]*)>", text):
            text = text[: found.start()] + self.rng.choice(found[1].split("|")) + text[found.end() :]

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name not in draft.slots:
                draft.slots[name] = self._slot(name, draft)
            return draft.slots[name]

        return re.sub(r"\{(\w+)\}", fill, text)

    def one_of(self, pool: Sequence[str], draft: Draft) -> str:
        """ひとつ選んで埋める。"""
        return self.expand(self.rng.choice(pool), draft)

    def _slot(self, name: str, draft: Draft) -> str:
        plain = self.slots.plain(name, draft.scene)
        if plain is not None:
            return plain
        phrase = self.slots.phrase(name, draft.scene.district)
        if phrase is not None:
            return self.expand(phrase, draft.apart())
        surface, kind = self.slots.private(name, draft.scene)
        draft.pii.append((surface, kind))
        return surface

    # 文体 ---------------------------------------------------------------------------------

    def render(self, text: str, style: str) -> str:
        """文末を文体に合わせる。call は最後の文を人づての形にする。"""
        text = "".join(mark(x, style) for x in re.split(r"(?<=。)", text) if x)
        out = re.sub(r"\[([^\[\]]+)\]", lambda m: ending(m[1], style, self.rng), text)
        return self._hearsay(text, out) if style == "call" else out

    def _hearsay(self, text: str, out: str) -> str:
        body = out.rstrip("。")
        if body.endswith(POLITE_ENDS):
            return f"「{body}」とのこと。"
        closing = re.search(r"\[([^\[\]/]*)[^\[\]]*\]。$", text)
        last = closing[1] if closing else ""
        kind = "fact"
        if last.endswith("?") or body.endswith(("のか", "ないか", "うか")):
            kind = "question"
        elif last.endswith(("ほしい", "欲しい", "どうだ", "たい")):
            kind = "wish"
        return body + self.rng.choice(self.material.frames["call_tails"][kind]) + "。"

    def _pick_style(self, channel: str, core: Core) -> str:
        if core.kind in ("感謝", "問合せ"):
            return "polite"
        blunt = 0.45 if core.kind == "苦情" else 0.18
        if channel in ("手紙", "来庁・面談"):
            blunt /= 3
        return "plain" if self.rng.random() < blunt else "polite"

    # 組み立てる ---------------------------------------------------------------------------

    def compose(self, core: Core, draft: Draft, mode: str, channel: str, *, private: bool) -> str:
        """ひとつの記録の文をつくる。draft.pii には文にのこった個人情報が入る。"""
        rng = self.rng
        group = core.group
        parts = [self.expand(core.text, draft)]
        remarks: list[str] = self.material.themes[core.theme]["remarks"].get(group, [])
        if remarks and rng.random() < (0.42 if mode == "call" else 0.58):
            parts.append(self.one_of(remarks, draft))
        general: list[str] = self.material.frames["remarks"].get(group, [])
        if general and rng.random() < 0.38:
            parts.append(self.one_of(general, draft))
        if mode == "call":
            text = self._heard(core, parts, draft, private=private)
        else:
            text = self._written(core, parts, draft, channel, private=private)
        draft.pii = kept(text, draft.pii)
        return text

    def _written(self, core: Core, parts: list[str], draft: Draft, channel: str, *, private: bool) -> str:
        """本人が書いた文。"""
        style = self._pick_style(channel, core)
        if core.group in ("neg", "idea") and self.rng.random() < 0.1:
            parts = parts + self._second_matter(core, draft)
        rendered = "".join([self.render(p, style) for p in parts])
        start = self._opening(draft, style, private=private)
        close = self._closing(core, draft, style, private=private)
        glue = "\n" if channel in ("電子メール", "手紙") or self.rng.random() < 0.22 else ""
        return glue.join(s for s in [start, rendered, close] if s)

    def _second_matter(self, core: Core, draft: Draft) -> list[str]:
        key: Key = core.key
        extra = choose(self.material.cores[key], draft.scene.day.month, "self", self.rng)
        if extra is core or extra.kind not in ("苦情", "要望", "提案") or extra.urgency != "normal":
            return []
        return [self.rng.choice(JOINTS) + self.expand(extra.text, draft.apart())]

    def _opening(self, draft: Draft, style: str, *, private: bool) -> str:
        frames = self.material.frames["self"]
        if private:
            return self.render(self.one_of(frames["pii_openings"], draft), style)
        if self.rng.random() < 0.42:
            person: Person = draft.scene.person
            voice = "elder" if person.age in ELDERS and self.rng.random() < 0.6 else style
            return self.render(self.one_of(frames["openings"][voice], draft), style)
        return ""

    def _closing(self, core: Core, draft: Draft, style: str, *, private: bool) -> str:
        frames = self.material.frames["self"]
        close = ""
        if self.rng.random() < 0.4:
            pool = frames["closings"].get(core.group if core.group in ("thx", "ask") else style, [])
            if pool:
                close += self.render(self.one_of(pool, draft), style)
        if private and self.rng.random() < 0.55:
            close += self.render(self.one_of(frames["pii_closings"], draft), style)
        return close

    def _heard(self, core: Core, parts: list[str], draft: Draft, *, private: bool) -> str:
        """受け手が書きとった文。"""
        rng = self.rng
        frames = self.material.frames["call"]
        if not any("?" in p for p in parts[:-1]) and rng.random() < 0.75:
            body = self.render("".join(parts), "call")
        else:
            body = "".join([self.render(p, "call") for p in parts])
        head = tail = ""
        if private:
            if rng.random() < 0.6:
                head = self.one_of(frames["pii_heads"], draft)
            else:
                tail = self.one_of(self._private_tails(core), draft)
        if not head and rng.random() < 0.5:
            angry = frames["heads_angry"] if core.kind in COMPLAINING else []
            head = self.one_of([*frames["heads"], *angry], draft)
        if not tail and rng.random() < 0.26:
            tail = self.one_of(frames["tails_thx" if core.kind == "感謝" else "tails"], draft)
        glue = "\n" if rng.random() < 0.12 else ""
        return glue.join(s for s in [head, body, tail] if s)

    def _private_tails(self, core: Core) -> list[str]:
        frames = self.material.frames["call"]
        pool: list[str] = list(frames["pii_tails"])
        if core.theme in CAR_THEMES:
            pool += frames["pii_tails_car"]
        if core.theme in NUMBER_THEMES:
            pool += frames["pii_tails_number"]
        return pool
