"""What was measured, for people: sections of a table and a plot each, as Markdown, as one page without any outside address, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from nlp import baselines, plots, quality
from nlp.annotation import PLACEHOLDERS
from nlp.answering.quality import AnsweringReport
from nlp.answering.recall import NAMES as RECALL_NAMES
from nlp.evaluate import FACET_NAMES, FacetScore, Outcome, Report
from nlp.growth import Step
from nlp.plots import Figure
from nlp.transfer import Transfer

TITLE = "分類とマスキングの品質"
PII_NAMES: dict[str, str] = {name: mark.strip("〔〕") for name, mark in PLACEHOLDERS.items()}
OURS = "声環"
_PLOTTED = ("theme", "kind")
_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class Study:
    """A report with what it is measured against. ``about`` says what, when and where; ``baselines`` are scores by facet and way."""

    report: Report
    about: Mapping[str, str] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, FacetScore]] = field(default_factory=dict)
    growth: Sequence[Step] = ()
    transfer: Transfer | None = None
    answering: AnsweringReport | None = None

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        found: dict[str, Any] = {**({"about": dict(self.about)} if self.about else {}), **self.report.as_dict()}
        if self.answering and (answering := self.answering.as_dict()):
            found["answering"] = answering
        if self.baselines:
            found["baselines"] = {facet: {name: asdict(score) for name, score in row.items()} for facet, row in self.baselines.items()}
        if self.growth:
            found["growth"] = [asdict(step) for step in self.growth]
        if self.transfer:
            found["transfer"] = asdict(self.transfer) | {"lead": self.transfer.lead}
        return found


@dataclass(frozen=True, slots=True)
class Table:
    """Cells ready to be read; the first of each row names it."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def as_markdown(self) -> str:
        lines = [self.header, tuple(["---"] + ["---:"] * (len(self.header) - 1)), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True, slots=True)
class Section:
    """One matter: what it says, its figures, and a plot of the same figures.

    ``layout``: where the table stands, ``beside`` or ``below`` its plot, or below with upright headings (``matrix``).
    """

    title: str
    text: str
    table: Table
    figure: Figure | None = None
    layout: Literal["beside", "below", "matrix"] = "beside"


def save(study: Study, folder: Path) -> list[Path]:
    """Writes report.json, report.md and report.html, and returns their paths."""
    parts = list(sections(study))
    folder.mkdir(parents=True, exist_ok=True)
    written = {
        "report.json": json.dumps(study.as_dict(), ensure_ascii=False, indent=1) + "\n",
        "report.md": as_markdown(study, parts),
        "report.html": as_page(study, parts),
    }
    for name, text in written.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in written]


def as_markdown(study: Study, parts: Sequence[Section]) -> str:
    """The tables, with what they are of."""
    lines = [f"# {TITLE}", "", *(f"- {name}: {value}" for name, value in study.about.items())]
    for part in parts:
        lines += ["", f"## {part.title}", "", *([part.text, ""] if part.text else []), part.table.as_markdown()]
    return "\n".join(lines) + "\n"


def as_page(study: Study, parts: Sequence[Section]) -> str:
    """The whole page: plots are drawn by the plotly.js inside it, nothing is fetched (and its policy forbids it)."""
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    figures = {f"plot-{number}": part.figure for number, part in enumerate(parts, start=1) if part.figure}
    page = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True).get_template("quality.html")
    # "</script>" inside a label would end the script.
    drawn = json.dumps(figures, ensure_ascii=False).replace("</", "<\\/")
    return page.render(
        title=TITLE,
        about=study.about,
        sections=parts,
        plotly=Markup(get_plotlyjs()),  # noqa: S704
        figures=Markup(drawn),  # noqa: S704
    )


