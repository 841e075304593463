/** The page of charts: one at a time, chosen in the address. */

import {
  benchmarkOf,
  board as loadBoard,
  byAccuracy,
  entriesOf,
  fullName,
  modelFile,
  requiredOf,
  subsetOf,
  typesOf,
} from "./data.js";
import { element, picker, redrawer } from "./dom.js";
import { heatmap } from "./heatmap.js";
import { calibrationPlot, marginHistogram } from "./margins.js";
import { MEASURES, scatter } from "./scatter.js";
import { address, push } from "./state.js";

const CHARTS = {
  heat: { label: "Error types", say: "Where each model is weak: accuracy by error type." },
  cost: { label: "Cost", say: "What accuracy costs." },
  margins: { label: "Margins", say: "How far apart one model scores the two candidates, where it is right and where it is wrong." },
  calibration: { label: "Calibration", say: "Whether a model's margins can be read as probabilities." },
};

const scorers = (entries, subset) =>
  byAccuracy(
    entries.filter((entry) => entry.results[subset.name]?.order_consistency === null),
    subset.name,
  );

async function ofModel(kind, entries, subset, query) {
  const possible = scorers(entries, subset);
  const chosen =
    possible.find((entry) => entry.id === query.model) ?? possible.find((entry) => entry.kind !== "baseline") ?? possible[0];
  if (!chosen) return { content: element("p", {}, `No model with scores on ${subset.name}.`) };
  const part = (await modelFile(chosen.benchmark, chosen.id)).subsets[subset.name];
  const control = picker(
    "Model",
    possible.map((entry) => [entry.id, fullName(entry)]),
    chosen.id,
    (model) => push({ model }),
  );
  const content =
    kind === "margins"
      ? part?.margins
        ? marginHistogram(part.margins, fullName(chosen))
        : element("p", {}, `${fullName(chosen)} has no margins on ${subset.name}.`)
      : part?.calibration?.some(({ n }) => n > 0)
        ? calibrationPlot(part.calibration, fullName(chosen))
        : element("p", {}, `${fullName(chosen)} has no calibration on ${subset.name}.`);
  return { control, content };
}

async function drawn(kind, entries, subset, query) {
  if (kind === "heat") {
    return {
      content: typesOf(subset).length ? heatmap(entries, subset) : element("p", {}, `The items of ${subset.name} have no error types.`),
    };
  }
  if (kind === "cost") {
    const measure = Object.hasOwn(MEASURES, query.x ?? "")
      ? query.x
      : entries.some((entry) => entry.cost_per_1000 > 0)
        ? "cost"
        : "parameters";
    return {
      control: picker(
        "Against",
        Object.entries(MEASURES).map(([key, { label }]) => [key, label]),
        measure,
        (x) => push({ x }),
      ),
      content: scatter(entries, subset, measure),
    };
  }
  return ofModel(kind, entries, subset, query);
}

/** @type {(path: string[], query: Object<string, string>) => Promise<import("./main.js").View>} */
export async function view(path, first) {
  const board = await loadBoard();
  const body = element("div");
  const draw = redrawer(body, async (query) => {
    const benchmark = benchmarkOf(board, query.benchmark);
    const subset = subsetOf(benchmark, query.subset);
    const kind = Object.hasOwn(CHARTS, query.chart ?? "") ? query.chart : "heat";
    const { control, content } = await drawn(kind, entriesOf(board, benchmark.key), subset, query);
    return [
      element(
        "ul",
        { class: "tabs" },
        Object.entries(CHARTS).map(([key, { label }]) =>
          element(
            "li",
            {},
            element("a", { href: address("charts", [], { ...query, chart: key }), "aria-current": key === kind ? "true" : null }, label),
          ),
        ),
      ),
      element("p", { class: "lede" }, CHARTS[kind].say),
      element(
        "div",
        { class: "controls" },
        picker(
          "Benchmark",
          board.benchmarks.map(({ key }) => [key, key]),
          benchmark.key,
          (key) => push({ benchmark: key, subset: "", model: "" }),
        ),
        picker(
          "Subset",
          benchmark.subsets.map(({ name }) => [name, name]),
          subset.name,
          (name) => push({ subset: name === requiredOf(benchmark).name ? "" : name }),
        ),
        control,
      ),
      content,
    ];
  });
  await draw(first);
  return { title: "Charts", node: element("div", {}, element("h1", {}, "Charts"), body), update: draw };
}
