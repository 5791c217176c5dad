"""The result: ratios and verdicts from rows, RESULTS.md, results.json and the plot."""

import json
from pathlib import Path

from peers import PEERS
from shelf import FASTEST

VERDICTS = {"aim": "aim", "least": "yes", "missed": "**no**", "aim missed": "aim missed", "": "-"}


def judge(entry: dict) -> None:
    """Add "against", "ratio" [median, low, high] and "verdict" (a key of VERDICTS) to a
    row."""
    target, figures = entry["target"], entry["figures"]
    usable = {name: value for name, value in figures.items() if "median" in value}
    entry["against"], entry["ratio"], entry["verdict"] = "", None, ""
    own = usable.get("hashrange")
    if target is None:
        return
    against = target.against
    if against == FASTEST:
        disk = [
            name
            for name in usable
            if name in PEERS and PEERS[name].persistent and name != "hashrange"
        ]
        against = min(disk, key=lambda name: usable[name]["median"], default="")
    entry["against"] = against
    if own is None:
        return
    if target.against:
        if against not in usable:
            return
        peer = usable[against]
        value = peer["median"] / own["median"]
        pairs = [theirs / ours for theirs, ours in zip(peer["rounds"], own["rounds"], strict=False)]
        entry["ratio"] = [value, min(pairs), max(pairs)]
        least, aim = value >= target.least, value >= target.aim
    else:
        least, aim = own["median"] <= target.least, own["median"] <= target.aim
    for name, factor in target.aim_also:
        aim = aim and name in usable and own["median"] <= factor * usable[name]["median"]
    if target.least == float("inf") and not aim:
        entry["verdict"] = "aim missed"
    else:
        entry["verdict"] = "aim" if aim and least else "least" if least else "missed"


def number(value: float) -> str:
    """Return three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def cell(figure: dict | None) -> str:
    """Return "median ±spread%" of a figure; the spread is half the range over the median."""
    if figure is None:
        return ""
    if "median" not in figure:
        return "failed"
    text = number(figure["median"])
    if len(figure["rounds"]) > 1 and figure["median"]:
        text += f" ±{(figure['high'] - figure['low']) / 2 / figure['median']:.0%}"
    return text


def _limit(target, unit: str, value: float) -> str:
    if value == float("inf"):
        return "-"
    return f"{value:g}x" if target.against else f"{value:g} {unit}"


def _beside(figures: dict, name: str) -> str:
    """Return a figure without a column of its own, with its ratio to hashrange's."""
    text = f"{name} {cell(figures[name])}"
    own = figures.get("hashrange", {}).get("median")
    return (
        f"{text} ({figures[name]['median'] / own:.2f}x)"
        if own and "median" in figures[name]
        else text
    )


def columns(rows: list[dict]) -> tuple[list[str], list[str]]:
    """Return (peers with a column, other figures that a row names in its own cell)."""
    seen = list(dict.fromkeys(name for entry in rows for name in entry["figures"]))
    return [name for name in PEERS if name in seen and name != "hashrange"], [
        name for name in seen if name not in PEERS
    ]


