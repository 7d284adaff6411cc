"""Chance with a memory: every topic of the city has its own stream of numbers, so a change to one leaves the others as they were."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


def stream(seed: int, topic: str, block: int = 0) -> np.random.Generator:
    """The generator of one topic (and one block of it): the same arguments, the same numbers."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(topic.encode()), block])))


def chosen(generator: np.random.Generator, weights: Sequence[float], count: int) -> np.ndarray:
    """`count` positions in a list, drawn by weight."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    return np.searchsorted(edges, generator.random(count) * edges[-1], side="right").astype(np.int64)


def spread(generator: np.random.Generator, count: int) -> np.ndarray:
    """Lognormal factors around 1: most households near the middle, a few far above it."""
    return np.exp(generator.normal(-0.06, 0.34, count))
