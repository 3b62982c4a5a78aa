"""Panels of time series as one SVG, in the places that a Grafana dashboard gives them. Knows no metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tests.support.prometheus import Line

COLUMN, ROW, GAP = 50, 30, 6  # pixels: 24 columns are 1,200
LEFT, RIGHT, TOP, LEGEND = 46, 8, 26, 34
COLOURS = ("#3d71d9", "#d9822b", "#2e9e5b", "#c4314b", "#8a5cd1", "#0f8c8c", "#a8710a", "#6b7280")
FONT = "font-family='DejaVu Sans, Arial, sans-serif'"
SCALES = {
    "s": ((1, "s", 1), (1e-3, "ms", 1e3)),
    "bytes": ((1 << 20, "MiB", 1 / (1 << 20)),),
    "percentunit": ((0, "%", 100),),
    "reqps": ((0, "/s", 1),),
    "ops": ((0, "/s", 1),),
}


@dataclass(frozen=True, slots=True)
class Panel:
    """``place``: x, y, width and height in a dashboard's grid; ``unit`` by Grafana's name."""

    title: str
    unit: str
    place: tuple[int, int, int, int]
    lines: Sequence[Line]


def draw(panels: Sequence[Panel], title: str, minutes: float) -> str:
    """Return the SVG; ``minutes`` are how much time each panel shows."""
    height = max(y + h for _, y, _, h in (panel.place for panel in panels)) * ROW + 40
    drawn = "\n".join(_panel(panel, minutes) for panel in panels)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {24 * COLUMN} {height}' {FONT} font-size='11'>\n"
        f"<rect width='100%' height='100%' fill='#f4f5f7'/><text x='8' y='25' font-size='16'>{escape(title)}</text>\n"
        f"<g transform='translate(0 40)'>\n{drawn}\n</g>\n</svg>\n"
    )


def _panel(panel: Panel, minutes: float) -> str:
    x, y, width, height = panel.place
    width, height = width * COLUMN - GAP, height * ROW - GAP
    most = max(map(_highest, panel.lines), default=0) or 1
    suffix, factor = _scale(panel.unit, most)
    top = _round_up(most * factor) / factor
    plot_w, plot_h = width - LEFT - RIGHT, height - TOP - LEGEND - 12
    parts = [
        f"<g transform='translate({x * COLUMN + GAP // 2} {y * ROW})'>",
        f"<rect width='{width}' height='{height}' fill='#fff' stroke='#d5d9e0'/>",
        f"<text x='8' y='17' font-weight='bold'>{escape(panel.title)}</text>",
    ]
    for share in (0, 0.5, 1):
        at = TOP + plot_h * (1 - share)
        label = f"{_figure(top * share * factor)} {suffix}".strip()
        parts.append(f"<path d='M{LEFT} {at:.0f}h{plot_w}' stroke='#e3e6eb'/>")
        parts.append(f"<text x='{LEFT - 4}' y='{at + 4:.0f}' text-anchor='end' font-size='9'>{label}</text>")
    for share, label in ((0, "0"), (1, f"{minutes:.0f} min")):
        at = LEFT + plot_w * share
        anchor = "end" if share else "start"
        parts.append(
            f"<text x='{at:.0f}' y='{TOP + plot_h + 11:.0f}' text-anchor='{anchor}' font-size='9'>{label}</text>"
        )
    lines = sorted(panel.lines, key=_highest, reverse=True)
    for number, line in enumerate(lines):
        path = _path(line.values, plot_w, plot_h, top)
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f"<path d='{path}' fill='none' stroke='{colour}' stroke-width='1.5'/>")
    parts.append(_legend(lines, height, width))
    return "".join(parts) + "</g>"


def _highest(line: Line) -> float:
    return max((value for value in line.values if value is not None), default=0)


def _path(values: Sequence[float | None], width: float, height: float, top: float) -> str:
    step, path, pen_up = width / max(1, len(values) - 1), "", True
    for number, value in enumerate(values):
        if value is not None:
            path += f"{'M' if pen_up else 'L'}{LEFT + number * step:.0f} {TOP + height * (1 - value / top):.0f}"
        pen_up = value is None
    return path


def _legend(lines: Sequence[Line], height: int, width: int) -> str:
    """Name the lines in at most two rows; the rest is counted."""
    parts, x, row = [], 8, 0
    for number, line in enumerate(lines):
        long = 16 + 6 * len(line.legend)
        if x + long > width - (40 if row else 0):
            if row:
                parts.append(f"<text x='{x}' y='{height - 6}' font-size='9'>+ {len(lines) - number}</text>")
                break
            x, row = 8, 1
        at = height - 22 + 15 * row
        parts.append(
            f"<path d='M{x} {at}h9' stroke='{COLOURS[number % len(COLOURS)]}' stroke-width='3'/>"
            f"<text x='{x + 12}' y='{at + 3}' font-size='9'>{escape(line.legend)}</text>"
        )
        x += long
    return "".join(parts)


def _scale(unit: str, most: float) -> tuple[str, float]:
    for least, suffix, factor in SCALES.get(unit, ()):
        if most >= least:
            return suffix, factor
    return ("µs", 1e6) if unit == "s" else ("", 1)


def _figure(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 2.5, 5, 10 times a power of ten."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * 0.999)