def markdown(rows: list[dict], about: dict) -> str:
    """Return the text of RESULTS.md."""
    peers, others = columns(rows)
    heads = [
        "case",
        "unit",
        "hashrange",
        *peers,
        "beside",
        "ratio (low..high)",
        "at least",
        "aim",
        "met",
    ]
    lines = [
        "# Results",
        "",
        "Written by `bench/table.py`; do not edit. What each case means: `bench/README.md`. "
        "Less is better in every column; a figure is the median of the rounds, "
        "± half their range.",
        "",
        f"{about['items']:,} items of {about['item bytes']} bytes in msgpack, "
        f"seed {about['seed']}, {about['rounds']} rounds interleaved among the peers.",
        "",
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * len(heads),
    ]
    for entry in rows:
        figures, target = entry["figures"], entry["target"]
        beside = "; ".join(_beside(figures, name) for name in others if name in figures)
        ratio = entry["ratio"]
        ratio_text = (
            f"{ratio[0]:.2f}x ({ratio[1]:.2f}..{ratio[2]:.2f}) {entry['against']}"
            if ratio
            else (f"to {entry['against']}" if entry["against"] else "")
        )
        lines.append(
            "| "
            + " | ".join(
                [
                    entry["case"],
                    entry["unit"],
                    cell(figures.get("hashrange")),
                    *(cell(figures.get(name)) for name in peers),
                    beside,
                    ratio_text,
                    _limit(target, entry["unit"], target.least) if target else "-",
                    _limit(target, entry["unit"], target.aim) if target else "-",
                    VERDICTS[entry["verdict"]],
                ]
            )
            + " |"
        )
    lines += ["", "## Notes", ""]
    lines += [f"- {entry['case']}: {entry['note']}." for entry in rows if entry["note"]]
    lines += [
        f"- {entry['case']}: the aim also asks for at most {factor:g} times the figure of {name}."
        for entry in rows
        if entry["target"]
        for name, factor in entry["target"].aim_also
    ]
    lines += [
        f"- {entry['case']}: {name}: {value['error']}."
        for entry in rows
        for name, value in entry["figures"].items()
        if "error" in value
    ]
    lines += [f"- {note}." for note in about["notes"]]
    lines += ["", "## Machine", "", "| | |", "|---|---|"]
    lines += [f"| {key} | {value} |" for key, value in about["machine"].items()]
    lines += [f"| {key} | {value} |" for key, value in about["versions"].items()]
    lines += [f"| command | `{about['command']}` |", f"| took | {about['took_s']:.0f} s |", ""]
    return "\n".join(lines)


def as_json(rows: list[dict], about: dict) -> dict:
    """Return everything, rounds too, as plain data."""
    plain = [
        {
            **entry,
            "target": None
            if entry["target"] is None
            else {
                "least": None if entry["target"].least == float("inf") else entry["target"].least,
                "aim": entry["target"].aim,
                "against": entry["target"].against,
                "aim_also": list(entry["target"].aim_also),
            },
        }
        for entry in rows
    ]
    return {"about": about, "rows": plain}


def plot(rows: list[dict], path: Path) -> bool:
    """Draw ratios to every peer per case, with a line at the least and the aim; False if there
    is nothing to draw."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    drawn = [
        entry
        for entry in rows
        if entry["target"]
        and entry["target"].against
        and "median" in entry["figures"].get("hashrange", {})
    ]
    if not drawn:
        return False
    names = [
        name
        for name in dict.fromkeys(name for entry in drawn for name in entry["figures"])
        if not name.startswith("hashrange")
    ]
    figure, axes = pyplot.subplots(figsize=(12, 1.5 + 0.75 * len(drawn)))
    height = 0.8 / len(names)
    colours = pyplot.get_cmap("tab10")
    for rank, name in enumerate(names):
        places, ratios = [], []
        for place, entry in enumerate(drawn):
            value = entry["figures"].get(name, {}).get("median")
            if value:
                places.append(place + (rank - (len(names) - 1) / 2) * height)
                ratios.append(value / entry["figures"]["hashrange"]["median"])
        axes.barh(places, ratios, height=height * 0.9, color=colours(rank % 10), label=name)
    for place, entry in enumerate(drawn):
        target = entry["target"]
        for value, style, label in ((target.least, "-", "at least"), (target.aim, "--", "aim")):
            axes.plot(
                [value, value],
                [place - 0.45, place + 0.45],
                style,
                color="black",
                linewidth=1.5,
                label=label if place == 0 else None,
            )
    axes.axvline(1.0, color="grey", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(drawn)))
    axes.set_yticklabels(
        [f"{entry['case']}\n(target: {entry['against']})" for entry in drawn], fontsize=8
    )
    axes.invert_yaxis()
    axes.set_xlabel("times faster than the peer (log scale; left of 1: the peer is faster)")
    axes.legend(fontsize=8, ncol=6, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return True


def write(rows: list[dict], about: dict, directory: Path, json_path: Path) -> None:
    """Write RESULTS.md, the plot beside it, and the JSON."""
    text = markdown(rows, about)
    picture = directory / "results.png"
    if plot(rows, picture):
        text = text.replace("\n## Notes\n", "\n![ratios](results.png)\n\n## Notes\n", 1)
    (directory / "RESULTS.md").write_text(text)
    json_path.write_text(json.dumps(as_json(rows, about), indent=1) + "\n")
