"""Our engine, as a user of the package calls it: from groups to scores, rendering included."""

from __future__ import annotations

from bench.peers.competitor import Competitor, Scores, serve
from bench.peers.workloads import groups_of
from fcrewardbench import Group, Scorer, load


class Ours(Competitor):
    packages = ("fcrewardbench", "torch", "transformers")

    def __init__(self, model: str, dtype: str) -> None:
        scorer = load(f"path:{model}", "classifier", dtype=dtype)
        assert isinstance(scorer, Scorer)
        self._scorer = scorer

    def prepare(self, workload: str, of: int, path: str) -> list[Group]:
        groups = {group.id: group for group in groups_of(workload, of)}
        return [groups[row["id"]] for row in super().prepare(workload, of, path)]

    def score(self, prepared: list[Group]) -> tuple[Scores, int]:
        results = {result.id: result for result in self._scorer.score_groups(prepared)}
        ordered = [results[group.id] for group in prepared]
        return [list(r.scores or ()) for r in ordered], sum(r.tokens.computed for r in ordered)


if __name__ == "__main__":
    serve(Ours)
