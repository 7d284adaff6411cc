"""Answers after which no request is opened: the caller is advised, or refused with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules.answer import shown_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.service_requests.rules.request_type import Definition, Stop


@dataclass(frozen=True)
class AdviceForm:
    """A call that ends without a request: which type was asked about, and the answers that ended it."""

    type_code: str
    answers: Mapping[str, Any] = field(default_factory=dict)
    premise_id: int | None = None
    account_id: int | None = None
    person_id: int | None = None
    conversation_id: int | None = None


def stop_of(definition: Definition, answers: Mapping[str, Any]) -> Stop | None:
    """The first row whose answer was given, to a question that is asked; None when a request can be opened."""
    asked = {each.code: answers.get(each.code) for each in shown_fields(definition, answers)}
    return next((each for each in definition.stops if each.when.holds(asked)), None)
