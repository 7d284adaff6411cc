"""Made survey files of the shape of real ones: the numbers of two published surveys, none of their answers."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

HAPPINESS = """
code = "made_happiness"
name = "Happiness, made"
survey = "happiness"
survey_name = "Happiness survey"
blank = ["", "NA"]
respondent_column = "ID"
wave_column = "Year"
district_column = "Ward"

[district]
1 = "Ward 1"
2 = "Ward 2"
3 = "Ward 3"

[scale.ten]
low = 1
high = 10
step = 0.5
satisfied = [8, 8.5, 9, 9.5, 10]

[[item]]
code = "place"
column = "Place"
name = "The city as a place to live"
wording = "How satisfied are you with the city as a place to live?"
scale = "ten"
main = true

[[item]]
code = "happy"
column = "Happy"
name = "Happy right now"
scale = "ten"
"""
"""The three waves differ in how many answered and how they were reached: the first must not be joined with the others."""

WAVE = """
[[wave]]
code = "{code}"
value = "{code}"
name = "{code}"
mode = "{mode}"
population = "Residents"
asked_from_on = {code}-03-01
asked_to_on = {code}-04-30
comparable = "{comparable}"

[wave.method]
asked_by = "The city"
"""
WAVES = "".join(
    WAVE.format(code=code, mode=mode, comparable=comparable)
    for code, mode, comparable in (
        ("2011", "with the city census", "census"), ("2013", "letter", "sample"), ("2015", "letter", "sample"),
    )
)  # fmt: skip
SIZES_AND_MEANS = {"2011": (6167, 7.59), "2013": (193, 7.68), "2015": (185, 8.23)}
"""Answers and mean points by wave, as published for the survey this one is shaped after (domain notes, section d)."""

SMALL = {**SIZES_AND_MEANS, "2011": (300, 7.59)}
"""The same with a first wave that loads faster."""


def with_mean(answers: int, mean: float) -> list[float]:
    """So many points of 1 to 10 whose mean is `mean` to two places."""
    half_points = round(mean * answers * 2)
    low = half_points // answers
    more = half_points - low * answers
    return [(low + (at < more)) / 2 for at in range(answers)]


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Rows as a CSV file with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), "utf-8")
    return path


def happiness(
    folder: Path,
    change: Callable[[list[dict[str, object]]], None] = lambda rows: None,
    sizes: Mapping[str, tuple[int, float]] = SMALL,
) -> tuple[Path, Path]:
    """(file, description) of the happiness survey; wards are told from the second wave on, ward 3 by few."""
    rows: list[dict[str, object]] = []
    draw = random.Random(5)
    for wave, (answers, mean) in sizes.items():
        points = with_mean(answers, mean)
        draw.shuffle(points)
        for at, value in enumerate(points):
            ward = "" if wave == "2011" else "3" if at < 7 else str(1 + at % 2)
            rows.append(
                {
                    "ID": f"{wave}-{at}",
                    "Year": wave,
                    "Place": f"{value:g}",
                    "Happy": 1 + at % 10,
                    "Ward": ward,
                    "Name": "not read",
                }
            )
    change(rows)
    spec = folder / "happiness.toml"
    spec.write_text(HAPPINESS + WAVES, "utf-8")
    return write(folder / "happiness.csv", rows), spec


RESIDENT = """
code = "made_resident"
name = "Resident survey, made"
survey = "resident"
survey_name = "Resident survey"
blank = ["", "NA"]
respondent_column = "id"
wave_column = "wave"
district_column = "district"
mode_column = "mode"

[scale.five]
low = 1
high = 5
satisfied = [4, 5]
dont_know = [9]

[[comment]]
column = "note"
name = "Anything else"

[[wave]]
code = "w1"
value = "w1"
name = "Sep 2025"
mode = "web and mail"
population = "Adult residents"
asked_from_on = 2025-09-01
asked_to_on = 2025-09-30

[[wave]]
code = "w2"
value = "w2"
name = "Mar 2026"
mode = "web and mail"
population = "Adult residents"
asked_from_on = 2026-03-01
asked_to_on = 2026-03-31
"""
ITEM = """
[[item]]
code = "{code}"
column = "{code}"
name = "{name}"
topic = "{topic}"
scale = "five"
main = {main}
"""
ITEMS = (
    ("overall", "Overall quality", "General", "true"),
    ("snow", "Snow removal", "Streets", "true"),
    ("waste", "Solid waste", "Utilities", "false"),
)


def resident(folder: Path) -> tuple[Path, Path]:
    """(file, description) of two comparable waves of 400: snow removal rises from 40 to 60 %, the rest moves by a point or less."""
    satisfied = {"w1": {"overall": 200, "snow": 160, "waste": 220}, "w2": {"overall": 204, "snow": 240, "waste": 221}}
    rows: list[dict[str, object]] = []
    for wave, counts in satisfied.items():
        for at in range(400):
            row: dict[str, object] = {"id": f"{wave}{at}", "wave": wave}
            for code, count in counts.items():
                row[code] = (4 + at % 2) if at < count else (1 + at % 3)
            if at >= 380:
                row["waste"] = 9  # twenty do not know: apart from the base
            row |= {
                "district": f"D{1 + at % 4}",
                "mode": "web" if at % 3 else "mail",
                "note": f"Note {at} <b>of</b> {wave}" if at < 12 else "",
            }
            rows.append(row)
    spec = folder / "resident.toml"
    spec.write_text(RESIDENT + "".join(ITEM.format(code=c, name=n, topic=t, main=m) for c, n, t, m in ITEMS), "utf-8")
    return write(folder / "resident.csv", rows), spec
