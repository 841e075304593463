"""What a drawn value is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OTHERWISE = 0.4
"""How often a value is said in another form than the one that is due, where there is one."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value as the request says it, and how a call may give it, the best way first.

    Args:
        order: what dates and times are compared by.
        command: what says a truth value by itself, as an order; empty where nothing does.
        statement: the same as a statement.
    """

    said: str
    admissible: tuple[Any, ...]
    order: str = ""
    command: str = ""
    statement: str = ""
