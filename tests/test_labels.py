import pytest

from fcrewardbench.benchmarks import rebuilt
from fcrewardbench.benchmarks.labels import (
    WHOLE,
    known_labels,
    labels_of,
    labels_sha256,
    loadable,
    required_subset,
)
from fcrewardbench.benchmarks.registry import load_benchmark


@pytest.mark.parametrize("subset", sorted(known_labels()["open@2"]))
def test_what_is_known_of_open_is_true(subset: str) -> None:
    known = known_labels()["open@2"][subset]
    benchmark = load_benchmark(loadable("open@2", subset))
    assert known.rows == len(benchmark.items)
    assert known.data_sha256 == benchmark.sha256
    assert known.balanced == benchmark.balanced
    assert known.labels_sha256 == labels_sha256(labels_of(benchmark))


def test_what_is_known_of_rebuilt_is_true() -> None:
    if rebuilt.state() != "built":
        pytest.skip("the benchmark rebuilt is not built on this machine (docs/build.md)")
    known = known_labels()["rebuilt@1"][WHOLE]
    benchmark = load_benchmark("rebuilt")
    assert (known.rows, known.data_sha256) == (len(benchmark.items), benchmark.sha256)
    assert known.labels_sha256 == labels_sha256(labels_of(benchmark))


def test_one_subset_of_each_benchmark_ranks() -> None:
    for benchmark, subsets in known_labels().items():
        assert sum(known.required for known in subsets.values()) == 1
        assert required_subset(benchmark) in subsets


def test_any_other_label_or_order_is_another_hash() -> None:
    labels = labels_of(load_benchmark("open/minimal"))
    known = labels_sha256(labels)
    id, kind, category, generator, catalogue, correct = labels[7]
    for changed in (
        ("x", kind, category, generator, catalogue, correct),
        (id, "x", category, generator, catalogue, correct),
        (id, kind, "x", generator, catalogue, correct),
        (id, kind, category, "x", catalogue, correct),
        (id, kind, category, generator, "x", correct),
        (id, kind, category, generator, catalogue, correct[::-1]),
    ):
        assert labels_sha256([*labels[:7], changed, *labels[8:]]) != known
    assert labels_sha256(labels[::-1]) != known