def sections(study: Study) -> Iterator[Section]:
    """All that was measured, the most asked first."""
    report = study.report
    if report.facets:
        yield _facets(report.facets)
    if study.baselines:
        yield from _baselines(study)
    if study.transfer:
        yield _transfer(study.transfer)
    plotted = {FACET_NAMES[name]: report.outcomes[name] for name in _PLOTTED if name in report.outcomes}
    if plotted:
        yield _coverage(plotted)
        yield _reliability(plotted)
    if report.segments or report.related:
        yield _segments(report)
    if report.masking:
        yield _masking(report)
    if study.answering:
        yield from _answering(study.answering)
    if study.growth:
        yield _growth(study.growth)
    for name, outcome in plotted.items():
        yield _confusion(name, outcome)


def _facets(facets: Mapping[str, FacetScore]) -> Section:
    rows = tuple(
        (
            FACET_NAMES[name],
            f"{score.texts:,}",
            *map(_number, (score.strict, score.lenient, score.macro_f1, score.ece)),
            *map(_percent, (score.coverage, score.coverage_lenient, score.held_back)),
            *map(_number, (score.decided_strict, score.decided_lenient)),
        )
        for name, score in facets.items()
    )
    scores = ("正解率", "正解率(第2も)", "マクロF1", "較正誤差")
    header = ("項目", "件数", *scores, "95%正しい範囲", "同(第2も)", "判断保留", "残りの正解率", "同(第2も)")
    names = [FACET_NAMES[name] for name in facets]
    series = {
        "正解率": [score.strict for score in facets.values()],
        "正解率（第2の正解も数える）": [score.lenient for score in facets.values()],
        "マクロ F1": [score.macro_f1 for score in facets.values()],
    }
    text = (
        "正解率は主な分類と同じ割合。「第2も」は、付けた人が挙げたほかの話題でも正解とする。"
        "95%正しい範囲は、確信度の高い順に採って95%以上が正しい最大の割合（境目は同じ声で決めたので、やや甘い）。"
    )
    return Section("分類", text, Table(header, rows), plots.bars(names, series), "below")


def _baselines(study: Study) -> Iterator[Section]:
    for facet, others in study.baselines.items():
        ways = {OURS: study.report.facets[facet]} | {baselines.NAMES[name]: score for name, score in others.items()}
        rows = tuple((name, *map(_number, (score.strict, score.lenient, score.macro_f1))) for name, score in ways.items())
        series = {"正解率": [score.strict for score in ways.values()], "マクロ F1": [score.macro_f1 for score in ways.values()]}
        table = Table(("方法", "正解率", "正解率(第2も)", "マクロF1"), rows)
        text = "同じ学習例で学び、同じ声で測った。Signalen の方式は単語の数え方（IDF なし）と L1 のロジスティック回帰。"
        yield Section(f"ほかの方法との比較: {FACET_NAMES[facet]}", text, table, plots.bars(list(ways), series))


def _transfer(transfer: Transfer) -> Section:
    names = {"ours": OURS} | dict(baselines.NAMES)
    counts = sorted({point.decisions for points in transfer.curves.values() for point in points})
    rows = []
    for name, points in transfer.curves.items():
        by_count = {point.decisions: point for point in points}
        cells = (f"{by_count[count].mean:.3f} ±{by_count[count].spread:.3f}" if count in by_count else "—" for count in counts)
        rows.append((names[name], *cells))
    series = {names[name]: [(point.decisions, point.mean) for point in points] for name, points in transfer.curves.items()}
    spread = {names[name]: [point.spread for point in points] for name, points in transfer.curves.items()}
    text = (
        f"分け方の違う {transfer.themes} 分野。数字は、職員の判断を学んだあとの残り {transfer.tests} 件でのマクロ F1"
        f"（{len(transfer.seeds)} 通りの分け方の平均と標準偏差）。声環は付属の文例からの見立てと分類ファイルの語も使い、"
        f"回帰は判断だけから学ぶ。最後の点で、いちばん良いほかの方法との差は {transfer.lead:+.3f}。"
        "正解は付属の分類から表で読みかえたものが多く、声環に有利に出る。"
    )
    figure = plots.lines(series, x="職員の判断の件数", y="マクロ F1", spread=spread)
    return Section("よその市の分類", text, Table(("方法", *(f"{count} 件" for count in counts)), tuple(rows)), figure, "below")


