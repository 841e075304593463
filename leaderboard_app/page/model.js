/** All that is known of one submission. */

import { bar } from "./column.js";
import { board as loadBoard, benchmarkOf, entryOf, fullName, modelFile, requiredOf, typeHeading, typesOf } from "./data.js";
import { command, definitions, element, folded, outside, plainTable } from "./dom.js";
import {
  MISSING,
  count,
  dollars,
  interval,
  orMissing,
  percent,
  plural,
  points,
  pointsInterval,
  probability,
  rankText,
  rounded,
  size,
} from "./format.js";
import { marginCharts } from "./margins.js";
import { address } from "./state.js";

const NEAREST = 10;
const number = (label) => ({ label, numeric: true });
const OVERLAP = { none: "none found", some: "some training data overlap the benchmark", unknown: "unknown" };

function facts(entry, card) {
  const links = Object.entries(entry.links ?? {}).filter(([, to]) => typeof to === "string" && to);
  return definitions([
    ["Rank", rankText(entry.rank)],
    ["Kind", entry.kind],
    ["Parameters", size(entry.parameters)],
    ["Number format", entry.dtype],
    ["Base model", entry.base_model],
    ["Licence", entry.licence],
    ["Date", entry.date],
    ["Links", links.length ? links.map(([label, to], place) => [place ? ", " : null, outside(to, label)]) : null],
    ["Cost per 1,000 pairs", entry.cost_per_1000 === null ? null : dollars(entry.cost_per_1000)],
    ["Hardware", entry.hardware],
    ["Overlap with training data", OVERLAP[entry.overlap] ?? orMissing(entry.overlap)],
    ["Training data", card?.model?.training_data],
    ["Reproduced", entry.reproduced ? `${plural(entry.reproduced.sample, "pair")}, ${entry.reproduced.date}` : "not yet"],
    ["Note", entry.note],
  ]);
}

function results(entry, subsets) {
  const rows = subsets
    .filter(({ name }) => entry.results[name])
    .map((subset) => {
      const result = entry.results[subset.name];
      const outcomes = result.outcomes ?? {};
      const without = result.without_disputed;
      return [
        subset.name,
        count(result.n),
        percent(result.accuracy),
        bar(result),
        interval(result.ci),
        percent(result.strict),
        without ? `${percent(without.accuracy)} (${interval(without.ci)})` : MISSING,
        count(outcomes.tie),
        count(outcomes.unparsed),
        count((outcomes.refused ?? 0) + (outcomes.too_long ?? 0) + (outcomes.error ?? 0)),
        percent(result.order_consistency),
        result.auc === null || result.auc === undefined ? MISSING : `${percent(result.auc)} (${interval(result.auc_ci)})`,
        rounded(result.tokens_per_1000),
        rounded(result.seconds_per_1000),
      ];
    });
  return plainTable(
    "Results, shares in %",
    [
      "Subset",
      number("Items"),
      number("Accuracy"),
      "0 – 100",
      number("95 % interval"),
      number("Strict"),
      number("Without disputed"),
      number("Ties"),
      number("Unparsed"),
      number("Failed"),
      number("Order consistency"),
      number("AUC"),
      number("Tokens per 1,000"),
      number("Seconds per 1,000"),
    ],
    rows,
  );
}

const breakdown = (caption, head, names, part) =>
  names.length > 0 &&
  plainTable(
    caption,
    [head, number("Pairs"), number("Accuracy"), "0 – 100", number("95 % interval")],
    names
      .filter(([name]) => part?.[name])
      .map(([name]) => [name, count(part[name].n), percent(part[name].accuracy), bar(part[name]), interval(part[name].ci)]),
  );

function ofSubset(entry, subset, part) {
  const result = entry.results[subset.name];
  const types = breakdown(
    `By ${typeHeading(subset).toLowerCase()}, ${subset.name}`,
    typeHeading(subset),
    typesOf(subset),
    result.by_error_type,
  );
  const categories = breakdown(`By category, ${subset.name}`, "Category", subset.categories, result.by_category);
  return [
    element("div", { class: "columns" }, types && element("div", {}, types), categories && element("div", {}, categories)),
    marginCharts(part, fullName(entry), entry.kind),
  ];
}

function rivals(board, entry, against) {
  const rows = Object.entries(against)
    .sort(([, a], [, b]) => Math.abs(a.difference) - Math.abs(b.difference))
    .map(([id, found]) => {
      const other = board.entries.find((candidate) => candidate.benchmark === entry.benchmark && candidate.id === id);
      return [
        other ? element("a", { href: address("model", [entry.benchmark, id]) }, fullName(other)) : id,
        points(found.difference),
        pointsInterval(found.ci),
        probability(found.p_holm),
        element(
          "a",
          {
            href: address("compare", [], { benchmark: entry.benchmark, a: entry.id, b: id }),
            "aria-label": `Compare with ${other ? fullName(other) : id}`,
          },
          "compare",
        ),
      ];
    });
  if (rows.length === 0) return element("p", {}, "There is nobody to compare with yet.");
  const show = (caption, some) =>
    plainTable(caption, ["Model", number("Difference, points"), number("95 % interval"), number("Holm p"), "In detail"], some);
  return element(
    "div",
    {},
    show("Nearest, this model minus the other", rows.slice(0, NEAREST)),
    rows.length > NEAREST &&
      folded(`The other ${rows.length - NEAREST}`, show("Further off, this model minus the other", rows.slice(NEAREST))),
  );
}

/** @type {(path: string[], query: Object<string, string>) => Promise<import("./main.js").View>} */
export async function view([key, id]) {
  const board = await loadBoard();
  const benchmark = benchmarkOf(board, key);
  const entry = entryOf(board, benchmark.key, id);
  const file = await modelFile(benchmark.key, entry.id);
  const required = requiredOf(benchmark);
  const present = benchmark.subsets.filter(({ name }) => entry.results[name]);
  const others = present.filter((subset) => subset !== required);
  return {
    title: fullName(entry),
    node: element(
      "div",
      {},
      element("h1", {}, entry.name),
      element("p", { class: "lede" }, `${orMissing(entry.organisation)}, on ${benchmark.key}`),
      element("div", { class: "facts" }, facts(entry, file.card)),
      element("section", {}, element("h2", {}, "Results"), results(entry, benchmark.subsets)),
      present.includes(required) &&
        element("section", {}, element("h2", {}, required.name), ofSubset(entry, required, file.subsets[required.name])),
      element("section", {}, element("h2", {}, "Rivals"), rivals(board, entry, file.against)),
      others.length > 0 &&
        element(
          "section",
          {},
          element("h2", {}, "Other subsets"),
          others.map((subset) => folded(subset.name, ofSubset(entry, subset, file.subsets[subset.name]))),
        ),
      element(
        "section",
        {},
        element("h2", {}, "How it was run"),
        entry.command && command(entry.command),
        folded("The submission’s card", element("pre", { class: "json", tabindex: "0" }, JSON.stringify(file.card, null, 2))),
      ),
    ),
  };
}
