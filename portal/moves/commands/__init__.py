"""The verbs of moves: start, stop, transfer, cancel, hold, release, confirm. One transaction each."""

from portal.moves.commands.change import cancel_move, hold_move, release_move
from portal.moves.commands.confirm import confirm_agreement, confirm_due
from portal.moves.commands.promise import settle_first_bills
from portal.moves.commands.start import start_service
from portal.moves.commands.stop import stop_service
from portal.moves.commands.transfer import transfer_service

__all__ = [
    "cancel_move",
    "confirm_agreement",
    "confirm_due",
    "hold_move",
    "release_move",
    "settle_first_bills",
    "start_service",
    "stop_service",
    "transfer_service",
]