def _coverage(outcomes: Mapping[str, Outcome]) -> Section:
    ways = {name: (outcome.confidence, outcome.right) for name, outcome in outcomes.items()}
    ways |= {f"{name}（第2も）": (o.confidence, o.defensible) for name, o in outcomes.items() if (o.right != o.defensible).any()}
    curves = {name: quality.precision_by_coverage(*way, steps=10) for name, way in ways.items()}
    steps = max(map(len, curves.values()))
    rows = tuple(
        (
            _percent(next(curve[step][0] for curve in curves.values() if step < len(curve))),
            *(_number(curve[step][1]) if step < len(curve) else "—" for curve in curves.values()),
        )
        for step in range(steps)
    )
    series = {name: [(share, precision) for share, precision, _ in curve] for name, curve in curves.items()}
    text = "確信度の高い順にこの割合だけ自動で決めたとき、そのうち正しい割合。点線は 95%。"
    figure = plots.lines(series, x="自動で決める割合", y="正しい割合", percent_x=True, level=quality.SURE_PRECISION)
    return Section("自動で決める割合と正しさ", text, Table(("決める割合", *curves), rows), figure)


def _reliability(outcomes: Mapping[str, Outcome]) -> Section:
    bins = {name: quality.reliability(outcome.confidence, outcome.right) for name, outcome in outcomes.items()}
    rows = tuple(
        (f"{name} {one.low:.1f}〜{one.high:.1f}", f"{one.texts:,}", _number(one.confidence), _number(one.accuracy))
        for name, found in bins.items()
        for one in found
    )
    series = {name: [(one.confidence, one.accuracy, one.texts) for one in found] for name, found in bins.items()}
    text = "確信度 0.8 と言ったものは 8 割当たるのがよい。点の大きさは件数。"
    return Section("確信度の確かさ", text, Table(("確信度", "件数", "平均の確信度", "正解率"), rows), plots.reliability(series))


def _segments(report: Report) -> Section:
    rows: list[tuple[str, float, str]] = []
    if s := report.segments:
        of = f"{s.letters:,} 通、話題 {s.topics:,}"
        rows += [
            ("話題の再現率", s.recall, of),
            ("話題の適合率", s.precision, of),
            ("正しい分野に入った文字", s.in_place, of),
            ("境目の F1", s.boundary_f1, of),
            ("WindowDiff（小さいほどよい）", s.window_diff, of),
        ]
    if r := report.related:
        of = f"課が2つ以上の {r.texts:,} 件"
        rows += [("関係課の再現率", r.recall, of), ("関係課の適合率", r.precision, of)]
    text = "長い手紙を話題ごとに分け、それぞれの分野を当てる。話題は手紙ごとの分野の集まりで数える。"
    table = Table(("測るもの", "値", "対象"), tuple((name, _number(value), of) for name, value, of in rows))
    return Section("長い手紙と関係課", text, table, plots.bars([name for name, *_ in rows], {"値": [value for _, value, _ in rows]}))


def _masking(report: Report) -> Section:
    if report.masking is None:
        raise AssertionError("asked for only where it is")
    masking = report.masking
    rows = {"全体": masking.total} | {PII_NAMES.get(name, name): row for name, row in masking.types.items()}
    table = Table(
        ("種類", "印", "伏せた", "再現率", "見つけた", "うち正しい", "適合率"),
        tuple(
            (name, f"{row.marked:,}", f"{row.masked:,}", _number(row.recall), f"{row.found:,}", f"{row.rightly:,}", _number(row.precision))
            for name, row in rows.items()
        ),
    )
    text = (
        f"{masking.texts:,} 件。印の文字がすべて伏せられ、同じ種類で見つかったものを再現とする。"
        f"伏せるもののない {masking.clean_texts:,} 件で伏せた文字は {masking.clean_masked:.3%}。"
    )
    series = {"再現率": [row.recall for row in rows.values()], "適合率": [row.precision for row in rows.values()]}
    return Section("マスキング", text, table, plots.bars(list(rows), series))


