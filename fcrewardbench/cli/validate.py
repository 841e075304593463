"""`fcrb validate`."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from fcrewardbench.errors import UsageError

if TYPE_CHECKING:
    from fcrewardbench.submissions.rivals import Rival
    from fcrewardbench.submissions.validate import Checked


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--base", help="A commit: check what was added since, and that nothing else changed.")
@click.option("--author", help="With --base: the GitHub login of who sends the change.")
@click.option("--maintainer", is_flag=True, help="With --base: who sends it may change any entry.")
@click.option("--markdown", is_flag=True, help="Print a comment for the pull request.")
@click.option("--json", "as_json", is_flag=True, help="Print problems and flags as JSON.")
@click.option(
    "--schema", is_flag=True, help="Print the JSON Schema of card.json, and nothing else."
)
def command(
    paths: tuple[Path, ...],
    base: str | None,
    author: str | None,
    maintainer: bool,
    markdown: bool,
    as_json: bool,
    schema: bool,
) -> None:
    """Check submissions: PATH is an entry, the entries of a benchmark, or the folder of all of them.

    Every number of card.json is recomputed from rows.parquet. Exit code 2 where an entry is refused.
    """
    from fcrewardbench.submissions.entries import names_beside
    from fcrewardbench.submissions.validate import check_against, check_entry

    if schema:
        from fcrewardbench.submissions.card import json_schema

        click.echo(json.dumps(json_schema(), indent=2))
        return
    folders, refused = _folders(paths, base, author, maintainer)
    checked = [check_entry(folder) for folder in folders]
    rivals = _rivals(checked)
    for one in checked:
        names = names_beside(one.folder)
        check_against(one, rivals.get(one.folder.parent.name, []), names)
    if markdown:
        from fcrewardbench.submissions.neighbours import markdown as text_of

        click.echo("\n".join([*_refused(refused), text_of(checked, rivals)]))
    elif as_json:
        click.echo(json.dumps([_plain(one) for one in checked], indent=2))
    else:
        for line in _lines(checked, refused):
            click.echo(line)
    bad = [one for one in checked if not one.ok]
    if bad or refused:
        raise UsageError(
            f"{len(bad)} of {len(checked)} entries refused"
            + (f", and {len(refused)} changes that cannot be." if refused else ".")
        )


def _folders(
    paths: tuple[Path, ...], base: str | None, author: str | None, maintainer: bool
) -> tuple[list[Path], dict[PurePosixPath, str]]:
    """Which entries to check, and the changes that are refused."""
    from fcrewardbench.submissions.entries import entry_folders

    if base is None:
        if author is not None or maintainer:
            raise UsageError(
                "--author and --maintainer are for --base, which says what was changed."
            )
        if not paths:
            raise UsageError("Which submission? Give PATH, or --base COMMIT.")
        folders: list[Path] = []
        for path in paths:
            if not path.exists():
                raise UsageError(f"{path} does not exist.")
            if path.is_file():
                raise UsageError(f"{path} is a file: give the entry's folder.")
            found = list(entry_folders(path.absolute()))
            if not found:
                raise UsageError(
                    f"{path} holds no submission: give ORGANISATION__MODEL, the folder of a benchmark "
                    "(open@2) with such folders, or the one above."
                )
            folders += found
        return folders, {}
    if (author is None) != maintainer or len(paths) != 1:
        raise UsageError(
            "--base needs one PATH, the folder of all submissions, and --author LOGIN or --maintainer."
        )
    from fcrewardbench.submissions.changes import change_problems, changed_entries, changes_since

    root = paths[0].absolute()
    changes = changes_since(base, root.parent)
    problems = change_problems(changes, base, author, root.parent, root.name)
    if not changes:
        raise UsageError(f"Nothing differs from {base}.")
    return changed_entries(changes, root.parent, root.name), problems


def _rivals(checked: list[Checked]) -> dict[str, list[Rival]]:
    """Of each benchmark the entries that are valid or are not checked now."""
    from fcrewardbench.submissions.rivals import rival_of, rivals_in

    found = {}
    for benchmark in {one.folder.parent for one in checked}:
        here = [one for one in checked if one.folder.parent == benchmark]
        own = [rival_of(one.entry) for one in here if one.ok and one.entry]
        found[benchmark.name] = own + rivals_in(benchmark, [one.folder for one in here])
    return found


def _lines(checked: list[Checked], refused: dict[PurePosixPath, str]) -> list[str]:
    from fcrewardbench.submissions.entries import shown

    lines = [f"{shown(str(path))}: {why}" for path, why in refused.items()]
    for one in checked:
        lines += [f"{shown(str(one.folder))}: {problem}" for problem in one.problems]
        lines += [f"{one.folder}: odd: {shown(flag)}" for flag in one.flags]
        if one.ok and one.entry:
            names = ", ".join(one.entry.card.results)
            lines.append(f"{one.folder}: valid ({names}; {len(one.entry.rows):,} rows)")
    return lines


def _refused(refused: dict[PurePosixPath, str]) -> list[str]:
    from fcrewardbench.submissions.neighbours import code

    if not refused:
        return []
    return ["### Changes that cannot be", ""] + [
        f"* {code(str(path))}: {code(why)}" for path, why in refused.items()
    ]


def _plain(checked: Checked) -> dict[str, object]:
    return {
        "folder": str(checked.folder),
        "ok": checked.ok,
        "problems": [
            {"file": problem.file, "row": problem.row, "message": problem.message}
            for problem in checked.problems
        ],
        "flags": checked.flags,
    }
