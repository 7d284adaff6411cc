"""Persons, premises, service points, accounts, service agreements, flags; and the one search over them.

`tables` holds the rows, `queries` what the room asks them, `index` what keeps the search index in the writing transaction,
`find` the search itself.
"""

from db.accounts.find import Found, find, numbered
from db.accounts.index import (
    also_found_by,
    count_terms,
    index_account,
    index_person,
    index_premise,
    rebuild_find_index,
)
from db.accounts.tables import (
    Account,
    AuthorisedPerson,
    FindEntry,
    FindNumber,
    FindTerm,
    FindWord,
    Flag,
    OtherNumber,
    Person,
    Premise,
    ServiceAgreement,
    ServiceArea,
    ServicePoint,
)

__all__ = [
    "Account",
    "AuthorisedPerson",
    "FindEntry",
    "FindNumber",
    "FindTerm",
    "FindWord",
    "Flag",
    "Found",
    "OtherNumber",
    "Person",
    "Premise",
    "ServiceAgreement",
    "ServiceArea",
    "ServicePoint",
    "also_found_by",
    "count_terms",
    "find",
    "index_account",
    "index_person",
    "index_premise",
    "numbered",
    "rebuild_find_index",
]
