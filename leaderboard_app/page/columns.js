/** The table's columns: what each shows, sorts by and hands to downloads. */

import { bar, numberColumn, scoreColumn, widthOf } from "./column.js";
import { entriesOf, requiredOf, typesOf } from "./data.js";
import { element } from "./dom.js";
import { MISSING, dollars, interval, percent, plural, rounded } from "./format.js";
import { identity, ofModel } from "./model_columns.js";

const ERRORS = "errors";
const CATEGORIES = "categories";

/** A result, or the one without the disputed pairs where that is asked for and differs. */
const headline = (result, without) => (without && result?.without_disputed) || result;

function ofSubset(benchmark, subset, without) {
  const group = `${subset.name}, ${plural(subset.items, subset.sets ? "set" : "pair")}`;
  const result = (entry) => entry.results[subset.name];
  const head = (entry) => headline(result(entry), without);
  const outcome = (name) => (entry) => result(entry)?.outcomes?.[name] ?? null;
  const failures = (entry) => {
    const outcomes = result(entry)?.outcomes;
    return outcomes ? (outcomes.refused ?? 0) + (outcomes.too_long ?? 0) + (outcomes.error ?? 0) : null;
  };
  return [
    scoreColumn({
      key: "accuracy",
      group,
      label: "Accuracy, 95 % interval",
      width: 14.5,
      phone: true,
      of: head,
      title: subset.sets ? "Share of sets whose top candidate is right" : "Mean credit in %: a win counts 1, a tie ½; chance is 50",
      cell: (entry) => {
        const shown = head(entry);
        return shown
          ? element(
              "span",
              { class: subset.sets ? "accuracy sets" : "accuracy" },
              element("b", {}, percent(shown.accuracy)),
              bar(shown),
              element("span", { class: "ci" }, interval(shown.ci)),
            )
          : MISSING;
      },
    }),
    numberColumn({
      key: "strict",
      group,
      label: "Strict",
      width: 3.8,
      title: "Wins over all, in %: ties earn nothing; judges must be right in both orders",
      value: (entry) => head(entry)?.strict ?? null,
      text: (entry) => percent(head(entry)?.strict),
    }),
    numberColumn({
      key: "ties",
      group,
      label: "Ties",
      width: 3.6,
      first: "asc",
      title: "Items on which the scores are equal",
      value: outcome("tie"),
    }),
    numberColumn({
      key: "unparsed",
      group,
      label: "Un\u00adparsed",
      width: 4.4,
      first: "asc",
      title: "Replies without a readable verdict",
      value: outcome("unparsed"),
    }),
    numberColumn({
      key: "failures",
      group,
      label: "Failed",
      width: 4.4,
      first: "asc",
      title: "Refused, too long for the model, or an error",
      value: failures,
    }),
    numberColumn({
      key: "consistency",
      group,
      label: "Order consis\u00adtency",
      width: 4.6,
      title: "Judges: share of pairs with one verdict in both orders, in %",
      value: (entry) => result(entry)?.order_consistency ?? null,
      text: (entry) => percent(result(entry)?.order_consistency),
    }),
  ];
}

function ofOthers(board, benchmark, subset, without) {
  const own = benchmark.subsets
    .filter((other) => other !== subset)
    .map((other) =>
      scoreColumn({
        key: other.name,
        group: "Other subsets",
        label: other.name,
        width: widthOf(other.name),
        noun: other.sets ? "set" : "pair",
        title: `Accuracy on ${other.name}, in %, ${plural(other.items, other.sets ? "set" : "pair")}`,
        of: (entry) => headline(entry.results[other.name], without),
      }),
    );
  const joined = board.benchmarks
    .filter((other) => other !== benchmark)
    .map((other) => {
      const required = requiredOf(other);
      const results = new Map(entriesOf(board, other.key).map((entry) => [entry.id, entry.results[required.name]]));
      return scoreColumn({
        key: other.key,
        group: "Other subsets",
        label: other.key.replace("@", "@\u200b"),
        width: widthOf(other.key),
        title: `Accuracy on ${other.key}/${required.name}, in %, by the submission of the same name`,
        of: (entry) => headline(results.get(entry.id), without),
      });
    });
  return [...own, ...joined];
}

const breakdown = (subset, part, item, heading, names) =>
  names.map(([name, items]) =>
    scoreColumn({
      key: `${item}:${name}`,
      item,
      group: `${heading}, ${subset.name}`,
      label: name.replaceAll("_", "_\u200b"),
      width: widthOf(name),
      title: `Accuracy on ${name}, in %, ${plural(items, "pair")}`,
      of: (entry) => entry.results[subset.name]?.[part]?.[name],
    }),
  );

function ofEffort(subset) {
  const group = "Per 1,000";
  const result = (entry) => entry.results[subset.name];
  return [
    numberColumn({
      key: "tokens",
      group,
      label: "Tokens",
      width: 5.6,
      first: "asc",
      title: "Tokens that were computed",
      value: (entry) => result(entry)?.tokens_per_1000 ?? null,
      text: (entry) => rounded(result(entry)?.tokens_per_1000),
    }),
    numberColumn({
      key: "seconds",
      group,
      label: "Seconds",
      width: 5,
      first: "asc",
      title: "On the submitter's hardware: comparable only on the same",
      value: (entry) => result(entry)?.seconds_per_1000 ?? null,
      text: (entry) => rounded(result(entry)?.seconds_per_1000),
    }),
    numberColumn({
      key: "cost",
      group,
      label: "Cost",
      width: 4.9,
      first: "asc",
      title: "US dollars",
      value: (entry) => entry.cost_per_1000,
      text: (entry) => dollars(entry.cost_per_1000),
    }),
  ];
}

/**
 * Every column for one subset of a benchmark.
 * @param {any} board @param {any} benchmark @param {any} subset @param {boolean} without without the disputed pairs
 * @returns {import("./column.js").Column[]}
 */
export function columnsOf(board, benchmark, subset, without) {
  return [
    ...identity(requiredOf(benchmark).name),
    ...ofSubset(benchmark, subset, without),
    ...ofOthers(board, benchmark, subset, without),
    ...breakdown(subset, "by_error_type", ERRORS, subset.sets ? "Right candidates" : "Error types", typesOf(subset)),
    ...breakdown(subset, "by_category", CATEGORIES, "Categories", subset.categories),
    ...ofEffort(subset),
    ...ofModel(),
  ];
}

/** Always there; everything else is chosen in the menu. */
export const FIXED = new Set(["rank", "model", "accuracy"]);

/**
 * The menu's items, each with its text and whether it is shown unless somebody chooses.
 * @param {import("./column.js").Column[]} columns @param {any[]} entries
 * @returns {{item: string, text: string, shown: boolean}[]}
 */
export function menuOf(columns, entries) {
  const usual = new Set(["strict", "ties", "parameters", "kind"]);
  const whereKnown = new Set(["consistency", "cost"]);
  const items = new Map();
  for (const column of columns) {
    if (FIXED.has(column.item) || items.has(column.item)) continue;
    const shown =
      usual.has(column.item) ||
      column.group === "Other subsets" ||
      (whereKnown.has(column.item) && entries.some((entry) => column.value(entry) !== null));
    const text = column.item === ERRORS ? "Error types" : column.item === CATEGORIES ? "Categories" : column.label;
    items.set(column.item, { item: column.item, text, shown });
  }
  return [...items.values()];
}
