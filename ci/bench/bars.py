"""Bars beside each other as SVG, light or dark as the reader's screen is."""

import html

WIDTH, LEFT, RIGHT = 760, 230, 110
TOP, BAR, GAP = 62, 15, 14
# Light and dark, one pair a series.
COLOURS = (("#2a78d6", "#3987e5"), ("#2d8a4e", "#46a86a"), ("#b7791f", "#d69e2e"), ("#8a4fbf", "#a874d8"))
STYLE = (
    "text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#0b0b0b}.title{font-weight:600;font-size:15px}"
    ".back{fill:#fcfcfb}.quiet{fill:#52514e}"
    + "".join(f".s{at}{{fill:{light}}}" for at, (light, _) in enumerate(COLOURS))
    + "@media(prefers-color-scheme:dark){text{fill:#fff}.back{fill:#1a1a19}.quiet{fill:#c3c2b7}"
    + "".join(f".s{at}{{fill:{dark}}}" for at, (_, dark) in enumerate(COLOURS))
    + "}"
)


def drawing(title, unit, series, groups):
    """One SVG: for each of `groups`, (name, [(series, value)]), a bar a value.

    The bars of a group are as long as their share of its greatest: groups may be of different orders of magnitude.
    """
    lines, y = [], TOP
    for name, values in groups:
        most = max((value for _, value in values), default=0) or 1
        middle = y + len(values) * BAR / 2 + 4
        lines.append(f'<text x="{LEFT - 12}" y="{middle:.0f}" text-anchor="end">{html.escape(name)}</text>')
        if not values:
            lines.append(f'<text class="quiet" x="{LEFT}" y="{middle:.0f}">no figure</text>')
            y += BAR
        for who, value in values:
            long = max(1.0, (WIDTH - LEFT - RIGHT) * value / most)
            number = f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
            lines.append(
                f'<rect class="s{series.index(who)}" x="{LEFT}" y="{y}" width="{long:.1f}" height="{BAR - 2}">'
                f"<title>{html.escape(who)}: {number} {unit}</title></rect>"
                f'<text class="quiet" x="{LEFT + long + 6:.1f}" y="{y + BAR - 4}">{number} {unit}</text>'
            )
            y += BAR
        y += GAP
    legend, x = [], LEFT
    for at, who in enumerate(series):
        legend.append(f'<rect class="s{at}" x="{x}" y="36" width="11" height="11"/><text x="{x + 16}" y="46">{html.escape(who)}</text>')
        x += 110
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img" '
        f'aria-label="{html.escape(title)}"><style>{STYLE}</style><rect class="back" width="100%" height="100%"/>\n'
        f'<text class="title" x="16" y="22">{html.escape(title)}</text>'
        f'<text class="quiet" x="{WIDTH - 16}" y="22" text-anchor="end">less is better; each group to its own scale</text>\n'
        + "\n".join(legend + lines)
        + "\n</svg>\n"
    )
