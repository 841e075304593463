"""`fcrb render`: the exact text and tokens, without a look at the weights."""

import shutil
import sys
from pathlib import Path

import pytest
from conftest import Fcrb

from fcrewardbench import load, load_benchmark
from fcrewardbench.adapters import registry
from fcrewardbench.adapters.base import Scorer
from fcrewardbench.cli.render import CLOSE, OPEN
from fcrewardbench.types import Group, Input, Pair

ID = "open-2/core/0001"


class Drops(Scorer):
    """An adapter of somebody else that feeds token ids."""

    def score_group(self, group: Group) -> list[float]:
        raise NotImplementedError

    def inputs(self, group: Group) -> tuple[Input, ...]:
        return tuple(Input("shared " + "x" * n, (7, 8, *range(n)), 1) for n in (1, 3))


@pytest.fixture
def pair() -> Pair:
    return next(pair for pair in load_benchmark("open@2").pairs if pair.id == ID)


def unmarked(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "")


def test_the_text_is_what_the_adapter_feeds_and_the_differences_are_marked(
    fcrb: Fcrb, smollm2: Path, pair: Pair
) -> None:
    code, out, _ = fcrb("render", "--model", f"path:{smollm2}", ID)
    assert code == 0
    scorer = load(str(smollm2))
    fed = scorer.inputs(pair.group())
    assert fed is not None
    head, first, second = out.split("── candidate ")
    shared = head.split(" in all\n")[1].removesuffix("\n")
    for name, part, text in zip(("chosen", "rejected"), (first, second), fed, strict=True):
        heading, _, rest = part.partition("\n")
        assert heading.endswith(f"({name})")
        assert shared + unmarked(rest) == text.text + "\n"
    assert f"{len(fed[0].ids)}, {len(fed[1].ids)} in all" in head
    assert f"{fed[0].start} of the prompt" in head
    assert scorer.describe()["template_sha256"] in head
    assert "tools in our form; calls as a JSON list" in head
    assert f'{OPEN}, {{"name": "text_analysis.sentiment_analysis"' in first
    assert OPEN not in second


def test_tokens_are_the_ids_that_are_fed(fcrb: Fcrb, smollm2: Path, pair: Pair) -> None:
    code, out, _ = fcrb("render", "--model", f"path:{smollm2}", ID, "--tokens")
    assert code == 0
    fed = load(str(smollm2)).inputs(pair.group())
    assert fed is not None
    lines = [unmarked(line) for line in out.splitlines()]
    shown = [
        [int(word.split(":")[0]) for word in line.split(" ")] for line in (lines[4], *lines[6::2])
    ]
    assert [tuple(shown[0] + rest) for rest in shown[1:]] == [f.ids for f in fed]


def test_no_weights_are_needed(fcrb: Fcrb, smollm2: Path, tmp_path: Path) -> None:
    for file in smollm2.iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, tmp_path)
    assert fcrb("render", "--model", f"path:{tmp_path}", ID)[0] == 0


def test_a_judge_is_shown_in_both_orders(
    fcrb: Fcrb, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    _, out, _ = fcrb("render", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", ID)
    given, swapped = out.split("── order ")[1:]
    assert given.startswith("1: chosen before rejected")
    assert swapped.startswith("2: rejected before chosen")
    assert unmarked(out).count("text_analysis.sentiment_analysis") == 3  # the tool, and each order
    _, _, err = fcrb(
        *("render", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", ID, "--tokens")
    )
    assert "sends text" in err


def test_all_candidates_of_a_set_are_shown(fcrb: Fcrb, smollm2: Path) -> None:
    item = load_benchmark("open/candidates").items[0]
    _, out, _ = fcrb("render", "--model", f"path:{smollm2}", item.id)
    assert out.count("── candidate ") == len(item.group().candidates)
    assert out.count("(right)") == sum(item.group().correct or ())


def test_other_adapters_tell_what_they_feed_or_that_they_do_not(
    fcrb: Fcrb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry._ADAPTERS, "drops", f"{__name__}:Drops")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    _, out, _ = fcrb("render", "--model", "drops", ID, "--tokens")
    assert "tokens: 1 of the prompt, 3 shared; 3, 5 in all" in out
    assert f"{OPEN}1 2{CLOSE}" in out
    code, _, err = fcrb("render", "--model", "baseline/longer", ID)
    assert code == 2
    assert "'baseline/longer' reads no text" in err
