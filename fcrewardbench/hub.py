"""The hub, with errors that say what to do."""

from __future__ import annotations

from pathlib import Path

from fcrewardbench.errors import DataError, MissingExtra, UsageError


def download(
    repository: str, file: str, *, revision: str | None = None, dataset: bool = False
) -> Path:
    """One file of a hub repository, cached by `huggingface_hub`.

    Raises:
        MissingExtra: huggingface_hub is not installed.
        UsageError: no such repository, or access is refused.
        DataError: the hub cannot be reached and the file is not in its cache.
    """
    try:
        import huggingface_hub
        from huggingface_hub.errors import (
            EntryNotFoundError,
            GatedRepoError,
            HFValidationError,
            LocalEntryNotFoundError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )
    except ImportError:
        raise MissingExtra("huggingface_hub", "hub") from None
    where = f"{repository}{'@' + revision[:12] if revision else ''}"
    try:
        return Path(
            huggingface_hub.hf_hub_download(
                repository, file, revision=revision, repo_type="dataset" if dataset else "model"
            )
        )
    except LocalEntryNotFoundError as why:
        raise DataError(
            f"The hub cannot be reached for {where} and {file} is not in its cache: go online, or "
            "give a local folder or file."
        ) from why
    except GatedRepoError as why:
        raise UsageError(f"{where} is gated: accept its terms and run hf auth login.") from why
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as why:
        raise UsageError(f"The hub has no {where}: check the id and the revision.") from why
    except EntryNotFoundError as why:
        raise UsageError(f"{where} on the hub has no file {file}.") from why
    except OSError as why:
        raise DataError(
            f"The hub cannot be reached for {where} ({type(why).__name__}): go online, or give a "
            "local folder or file."
        ) from why
