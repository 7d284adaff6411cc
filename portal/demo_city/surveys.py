"""Two waves of a community survey with different numbers of answers, so that a trend has something to be careful about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from db.bulk import json_text
from portal.demo_city.draw import chosen, stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.demo_city.city import City

WAVE_COLUMNS = (
    "id", "survey_code", "survey_name", "wave_code", "name", "mode", "population", "asked_from_on", "asked_to_on", "items",
    "method", "places",
)  # fmt: skip
RESPONDENT_COLUMNS = ("id", "wave_id", "district", "mode", "comment")
ANSWER_COLUMNS = ("respondent_id", "item_code", "wave_id", "value")

SCALE = [1, 5]
"""1 is very dissatisfied, 5 very satisfied."""
DONT_KNOW = 9
ITEMS = (
    # code, name, topic, wording, mean of the first and of the second wave, share who do not know
    ("overall", "City services overall", "Overall", "Overall, how satisfied are you with the services of your city?", 3.62, 3.74, 0.02),
    ("electric", "Electric service", "Utilities", "How satisfied are you with your electric service?", 3.95, 3.98, 0.03),
    ("water", "Water service", "Utilities", "How satisfied are you with your water service?", 3.88, 3.9, 0.04),
    ("value", "Value for the bill", "Utilities", "How satisfied are you with the value you get for your utility bill?", 3.1, 2.98, 0.03),
    ("garbage", "Garbage collection", "Solid waste", "How satisfied are you with garbage collection?", 3.71, 3.94, 0.03),
    ("recycling", "Recycling collection", "Solid waste", "How satisfied are you with recycling collection?", 3.55, 3.6, 0.08),
    ("yard_trash", "Yard waste and bulky", "Solid waste", "How satisfied are you with yard waste and bulky collection?", 3.2, 3.55, 0.06),
    ("streets", "Streets", "Streets", "How satisfied are you with the condition of streets?", 2.9, 2.85, 0.01),
    ("desk", "Help from the city", "Contact", "How satisfied are you with the help you get when you contact the city?", 3.6, 3.7, 0.2),
)  # fmt: skip
METHOD = {
    "asked_by": "The city asked and paid",
    "chosen": "Random sample of residential addresses",
    "response_rate": "27%",
    "weights": "None",
    "limits": "Made-up answers of a demo city",
}
WAVES = ((412, 2), (655, 0))
"""Respondents, and how many years before the city's year it was asked."""
COMMENTS = (
    "Pick up the yard piles on time, please.", "Friendly on the phone.", "Bills are hard to understand.", "Fix the potholes first.",
    "Recycling truck skips our end of the street.", "Never had a problem.", "Street lights out for weeks.",
)  # fmt: skip


def waves(city: City) -> Iterator[tuple[Any, ...]]:
    for number, (_, back) in enumerate(WAVES, 1):
        year = city.days.today.year - back - (1 if city.days.today.month < 6 else 0)
        items = [
            {
                "code": code, "name": name, "topic": topic, "wording": wording, "main": code == "overall", "scale": SCALE, "satisfied": [4, 5],
                "dont_know": [DONT_KNOW],
            }
            for code, name, topic, wording, _, _, _ in ITEMS
        ]  # fmt: skip
        places = {area.code: area.name for area in city.areas}
        yield (
            number, "community", "Community survey", str(year), f"Community survey {year}", "mail and web", "adult residents",
            f"{year}-03-01", f"{year}-04-30", json_text(items), json_text(METHOD), json_text(places),
        )  # fmt: skip


def respondents(city: City) -> Iterator[tuple[Any, ...]]:
    generator = stream(city.seed, "respondents")
    codes = [area.code for area in city.areas]
    row = 0
    for number, (count, _) in enumerate(WAVES, 1):
        where = chosen(generator, np.bincount(city.place.district, minlength=len(codes)).tolist(), count).tolist()
        drawn = generator.random((count, 2)).tolist()
        for at in range(count):
            row += 1
            comment = COMMENTS[int(drawn[at][1] * 1000) % len(COMMENTS)] if drawn[at][1] < 0.18 else ""
            yield (
                row,
                number,
                codes[where[at]],
                "mail" if drawn[at][0] < (0.7 if number == 1 else 0.45) else "web",
                comment,
            )


def answers(city: City) -> Iterator[tuple[Any, ...]]:
    generator = stream(city.seed, "answers")
    first = 1
    for number, (count, _) in enumerate(WAVES, 1):
        mood = generator.normal(0, 0.55, count)
        for code, _, _, _, before, after, unsure in ITEMS:
            mean = before if number == 1 else after
            value = np.clip(np.rint(generator.normal(mean, 0.85, count) + mood), 1, 5).astype(int)
            value[generator.random(count) < unsure] = DONT_KNOW
            yield from ((first + at, code, number, answer) for at, answer in enumerate(value.tolist()))
        first += count
