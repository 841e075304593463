"""Run sequences through a transformers decoder, and hand over what each of them comes to.

With the prompt shared, the prefix tree of all sequences is computed node by node (`plan`, `tree`).
Without, each sequence goes through the model alone, unpadded: the reference, and the way of models
whose attention cannot be chosen. Both read the same final hidden states.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from queue import SimpleQueue
from threading import Thread
from typing import Any, Literal

import torch

from fcrewardbench.errors import RunError
from fcrewardbench.scoring.head import Head
from fcrewardbench.scoring.plan import Batch, Branch, Chapter, Plan, pack, plan
from fcrewardbench.scoring.tree import NAME, Layout, Pass, Span, State, attending, places, register

LEAST_BATCH_TOKENS = 64

Sharing = Literal["kernel", "blocks", "none"]
"""How a network shares what sequences have in common: in one flex-attention kernel, block of queries
by block of queries, or not at all."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one sequence came to.

    `states` are the final hidden states at the positions asked for, float32 [n, hidden size];
    `logprobs` those of its tokens from its branch's start on. Both are on the CPU. `computed` is the
    number of tokens that were computed since the sequence before it was finished.
    """

    sequence: int
    states: torch.Tensor | None
    logprobs: torch.Tensor | None
    computed: int


class Engine:
    """A decoder on one or several devices.

    Args:
        networks: copies of one decoder without its head, each on its device.
        heads: the language-model head of each, where log-probabilities are wanted.
        sharing: what `prepare` said of them.
        batch_tokens: new tokens in one forward pass. Running out of memory halves it.
        state_tokens: see `pack`; None for no limit.
    """

    def __init__(
        self,
        networks: Sequence[Any],
        heads: Sequence[Head] = (),
        *,
        sharing: Sharing,
        batch_tokens: int,
        state_tokens: int | None = None,
    ) -> None:
        self._networks = networks
        self._heads = heads
        self.sharing = sharing
        self.batch_tokens = batch_tokens
        self._state_tokens = state_tokens
        self.windows: list[int | None] = []
        """The sliding window of each layer in the last pass over a tree."""

    def plan(self, branches: Sequence[Branch]) -> Plan:
        """The work as `run` does it."""
        if self.sharing != "none":
            return plan(branches, workers=len(self._networks))
        return replace(plan(branches), chapters=tuple(_alone(branches)))

    def run(
        self,
        branches: Sequence[Branch],
        at: Sequence[Sequence[int]] | None = None,
        *,
        done: frozenset[int] = frozenset(),
    ) -> Iterator[Result]:
        """Results as they come, one a sequence; those that share a batch come together.

        Args:
            branches: the sequences. Log-probabilities are given if there are heads.
            at: for each, the positions whose hidden states are wanted.
            done: groups whose results are not wanted. A chapter with no other group is left out, and
                all else is computed as if they were.

        Raises:
            RunError: out of memory with the smallest batch.
        """
        chapters = [
            chapter
            for chapter in self.plan(branches).chapters
            if any(branches[sequence].group not in done for sequence in chapter.ends)
        ]
        work = _Work(branches, at)
        if len(self._networks) == 1:
            for chapter in chapters:
                yield from self._chapter(0, chapter, work)
        else:
            yield from self._together(chapters, work)

    def _together(self, chapters: Sequence[Chapter], work: _Work) -> Iterator[Result]:
        """Each device takes the next chapter when it is through with one."""
        to_do: SimpleQueue[Chapter | None] = SimpleQueue()
        results: SimpleQueue[Result | BaseException | None] = SimpleQueue()
        for chapter in chapters:
            to_do.put(chapter)
        stopping = False

        def worker(device: int) -> None:
            try:
                while not stopping and (chapter := to_do.get()) is not None:
                    for result in self._chapter(device, chapter, work):
                        results.put(result)
                        if stopping:
                            return
            except BaseException as why:  # handed to the caller below, whatever it is
                results.put(why)
            finally:
                results.put(None)

        threads = [Thread(target=worker, args=(index,)) for index in range(len(self._networks))]
        for thread in threads:
            to_do.put(None)
            thread.start()
        try:
            running = len(threads)
            while running:
                result = results.get()
                if result is None:
                    running -= 1
                elif isinstance(result, Result):
                    yield result
                else:
                    raise result
        finally:
            stopping = True
            for thread in threads:
                thread.join()

    def _chapter(self, device: int, chapter: Chapter, work: _Work) -> Iterator[Result]:
        """A chapter from its beginning; once more with smaller batches where memory runs out."""
        given: set[int] = set()
        while True:
            budget = self.batch_tokens
            try:
                for result in self._attempt(device, chapter, work, budget):
                    if result.sequence not in given:
                        given.add(result.sequence)
                        yield result
                return
            except (torch.OutOfMemoryError, RuntimeError) as why:
                if not _is_out_of_memory(why):
                    raise
                reason = str(why).splitlines()[0]
            if budget <= LEAST_BATCH_TOKENS or self.sharing == "none":
                raise RunError(
                    f"Out of memory with {budget} tokens in a batch ({reason}): choose a smaller "
                    "--dtype, or a device with more memory."
                )
            self.batch_tokens = min(self.batch_tokens, max(budget // 2, LEAST_BATCH_TOKENS))
            torch.cuda.empty_cache()

    def _attempt(self, device: int, chapter: Chapter, work: _Work, budget: int) -> Iterator[Result]:
        if self.sharing == "none":
            for run in chapter.runs:
                yield self._whole(device, run.sequence, work)
            return
        cost = 0
        state = State()
        batches = list(pack(chapter, budget, self._state_tokens))
        for index, batch in enumerate(batches):
            keep = batches[index + 1].kept if index + 1 < len(batches) else 0
            costs = {}
            for run in batch.runs:
                cost += run.end - run.start
                for sequence in run.ends:
                    costs[sequence], cost = cost, 0
            state, results = self._batch(device, batch, state, keep, work)
            for sequence, states, logprobs in results:
                yield Result(sequence, states, logprobs, costs[sequence])

    def _batch(
        self, device: int, batch: Batch, state: State, keep: int, work: _Work
    ) -> tuple[State, list[tuple[int, torch.Tensor | None, torch.Tensor | None]]]:
        """One forward pass, the state after it, and the sequences that it finished."""
        network = self._networks[device]
        layout = Layout(batch, work.branches)
        current = Pass(layout, state, keep, network.device, kernel=self.sharing == "kernel")
        with torch.inference_mode(), attending(current):
            hidden = _hidden(network, layout.ids, layout.positions)
            self.windows = current.windows
            if state.hidden is not None and layout.kept:
                hidden = torch.cat([state.hidden, hidden])
            logprobs = None
            if self._heads:
                logprobs = self._logprobs(device, layout, hidden, state)
            finished = [
                (sequence, *work.read(sequence, path, hidden, logprobs))
                for sequence, path in layout.ended
            ]
            if current.keep:
                kept = places(current.keep, network.device)
                current.next.hidden = hidden[kept]
                current.next.logprobs = None if logprobs is None else logprobs[kept.cpu()]
        return current.next, finished

    def _logprobs(
        self, device: int, layout: Layout, hidden: torch.Tensor, state: State
    ) -> torch.Tensor:
        """For each place the log-probability of its token, on the CPU; 0 where it is not wanted."""
        result = torch.zeros(layout.kept + len(layout.ids))
        if state.logprobs is not None and layout.kept:
            result[: layout.kept] = state.logprobs
        previous = torch.tensor([layout.previous[index] for index in layout.scored]).long()
        targets = torch.tensor([layout.ids[index] for index in layout.scored]).long()
        wanted = torch.tensor(layout.scored).long() + layout.kept
        result[wanted] = self._token_logprobs(device, hidden, previous, targets)
        return result

    def _whole(self, device: int, sequence: int, work: _Work) -> Result:
        """One sequence alone, with the network's own attention."""
        network, branch = self._networks[device], work.branches[sequence]
        with torch.inference_mode():
            hidden = _hidden(network, branch.ids, None)
            logprobs = None
            if self._heads:
                previous = torch.arange(branch.start - 1, len(branch.ids) - 1)
                targets = torch.tensor(list(branch.ids[branch.start :])).long()
                logprobs = torch.zeros(len(branch.ids))
                logprobs[branch.start :] = self._token_logprobs(device, hidden, previous, targets)
            wanted, own = work.read(sequence, ((0, len(branch.ids)),), hidden, logprobs)
        return Result(sequence, wanted, own, len(branch.ids))

    def _token_logprobs(
        self, device: int, hidden: torch.Tensor, previous: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        """Log-probability of each target [n] given the state at the place before it [n], on the CPU."""
        states = hidden[previous.to(hidden.device)]
        return self._heads[device].logprobs(states, targets.to(hidden.device)).cpu()


@dataclass(frozen=True, slots=True)
class _Work:
    """What is asked of a run."""

    branches: Sequence[Branch]
    at: Sequence[Sequence[int]] | None

    def read(
        self,
        sequence: int,
        path: Sequence[Span],
        hidden: torch.Tensor,
        logprobs: torch.Tensor | None,
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """States and log-probabilities of a sequence whose tokens stand at `path`."""
        where = places(path, "cpu")
        states = own = None
        if self.at is not None:
            wanted = where[torch.tensor(self.at[sequence]).long()]
            states = hidden[wanted.to(hidden.device)].float().cpu()
        if logprobs is not None:
            own = logprobs[where[self.branches[sequence].start :]]
        return states, own


def prepare(network: Any) -> tuple[Sharing, str]:
    """Let a decoder's attention be the tree's, and try it.

    Short sequences with a common beginning go through the network as it was, and then as a tree, cut in
    the middle. A network whose attention cannot be chosen, or whose states are others then, is left
    as it was.

    Returns:
        How it shares, and where it does not, the reason.
    """
    register()
    own = network.config._attn_implementation
    reason = _why_not(network)
    if reason:
        return "none", reason
    vocabulary = network.config.get_text_config().vocab_size
    expected, _ = _probe(Engine([network], sharing="none", batch_tokens=_PROBE_LENGTH), vocabulary)
    network.set_attn_implementation(NAME)
    ways: list[Sharing] = ["kernel", "blocks"] if network.device.type == "cuda" else ["blocks"]
    for way in ways:
        try:
            found, windows = _probe(
                Engine([network], sharing=way, batch_tokens=_PROBE_LENGTH // 2), vocabulary
            )
        except (
            Exception
        ) as why:  # whatever a model or a compiler raises where it does not take a tree
            reason = f"{type(why).__name__}: {str(why).splitlines()[0] if str(why) else ''}"
            continue
        if _window_of(network) and not any(windows):
            reason = "its sliding window is in its mask alone"
            continue
        gap = float((found - expected).norm() / expected.norm())
        if gap < _PROBE_TOLERANCE:
            return way, ""
        reason = f"its states differ by {gap:.1%} when it shares"
    network.set_attn_implementation(own)
    return "none", reason


_PROBE_LENGTH = 24
_PROBE_TOLERANCE = 0.1  # bfloat16 gives 0.02, a wrong mask or position 0.5 and more


def _why_not(network: Any) -> str:
    """Why a network's attention cannot be the tree's, as far as its configuration tells."""
    if not getattr(network, "_supports_attention_backend", False):
        return "its attention cannot be chosen"
    config = network.config.get_text_config()
    rope = getattr(config, "rope_parameters", None) or {}
    kinds = {part.get("rope_type") for part in (rope, *rope.values()) if isinstance(part, dict)}
    if kinds & {"dynamic", "longrope"}:
        return "it rotates positions by the length of the whole pass"
    if getattr(config, "attention_chunk_size", None):
        return "its attention is cut into chunks by its mask"
    return ""


def _window_of(network: Any) -> bool:
    """Whether some layers see a sliding window only."""
    config = network.config.get_text_config()
    layers = getattr(config, "layer_types", None)
    if layers:
        return "sliding_attention" in layers
    return bool(getattr(config, "sliding_window", None)) and getattr(
        config, "use_sliding_window", True
    )


def _probe(engine: Engine, vocabulary: int) -> tuple[torch.Tensor, list[int | None]]:
    """The last states of three sequences that share their beginnings, and each layer's window."""
    common = [11 + 7 * index for index in range(_PROBE_LENGTH - 4)]
    ends = ([5, 6, 7, 8], [5, 6, 9, 10], [17, 18, 19, 20])
    rows = [[token % vocabulary for token in (*common, *end)] for end in ends]
    branches = [Branch(row, 0, len(row)) for row in rows]
    results = engine.run(branches, [(_PROBE_LENGTH - 1,)] * len(branches))
    states = {result.sequence: result.states for result in results}
    found = [states[index] for index in range(len(branches))]
    return torch.cat([state for state in found if state is not None]), engine.windows


def _hidden(network: Any, ids: Sequence[int], positions: Sequence[int] | None) -> torch.Tensor:
    """Final hidden states [tokens, hidden size] of one row."""
    device = network.device
    where = None if positions is None else torch.tensor([positions], device=device)
    output = network(
        input_ids=torch.tensor([list(ids)], device=device), position_ids=where, use_cache=False
    )
    states: torch.Tensor = output.last_hidden_state[0]
    return states


def _alone(branches: Sequence[Branch]) -> Iterator[Chapter]:
    """A chapter per sequence, each whole."""
    for index, branch in enumerate(branches):
        for chapter in plan([branch]).chapters:
            runs = tuple(replace(run, sequence=index, ends=(index,)) for run in chapter.runs)
            yield Chapter(runs)


def _is_out_of_memory(why: Exception) -> bool:
    return isinstance(why, torch.OutOfMemoryError) or "allocate memory" in str(why)
