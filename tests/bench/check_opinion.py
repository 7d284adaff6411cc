"""Imports the real survey files, which cannot be shipped, and compares every share with one counted independently by pandas.

    .venv/bin/python tests/bench/check_opinion.py FOLDER      # the folder that holds the two CSV files

Says what it skipped when a file is not there. Leaves nothing behind.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tomllib
from pathlib import Path

import pandas as pd

from db import core, packs_io
from portal.opinion import commands, views

FILES = {
    "kcmo_fy2022_resident_survey.csv": "kansas_city/survey/resident_fy2022.toml",
    "somerville_happiness_2011_2013_2015.csv": "somerville/survey/happiness_2011_2015.toml",
}


def check(file: Path, spec_path: Path, folder: Path) -> int:
    """Imports one file twice and compares; the number of figures that differ."""
    copy = folder / file.name
    copy.write_bytes(file.read_bytes())
    began = time.perf_counter()
    outcome = commands.import_survey(copy, spec_path)
    took = time.perf_counter() - began
    again = commands.import_survey(copy, spec_path)
    faults = int(again.unchanged != outcome.read)
    detail = tomllib.loads(spec_path.read_text("utf-8"))
    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    compared = 0
    for wave in detail["wave"]:
        rows = frame[frame[detail["wave_column"]] == wave["value"]]
        began = time.perf_counter()
        board = views.board(detail["survey"], wave["code"])
        milliseconds = (time.perf_counter() - began) * 1000
        assert board is not None
        lines = {line.code: line.figure for line in board.items}
        for item in detail["item"]:
            scale = detail["scale"][item["scale"]]
            points = pd.to_numeric(rows[item["column"]], errors="coerce")
            points = points[(points >= scale["low"]) & (points <= scale["high"])]
            figure = lines.get(item["code"])
            mine = (0, 0) if figure is None else (figure.answers, figure.satisfied)
            theirs = (len(points), int(points.isin(scale["satisfied"]).sum()))
            compared += 1
            if mine != theirs:
                faults += 1
                print(f"  {wave['code']} {item['code']}: {mine} here, {theirs} by pandas")
        print(f"  {wave['name']}: {board.respondents:,} respondents, page data in {milliseconds:.1f} ms")
    print(
        f"{file.name}: {outcome.read:,} rows in {took:.1f} s, {outcome.answers_rejected} answers left out, {compared} figures compared, {faults} differ"
    )
    return faults


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        database = core.connect(f"sqlite:///{name}/check.sqlite3")
        database.create_schema()
        for file, spec in FILES.items():
            path = Path(sys.argv[1]) / file
            if path.is_file():
                faults += check(path, packs_io.PACKS_DIR / spec, Path(name))
            else:
                print(f"skipped: there is no {path}")
        database.dispose()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
