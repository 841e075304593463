/** Two models on the same pairs. */

import {
  benchmarkOf,
  board as loadBoard,
  byAccuracy,
  entriesOf,
  entryOf,
  fullName,
  modelFile,
  nounOf,
  pairIndex,
  requiredOf,
  Unavailable,
} from "./data.js";
import { differing } from "./differing.js";
import { definitions, element, picker, redrawer } from "./dom.js";
import { forest } from "./forest.js";
import { count, equals, interval, percent, points, pointsInterval, probability } from "./format.js";
import { address, push } from "./state.js";
import { creditsOf, difference, placesByType } from "./statistics.js";

function sentence(a, b, found) {
  const how = `${points(found.difference)} points, 95 % interval ${pointsInterval(found.ci)}, Holm p ${equals(found.p_holm)}`;
  if (!(found.p_holm < 0.05)) return `The pairs do not tell ${a} and ${b} apart (${how}).`;
  const [better, worse] = found.difference > 0 ? [a, b] : [b, a];
  return `${better} is significantly better than ${worse} (A − B: ${how}).`;
}

function fourfold(a, b, { both, only_this: onlyA, only_other: onlyB, neither }) {
  const cell = (number, kind) => element("td", { class: `number ${kind}` }, count(number));
  return element(
    "div",
    {},
    element(
      "table",
      { class: "plain fourfold" },
      element("caption", {}, "Pairs by who is right"),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          element("td"),
          element("th", { scope: "col", class: "number" }, "B right"),
          element("th", { scope: "col", class: "number" }, "B not"),
          element("th", { scope: "col", class: "number" }, "Together"),
        ),
      ),
      element(
        "tbody",
        {},
        element("tr", {}, element("th", { scope: "row" }, "A right"), cell(both, "agree"), cell(onlyA, "only"), cell(both + onlyA, "sum")),
        element(
          "tr",
          {},
          element("th", { scope: "row" }, "A not"),
          cell(onlyB, "only"),
          cell(neither, "agree"),
          cell(onlyB + neither, "sum"),
        ),
        element(
          "tr",
          {},
          element("th", { scope: "row" }, "Together"),
          cell(both + onlyB, "sum"),
          cell(onlyA + neither, "sum"),
          cell(both + onlyA + onlyB + neither, "sum"),
        ),
      ),
    ),
    element("p", { class: "hushed" }, `A: ${a}. B: ${b}. “Not” holds wrong, tied and failed ones.`),
  );
}

const side = (letter, entry, subset) => {
  const result = entry.results[subset.name];
  return [`${letter}: ${fullName(entry)}`, `${percent(result.accuracy)} % (${interval(result.ci)})`];
};

async function comparison(benchmark, subset, a, b, query) {
  const [fileA, fileB, index] = await Promise.all([
    modelFile(benchmark.key, a.id),
    modelFile(benchmark.key, b.id),
    pairIndex(benchmark.key, subset.name),
  ]);
  const parts = [fileA.subsets[subset.name], fileB.subsets[subset.name]];
  const [creditsA, creditsB] = parts.map(creditsOf);
  const found = fileA.against[fileB.entry];
  const whole = { label: "All", n: index.ids.length, mean: found.difference, ci: found.ci };
  const types = placesByType(index)
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([label, places]) => ({ label, ...difference(creditsA, creditsB, places, index.cluster, index.t[label]) }));
  const [nameA, nameB] = [fullName(a), fullName(b)];
  return [
    element("p", { class: "finding" }, sentence(nameA, nameB, found)),
    element(
      "div",
      { class: "columns" },
      element(
        "section",
        {},
        element("h2", {}, "In numbers"),
        definitions([
          side("A", a, subset),
          side("B", b, subset),
          ["Difference, A − B", `${points(whole.mean)} points (${pointsInterval(whole.ci)})`],
          ["p, test over tool catalogues", probability(found.p)],
          ["p after Holm’s correction", probability(found.p_holm)],
          ["p, exact McNemar test", probability(found.mcnemar)],
        ]),
      ),
      element("section", {}, element("h2", {}, "Agreement"), fourfold(nameA, nameB, found)),
    ),
    types.length > 0 &&
      element(
        "section",
        {},
        element("h2", {}, "By error type"),
        forest([whole, ...types], nameA, nameB),
        element(
          "p",
          { class: "hushed" },
          "Intervals of single types are not corrected for there being several; those of rare types are wide.",
        ),
      ),
    element(
      "section",
      {},
      element("h2", {}, "Where they differ"),
      differing({ benchmark, subset, index, names: [nameA, nameB], parts }, query),
    ),
  ];
}

/** @type {(path: string[], query: Object<string, string>) => Promise<import("./main.js").View>} */
export async function view(path, first) {
  const board = await loadBoard();
  const body = element("div");
  const draw = redrawer(body, async (query) => {
    const benchmark = benchmarkOf(board, query.benchmark);
    const subset = requiredOf(benchmark);
    const possible = byAccuracy(
      entriesOf(board, benchmark.key).filter((entry) => entry.results[subset.name]),
      subset.name,
    );
    const chosen = (id, fallback) => {
      if (!id) return fallback;
      const entry = entryOf(board, benchmark.key, id);
      if (!entry.results[subset.name]) throw new Unavailable(`${fullName(entry)} has no results on ${benchmark.key}/${subset.name}.`);
      return entry;
    };
    const a = chosen(
      query.a,
      possible.find((entry) => entry.id !== query.b),
    );
    const b = chosen(
      query.b,
      possible.find((entry) => entry.id !== a?.id),
    );
    const options = possible.map((entry) => [entry.id, `${fullName(entry)} (${percent(entry.results[subset.name].accuracy)})`]);
    const pick = (letter, entry, other) =>
      picker(letter, options, entry?.id ?? "", (id) =>
        push({
          benchmark: benchmark.key,
          a: letter === "A" ? id : (other?.id ?? ""),
          b: letter === "B" ? id : (other?.id ?? ""),
          page: "",
        }),
      );
    const content =
      a && b
        ? a === b
          ? element("p", {}, "Choose two different models.")
          : await comparison(benchmark, subset, a, b, query)
        : element("p", {}, `There are no two models on ${benchmark.key} yet.`);
    return [
      element(
        "p",
        { class: "lede" },
        `Two models on the same pairs of ${benchmark.key}/${subset.name}, ${count(subset.items)} ${nounOf(subset)}s.`,
      ),
      element(
        "div",
        { class: "controls" },
        picker(
          "Benchmark",
          board.benchmarks.map(({ key }) => [key, key]),
          benchmark.key,
          (key) => {
            location.hash = address("compare", [], { benchmark: key });
          },
        ),
        pick("A", a, b),
        element(
          "button",
          { type: "button", disabled: !(a && b), onclick: () => push({ benchmark: benchmark.key, a: b.id, b: a.id, page: "" }) },
          "Swap",
        ),
        pick("B", b, a),
      ),
      content,
    ];
  });
  await draw(first);
  return { title: "Compare two models", node: element("div", {}, element("h1", {}, "Compare two models"), body), update: draw };
}
