"""What a check is: a name, a look at an examination, and the sentence that mends what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from fcrewardbench.errors import FCRewardBenchError

if TYPE_CHECKING:
    from fcrewardbench.doctor.examination import Examination


class Grade(StrEnum):
    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to: what was seen, and how to mend it where that is needed."""

    check: str
    grade: Grade
    seen: str
    mend: str = ""


Seen: TypeAlias = tuple[Grade, str]


class CannotCheck(Exception):
    """A check that this machine cannot carry out; the message says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `look` says what it sees; `mend` is one sentence on what to do about it."""

    name: str
    mend: str
    look: Callable[[Examination], Seen]

    def find(self, examination: Examination) -> Finding:
        """The finding. A check that cannot be carried out says so, and never ends the examination."""
        try:
            grade, seen = self.look(examination)
        except CannotCheck as why:
            grade, seen = Grade.SKIPPED, str(why)
        except FCRewardBenchError as why:
            grade, seen = Grade.FAIL, str(why)
        except Exception as why:  # a look loads and runs what others wrote
            grade, seen = Grade.WARN, f"could not be checked ({type(why).__name__}: {why})"
        mends = grade in (Grade.WARN, Grade.FAIL)
        return Finding(self.name, grade, seen, self.mend if mends else "")


def check(name: str, mend: str) -> Callable[[Callable[[Examination], Seen]], Check]:
    """Makes a check out of its look."""
    return lambda look: Check(name, mend, look)
