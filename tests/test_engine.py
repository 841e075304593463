"""The engine gives what single passes give, whatever the architecture, budget, cut and device count."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
import transformers

from fcrewardbench.adapters.network import decoder_of, head_of
from fcrewardbench.errors import RunError
from fcrewardbench.scoring import engine as engines
from fcrewardbench.scoring import plan as planning
from fcrewardbench.scoring.engine import Engine, Result, prepare
from fcrewardbench.scoring.plan import Branch
from fcrewardbench.scoring.tree import _owned

TOLERANCE = 1e-4
SIZES = {
    "vocab_size": 97, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 512,
}  # fmt: skip
ARCHITECTURES: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaConfig(**SIZES),
    "qwen3": lambda: transformers.Qwen3Config(**SIZES),
    "sliding": lambda: transformers.Gemma3TextConfig(
        **SIZES, sliding_window=9, layer_types=["sliding_attention", "full_attention", "sliding_attention"]
    ),
    "capped": lambda: transformers.Gemma2Config(**SIZES, sliding_window=11),
    "granite": lambda: transformers.GraniteConfig(**SIZES, logits_scaling=3.0, attention_multiplier=0.2),
    "gpt2": lambda: transformers.GPT2Config(vocab_size=97, n_embd=32, n_layer=2, n_head=4),
}  # fmt: skip


def network_of(name: str, dtype: torch.dtype = torch.float32) -> Any:
    torch.manual_seed(0)
    network = transformers.AutoModelForCausalLM.from_config(ARCHITECTURES[name]())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(4)  # random weights are so small that a wrong mask would hardly show
    return network.to(dtype).eval()


def branches_of(seed: int = 0, groups: int = 9) -> list[Branch]:
    """Groups of three that share a prompt, prompts that share a beginning, and one sequence twice."""
    draw = random.Random(seed)

    def some(length: int) -> list[int]:
        return [draw.randrange(97) for _ in range(length)]

    openings = [some(20), some(5)]
    made = []
    for group in range(groups):
        prompt = [*openings[group % 2], *some(draw.randrange(1, 30))]
        answer = some(draw.randrange(1, 12))
        ends = [answer, [*answer[:-1], 5, 6], answer if group == 0 else some(4)]
        made += [Branch([*prompt, *end], group, len(prompt)) for end in ends]
    return made


BRANCHES = branches_of()
AT = [(len(branch.ids) - 1, branch.start - 1) for branch in BRANCHES]


def run(
    networks: Sequence[Any], *, sharing: Any = None, **settings: Any
) -> tuple[dict[int, Result], Engine]:
    if sharing is None:
        sharing, _ = [prepare(decoder_of(network)) for network in networks].pop()
    made = Engine(
        [decoder_of(network) for network in networks],
        [head_of(network) for network in networks],
        sharing=sharing,
        **{"batch_tokens": 64, **settings},
    )
    results = list(made.run(BRANCHES, AT))
    assert len(results) == len(BRANCHES)
    return {result.sequence: result for result in results}, made


def assert_equal(found: dict[int, Result], expected: dict[int, Result]) -> None:
    assert found.keys() == expected.keys()
    for sequence, result in expected.items():
        one = found[sequence]
        assert one.states is not None
        assert one.logprobs is not None
        torch.testing.assert_close(one.states, result.states, atol=TOLERANCE, rtol=TOLERANCE)
        torch.testing.assert_close(one.logprobs, result.logprobs, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.fixture(scope="module", params=list(ARCHITECTURES))
def architecture(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def alone(architecture: str) -> dict[int, Result]:
    return run([network_of(architecture)], sharing="none")[0]


def test_alone_is_what_transformers_computes(architecture: str, alone: dict[int, Result]) -> None:
    network = network_of(architecture)
    for index, branch in enumerate(BRANCHES[:6]):
        with torch.inference_mode():
            output = network(input_ids=torch.tensor([branch.ids]), output_hidden_states=True)
        logprobs = output.logits[0].log_softmax(1)
        expected = [
            float(logprobs[p - 1, branch.ids[p]]) for p in range(branch.start, len(branch.ids))
        ]
        logprobs_alone = alone[index].logprobs
        assert logprobs_alone is not None
        assert logprobs_alone.tolist() == pytest.approx(expected, abs=TOLERANCE)
        states = output.hidden_states[-1][0, list(AT[index])]
        torch.testing.assert_close(alone[index].states, states, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize(
    "settings",
    [{"batch_tokens": 1000}, {"batch_tokens": 7}, {"batch_tokens": 13, "state_tokens": 4}],
)
def test_a_tree_gives_what_single_passes_give(
    architecture: str, alone: dict[int, Result], settings: dict[str, int]
) -> None:
    found, made = run([network_of(architecture)], **settings)
    assert made.sharing == "blocks"
    assert_equal(found, alone)
    if "state_tokens" not in settings:
        bound = made.plan(BRANCHES).bound
        assert sum(result.computed for result in found.values()) == bound
        assert bound < 0.7 * sum(len(branch.ids) for branch in BRANCHES)


def test_the_gpu_kernel_sees_the_same_tree(architecture: str, alone: dict[int, Result]) -> None:
    """Flex attention, uncompiled on a CPU."""
    network = network_of(architecture)
    prepare(decoder_of(network))
    assert_equal(run([network], sharing="kernel", batch_tokens=50)[0], alone)


@pytest.fixture
def short_chapters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "LEAST_CHAPTER_TOKENS", 25)
    monkeypatch.setattr(planning, "PREFIX_SHARE", 1)


@pytest.mark.usefixtures("short_chapters")
def test_several_devices_share_the_chapters() -> None:
    alone, _ = run([network_of("qwen3")], sharing="none")
    found, made = run([network_of("qwen3"), network_of("qwen3")])
    planned = made.plan(BRANCHES)
    assert len(planned.chapters) > 2
    assert sum(result.computed for result in found.values()) == planned.computed
    assert_equal(found, alone)


@pytest.mark.usefixtures("short_chapters")
def test_a_failing_device_ends_the_run() -> None:
    networks = [network_of("qwen3"), network_of("qwen3")]
    for network in networks:
        prepare(decoder_of(network))
    _break(networks[1], lambda tokens: RuntimeError("a cable was pulled"), over=0)
    with pytest.raises(RuntimeError, match="a cable was pulled"):
        run(networks, sharing="blocks")


def test_out_of_memory_halves_the_batch_and_goes_on() -> None:
    alone, _ = run([network_of("qwen3")], sharing="none")
    network = network_of("qwen3")
    prepare(decoder_of(network))
    sizes = _break(
        network, lambda tokens: torch.OutOfMemoryError(f"{tokens} are too many"), over=150
    )
    found, made = run([network], sharing="blocks", batch_tokens=512)
    assert_equal(found, alone)
    assert made.batch_tokens == 128
    assert [size for size in sizes if size > 150] == sizes[:2]


def test_out_of_memory_with_the_smallest_batch_is_an_error() -> None:
    network = network_of("qwen3")
    prepare(decoder_of(network))
    _break(network, lambda tokens: torch.OutOfMemoryError("too many"), over=20)
    with pytest.raises(RunError, match="Out of memory with 64 tokens in a batch"):
        run([network], sharing="blocks", batch_tokens=256)


def _break(network: Any, error: Callable[[int], Exception], *, over: int) -> list[int]:
    """Let a network fail on more than so many tokens; the sizes of its passes are noted."""
    sizes: list[int] = []
    decoder = decoder_of(network)
    forward = decoder.forward

    def failing(input_ids: torch.Tensor, **rest: Any) -> Any:
        sizes.append(input_ids.shape[1])
        if input_ids.shape[1] > over:
            raise error(input_ids.shape[1])
        return forward(input_ids=input_ids, **rest)

    decoder.forward = failing
    return sizes


@pytest.mark.usefixtures("short_chapters")
def test_a_run_that_goes_on_gives_the_same_bits() -> None:
    """In bfloat16, where another batch gives other scores: work is planned over the whole run."""
    network = network_of("llama", torch.bfloat16)
    whole, made = run([network])
    chapters = made.plan(BRANCHES).chapters
    done = frozenset(BRANCHES[sequence].group for c in chapters[:2] for sequence in c.ends)
    rest = list(made.run(BRANCHES, AT, done=done))
    assert 0 < len(rest) < len(BRANCHES)
    for result in rest:
        assert result.states is not None
        assert result.logprobs is not None
        assert torch.equal(result.states, whole[result.sequence].states)  # type: ignore[arg-type]
        assert torch.equal(result.logprobs, whole[result.sequence].logprobs)  # type: ignore[arg-type]
    assert {BRANCHES[result.sequence].group for result in rest} >= {
        branch.group for branch in BRANCHES
    } - done


def test_a_model_whose_attention_cannot_be_chosen_runs_alone() -> None:
    config = transformers.BloomConfig(vocab_size=97, hidden_size=32, n_layer=2, n_head=4)
    network = transformers.AutoModelForCausalLM.from_config(config).eval()
    assert prepare(decoder_of(network)) == ("none", "its attention cannot be chosen")
    found, made = run([network])
    assert sum(result.computed for result in found.values()) == made.plan(BRANCHES).naive


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}},
            "it rotates positions by the length of the whole pass",
        ),
        ({"attention_chunk_size": 8}, "its attention is cut into chunks by its mask"),
        ({"sliding_window": 8}, "its sliding window is in its mask alone"),
    ],
)
def test_a_model_that_depends_on_the_whole_pass_runs_alone(
    config: dict[str, Any], reason: str
) -> None:
    """Llama's code knows neither chunks nor windows: what a mask alone would bring."""
    made = transformers.LlamaConfig(**SIZES)
    for name, value in config.items():
        setattr(made, name, value)
    network = transformers.AutoModel.from_config(made).eval()
    assert prepare(network) == ("none", reason)
    assert network.config._attn_implementation == "sdpa"


