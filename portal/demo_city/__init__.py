"""The demo city: a believable city from a seed, for trying the portal, for its tests and for its measurements.

It stands above all rooms, beside `portal.__main__`: it computes bills with the rules that bill real accounts
(`portal.billing.rules`), due times with those that promise them (`portal.shared.calendar`), and writes rows through
`db.bulk`. The database floor could not hold it, since that floor may not look up at rules.
The same seed, size and day make the same rows, byte for byte, on both databases.
"""

from portal.demo_city.build import Counts, NotADemo, build, marker

__all__ = ["Counts", "NotADemo", "build", "marker"]
