"""The errors that a user can meet.

```
FCRewardBenchError
├── UsageError          exit code 2: what was asked cannot be done
│   ├── DataError       a benchmark, pairs file or archive is not what it should be
│   ├── UnknownName     no model, adapter or benchmark of that name
│   ├── MissingExtra    a backend is not installed
│   └── ModelError      the model cannot be scored as asked (untrained head, wrong architecture)
└── RunError            exit code 1: the run started and could not be finished
```

What a judge says badly, ties and over-long rows are outcomes, not errors. What only takes long, or is
read as plain text, is a `ToldWarning`.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable


class FCRewardBenchError(Exception):
    """Base of all. The message says what, where, and how to mend it."""

    exit_code = 1


class UsageError(FCRewardBenchError):
    exit_code = 2


class DataError(UsageError):
    """Bad input data; the message names the file, the line and the mend.

    `row` is the place among the file's rows, where one row is to blame.
    """

    def __init__(self, message: str, *, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


class UnknownName(UsageError):
    """A name nobody knows, with the nearest known one."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        guess = f" Did you mean '{near[0]}'?" if near else f" Known: {', '.join(names)}."
        super().__init__(f"There is no {kind} '{name}'.{guess}{' ' + hint if hint else ''}")


class MissingExtra(UsageError):
    """A backend's packages are not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"This needs the package '{package}', which is not installed: "
            f"run pip install 'fcrewardbench[{extra}]'."
        )


class ModelError(UsageError):
    """The model cannot be scored as asked."""


class RunError(FCRewardBenchError):
    """The run started and could not be finished; what is done is kept."""


class ToldWarning(UserWarning):
    """What was asked for works, but otherwise than one may think; commands tell it as a sentence."""


class PlainTextWarning(ToldWarning):
    """A model without a chat template reads conversations as plain text."""


class SlowWarning(ToldWarning):
    """What was asked for works, and takes many times as long as it could."""


def is_of_a_full_disk(why: BaseException) -> bool:
    """Whether it was raised since nothing more can be written."""
    return isinstance(why, OSError) and why.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