def test_what_is_kept_of_a_pass_does_not_hold_the_rest_of_it() -> None:
    rows = torch.zeros(1, 2, 1000, 8)
    for spans, kept in (((), 0), (((3, 5),), 2), (((0, 2), (7, 9)), 4)):
        owned = _owned(rows, spans)
        assert owned.shape == (1, 2, kept, 8)
        assert owned.untyped_storage().nbytes() == owned.numel() * 4


def test_a_model_that_is_another_one_as_a_tree_runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def mixed(network: Any, ids: Sequence[int], positions: Sequence[int] | None) -> torch.Tensor:
        return hidden(network, ids, positions).cumsum(
            0
        )  # as a recurrent layer would mix neighbours

    hidden = engines._hidden
    network = network_of("llama")
    monkeypatch.setattr(engines, "_hidden", mixed)
    sharing, reason = prepare(decoder_of(network))
    assert sharing == "none"
    assert "differ by" in reason
    assert network.config._attn_implementation == "sdpa"


def test_results_are_dropped_without_waiting_for_the_rest() -> None:
    network = network_of("qwen3")
    prepare(decoder_of(network))
    sizes = _break(network, lambda tokens: RuntimeError("never"), over=10_000)
    made = Engine([decoder_of(network)], sharing="blocks", batch_tokens=30)
    results: Iterator[Result] = made.run(BRANCHES, AT)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(sizes) < 5
