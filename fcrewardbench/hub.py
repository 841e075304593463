"""The hub, with errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from fcrewardbench.errors import DataError, UsageError

MODEL_FILES = ("*.json", "*.safetensors", "*.model", "*.jinja", "*.txt", "*.py")


def download(repository: str, file: str, *, revision: str) -> Path:
    """One file of a hub data set, cached by `huggingface_hub`.

    Raises:
        UsageError: no such repository or file, or access is refused.
        DataError: the hub cannot be reached and the file is not in its cache.
    """
    import huggingface_hub

    with _explained(f"{repository}@{revision[:12]}"):
        path = huggingface_hub.hf_hub_download(
            repository, file, revision=revision, repo_type="dataset"
        )
    return Path(path)


def snapshot(repository: str, revision: str | None = None) -> Path:
    """The folder of a hub model at one commit, which is the folder's name.

    Raises:
        UsageError, DataError: see `download`.
    """
    import huggingface_hub

    with _explained(f"{repository}{f'@{revision}' if revision else ''}"):
        path = huggingface_hub.snapshot_download(
            repository, revision=revision, allow_patterns=list(MODEL_FILES)
        )
    return Path(path)


def upload(
    folder: Path,
    repository: str,
    *,
    kind: Literal["model", "dataset", "space"] = "model",
    private: bool = False,
) -> str:
    """Put a folder on the hub, in one commit, and return its address.

    The repository is made where there is none. Of a Space, files that the folder has not are deleted.

    Raises:
        UsageError: the id cannot be, access is refused, or a private repository is asked for and the
            one that is there is public.
        DataError: the hub cannot be reached, or fails.
    """
    import huggingface_hub
    from huggingface_hub import errors

    try:
        hub = huggingface_hub.HfApi()
        space = {"space_sdk": "gradio", "delete": "*"} if kind == "space" else {}
        hub.create_repo(
            repository,
            repo_type=kind,
            private=private,
            exist_ok=True,
            space_sdk=space.get("space_sdk"),
        )
        if private and not hub.repo_info(repository, repo_type=kind).private:
            raise UsageError(f"{repository} is there already, and public: nothing was uploaded.")
        made = hub.upload_folder(
            repo_id=repository,
            folder_path=folder,
            repo_type=kind,
            delete_patterns=space.get("delete"),
        )
    except errors.HFValidationError as why:
        raise UsageError(f"The hub takes no repository '{repository}': give OWNER/NAME.") from why
    except errors.OfflineModeIsEnabled as why:
        raise UsageError("HF_HUB_OFFLINE is set, so nothing can be uploaded: unset it.") from why
    except errors.HfHubHTTPError as why:
        status = why.response.status_code
        if status in (401, 403):
            raise UsageError(f"The hub refuses access to {repository}: run hf auth login.") from why
        raise DataError(f"The hub fails at {repository} ({status}): try again later.") from why
    # Where huggingface_hub is built on httpx, no answer at all is no OSError.
    except (OSError, getattr(errors, "HTTPError", OSError)) as why:
        raise DataError(f"The upload to {repository} failed: {why}") from why
    return str(made.commit_url)


@contextmanager
def _explained(where: str) -> Iterator[None]:
    """The hub's errors as sentences."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as why:
        raise UsageError(f"{where} is gated: accept its terms, then run hf auth login.") from why
    except (
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
        errors.HFValidationError,
    ) as why:
        raise UsageError(f"The hub has no {where}: check the id and the revision.") from why
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, OSError) as why:
        raise DataError(
            f"The hub cannot be reached for {where}, and it is not in the cache: go online, or give "
            "a local folder or file."
        ) from why
