"""`fcrb render`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from fcrewardbench.adapters.base import Adapter, Scorer
from fcrewardbench.adapters.folder import load_tokenizer
from fcrewardbench.adapters.registry import Loaded, load_named
from fcrewardbench.cli.options import ModelChoice, model_options
from fcrewardbench.cli.show import differs, find
from fcrewardbench.errors import UsageError
from fcrewardbench.render import Renderer
from fcrewardbench.types import Input, Item, Pair

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_PIECES = re.compile(r"\s+|\w+|[^\w\s]")
OPEN, CLOSE = "⟦", "⟧"


@click.command()
@model_options
@click.argument("pair_id")
@click.option("--benchmark", help="Where the pair is.  [default: what an id of open says, or open]")
@click.option("--tokens", is_flag=True, help="Token ids and pieces instead of text.")
def command(choice: ModelChoice, pair_id: str, benchmark: str | None, tokens: bool) -> None:
    """Show the exact text and tokens that a model reads of one pair.

    What all candidates share comes once, dimmed; of the rest, ⟦ ⟧ mark what the right candidate does
    not have (and in the right one, what the others do not). A judge reads both candidates at once, in
    both orders. The weights are not looked at.
    """
    from rich.console import Console

    loaded = load_named(choice.named(), choice.adapter, **choice.options)
    item = find(pair_id, benchmark)
    inputs = loaded.adapter.inputs(item.group())
    if inputs is None:
        raise UsageError(
            f"The adapter '{loaded.adapter_name}' reads no text, or has no inputs() that tells which."
        )
    console = Console(highlight=False, soft_wrap=True)
    console.print(_plain(f"{item.id}  {loaded.adapter_name} of {loaded.name}", "bold"))
    for line in (*_form(loaded.adapter), _counts(inputs)):
        console.print(_plain(line))
    if tokens:
        _print_tokens(console, item, inputs, loaded, choice)
    else:
        _print_texts(console, item, inputs, loaded.adapter)


def _form(adapter: Adapter) -> list[str]:
    """How the text is made, where the toolkit makes it with the model's template."""
    renderer = getattr(adapter, "renderer", None)
    if not isinstance(renderer, Renderer):
        return []
    tools = "as its template writes them" if renderer.native_tools else "in our form"
    calls = "as its template writes them" if renderer.native_calls else "as a JSON list"
    return [f"template {renderer.template_sha256}", f"tools {tools}; calls {calls}"]


def _counts(inputs: Sequence[Input]) -> str:
    if not all(fed.ids for fed in inputs):
        shared = _shared([fed.text for fed in inputs])
        each = ", ".join(str(len(fed.text)) for fed in inputs)
        return f"characters: {shared} shared; {each} in all"
    shared = _shared([fed.ids for fed in inputs])
    prompt = min(fed.start for fed in inputs)
    each = ", ".join(str(len(fed.ids)) for fed in inputs)
    return f"tokens: {prompt} of the prompt, {shared} shared; {each} in all"


def _print_texts(console: Console, item: Item, inputs: Sequence[Input], adapter: Adapter) -> None:
    shared = _shared([fed.text for fed in inputs])
    rests = [_PIECES.findall(fed.text[shared:]) for fed in inputs]
    console.print(_plain(inputs[0].text[:shared], "dim"))
    for (heading, style), rest, other in _against(item, rests, adapter):
        console.print(_plain(f"── {heading}", "bold"))
        console.print(_marked(rest, differs(rest, other), style, ""))


def _print_tokens(
    console: Console, item: Item, inputs: Sequence[Input], loaded: Loaded, choice: ModelChoice
) -> None:
    if not all(fed.ids for fed in inputs):
        raise UsageError(
            "This adapter sends text, so it has no tokens to show: leave --tokens out."
        )
    remote_code = bool(choice.options.get("trust_remote_code"))
    tokenizer = (
        load_tokenizer(str(loaded.folder), trust_remote_code=remote_code) if loaded.folder else None
    )
    shared = _shared([fed.ids for fed in inputs])
    rests = [_pieces(fed.ids[shared:], tokenizer) for fed in inputs]
    console.print(_plain(" ".join(_pieces(inputs[0].ids[:shared], tokenizer)), "dim"))
    for (heading, style), rest, other in _against(item, rests, loaded.adapter):
        console.print(_plain(f"── {heading}, {len(rest)} tokens of its own", "bold"))
        console.print(_marked(rest, differs(rest, other), style, " "))


def _pieces(ids: Sequence[int], tokenizer: Any) -> list[str]:
    """`42:Ġthe`, or the bare id where there is no tokenizer."""
    if tokenizer is None:
        return [str(id) for id in ids]
    words = tokenizer.convert_ids_to_tokens(list(ids))
    return [f"{id}:{word}" for id, word in zip(ids, words, strict=True)]


def _against(
    item: Item, rests: list[list[str]], adapter: Adapter
) -> list[tuple[tuple[str, str], list[str], list[str]]]:
    """For each input its heading and style, its pieces, and those that it is compared with."""
    labels = _labels(item, adapter)
    right = next(n for n, (_, style) in enumerate(labels) if style == "green")
    rival = next(n for n in range(len(labels)) if n != right)
    return [
        (label, rest, rests[rival if n == right else right])
        for n, (label, rest) in enumerate(zip(labels, rests, strict=True))
    ]


def _labels(item: Item, adapter: Adapter) -> list[tuple[str, str]]:
    correct = item.group().correct
    assert correct is not None
    right, wrong = ("chosen", "rejected") if isinstance(item, Pair) else ("right", "wrong")
    names = [right if is_right else wrong for is_right in correct]
    if isinstance(adapter, Scorer):
        return [
            (f"candidate {n} ({name})", "green" if name == right else "red")
            for n, name in enumerate(names, 1)
        ]
    return [
        (f"order 1: {' before '.join(names)}", "green"),
        (f"order 2: {' before '.join(names[::-1])}", "red"),
    ]


def _marked(pieces: list[str], differs: list[bool], style: str, between: str) -> Text:
    from rich.text import Text

    text = Text()
    inside = False
    for index, (piece, marked) in enumerate(zip(pieces, differs, strict=True)):
        if inside and not marked:
            text.append(CLOSE, style)
        text.append(between if index else "")
        if marked and not inside:
            text.append(OPEN, style)
        text.append(piece, f"bold {style}" if marked else "")
        inside = marked
    text.append(CLOSE if inside else "", style)
    return text


def _shared(inputs: Sequence[Sequence[object]]) -> int:
    """How long the beginning is that all of them have in common."""
    shortest = min(map(len, inputs))
    return next(
        (n for n in range(shortest) if any(fed[n] != inputs[0][n] for fed in inputs)), shortest
    )


def _plain(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style)