def _answering(answering: AnsweringReport) -> Iterator[Section]:
    if recall := answering.recall:
        names = [RECALL_NAMES[name] for name in recall.ways]
        rows = tuple((name, _number(found.at_3), _number(found.at_1)) for name, found in zip(names, recall.ways.values(), strict=True))
        text = (
            f"見本の市で、同じ用件の声に前に文書で回答のある {recall.of:,} 件のうち {recall.voices:,} 件。"
            "その声より前の回答だけから選ぶ。同じ用件の声への回答が上位3件にある割合（recall@3）と、先頭にある割合。"
        )
        series = {
            "上位3件": [found.at_3 for found in recall.ways.values()],
            "先頭": [found.at_1 for found in recall.ways.values()],
        }
        yield Section("回答の素材: 過去の回答", text, Table(("方法", "上位3件", "先頭"), rows), plots.bars(names, series))
    if q := answering.questions:
        of = f"{q.sentences:,} 文、うち問い {q.asking:,}"
        rows = (("再現率", _number(q.recall), of), ("適合率", _number(q.precision), of), ("三つの区別の正解率", _number(q.kinds), of))
        text = "声の中の問い（質問と依頼）を文ごとに見つける。三つの区別は、質問・依頼・どちらでもない。"
        yield Section("回答の素材: 声の問い", text, Table(("測るもの", "値", "対象"), rows))
    if o := answering.open_questions:
        of = f"問い {o.questions:,}"
        rows = (("答えずに残した問いを見つけた", _number(o.recall), of), ("答えた問いを誤って知らせた", _number(o.false_alarms), of))
        text = "声の問いに一つずつ答えた回答と、その一つを抜いた回答を点検する。"
        yield Section("回答の点検: 答えていない問い", text, Table(("測るもの", "値", "対象"), rows))


def _growth(growth: Sequence[Step]) -> Section:
    names = list(growth[0].facets)
    header = ("学習例", *(f"{FACET_NAMES[name]} {what}" for name in names for what in ("正解率", "マクロF1")))
    rows = tuple(
        (f"{step.examples:,} 件", *(_number(value) for name in names for value in (step.facets[name].strict, step.facets[name].macro_f1)))
        for step in growth
    )
    series = {
        f"{FACET_NAMES[name]} {what}": [(step.examples, getattr(step.facets[name], field_name)) for step in growth]
        for name in names
        for what, field_name in (("正解率", "strict"), ("マクロF1", "macro_f1"))
    }
    return Section(
        "学習例の数と正しさ",
        "付属の文例の一部だけで学び、同じ声で測った。",
        Table(header, rows),
        plots.lines(series, x="学習例の件数", y=""),
    )


def _confusion(name: str, outcome: Outcome) -> Section:
    labels = sorted(set(outcome.truth) | set(outcome.said), key=lambda label: (-outcome.truth.count(label), label))
    counts = [[0] * len(labels) for _ in labels]
    for truth, said in zip(outcome.truth, outcome.said, strict=True):
        counts[labels.index(truth)][labels.index(said)] += 1
    table = Table(("正解＼判定", *labels), tuple((label, *map(str, row)) for label, row in zip(labels, counts, strict=True)))
    text = "縦が人の付けた主な分類、横が判定。濃さは行の中の割合、数字は件数。"
    return Section(f"取り違え: {name}", text, table, plots.confusion(labels, counts), "matrix")


def _number(value: float) -> str:
    return f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"
