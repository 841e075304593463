/** The pairs that most good models miss. */

import { benchmarkOf, board as loadBoard, nounOf, pairIndex, subsetOf, typeHeading, typesOf } from "./data.js";
import { element, picker, plainTable, redrawer } from "./dom.js";
import { plural } from "./format.js";
import { address, push } from "./state.js";

function list(benchmark, subset, index, query) {
  if (index.hardest.length === 0)
    return element(
      "p",
      {},
      "No model is significantly better than every baseline here yet; until one is, its misses say little about a pair.",
    );
  const rows = index.hardest
    .map(([place, missed, of]) => ({
      id: index.ids[place],
      missed,
      of,
      error: index.error_types[index.error_type[place]] ?? "",
      category: index.categories[index.category[place]] ?? "",
      doubt: index.doubts?.[String(place)],
    }))
    .filter(({ error, category }) => (!query.error || error === query.error) && (!query.category || category === query.category));
  return plainTable(
    plural(rows.length, nounOf(subset)),
    [subset.sets ? "Candidate set" : "Pair", { label: "Missed by", numeric: true }, "Share", typeHeading(subset), "Category", "Label"],
    rows.map(({ id, missed, of, error, category, doubt }) => [
      element("a", { href: address("pair", [benchmark.key, subset.name, id]) }, id),
      `${missed} of ${of}`,
      element("span", { class: "share", "aria-hidden": "true", style: { "--value": `${(100 * missed) / of}%` } }),
      error || "–",
      category || "–",
      doubt ? element("span", { class: "badge warn", title: doubt }, "disputed") : "",
    ]),
  );
}

/** @type {(path: string[], query: Object<string, string>) => Promise<import("./main.js").View>} */
export async function view(path, first) {
  const board = await loadBoard();
  const body = element("div");
  const draw = redrawer(body, async (query) => {
    const benchmark = benchmarkOf(board, query.benchmark);
    const subset = subsetOf(benchmark, query.subset);
    const index = await pairIndex(benchmark.key, subset.name);
    const any = (names) => [["", "any"], ...names.map(([name]) => [name, name])];
    return [
      element(
        "p",
        { class: "lede" },
        `What the ${plural(index.good.length, "model")} above every baseline miss most, at most 100 ${nounOf(subset)}s: where they err together, or where the label does.`,
      ),
      element(
        "div",
        { class: "controls" },
        picker(
          "Benchmark",
          board.benchmarks.map(({ key }) => [key, key]),
          benchmark.key,
          (key) => push({ benchmark: key, subset: "", error: "", category: "" }),
        ),
        picker(
          "Subset",
          benchmark.subsets.map(({ name }) => [name, name]),
          subset.name,
          (name) => push({ subset: name, error: "", category: "" }),
        ),
        picker(typeHeading(subset), any(typesOf(subset)), query.error ?? "", (error) => push({ error })),
        picker("Category", any(subset.categories), query.category ?? "", (category) => push({ category })),
      ),
      list(benchmark, subset, index, query),
    ];
  });
  await draw(first);
  return { title: "Hardest pairs", node: element("div", {}, element("h1", {}, "Hardest pairs"), body), update: draw };
}
