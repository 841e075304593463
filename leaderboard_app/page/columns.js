/** The table's columns: what each shows, sorts by and hands to downloads. */

import { entriesOf, fullName, requiredOf, typesOf } from "./data.js";
import { element } from "./dom.js";
import { MISSING, count, dollars, interval, orMissing, percent, plural, rankText, rounded, size } from "./format.js";
import { address } from "./state.js";

/**
 * `item` is what a column is called in the menu and the address (a group of columns shares one); `first` is the order at
 * the first click; `data` are the fields of CSV and JSON; `ci` gives LaTeX its interval.
 * @typedef {{key: string, item: string, group: string, label: string, title: string, width: number, numeric: boolean,
 *   first: "asc"|"desc", phone?: boolean, value: (entry: any) => number|string|null, cell: (entry: any) => any,
 *   text: (entry: any) => string, data: (entry: any) => Object<string, any>, ci?: (entry: any) => number[]|null|undefined}} Column
 */

export const ERRORS = "errors";
export const CATEGORIES = "categories";

/** A result, or the one without the disputed pairs where that is asked for and differs. */
export const headline = (result, without) => (without && result?.without_disputed) || result;

/** A bar with a whisker on the axis from 0 to 100 %; its numbers stand beside it. @param {any} result */
export function bar(result) {
  const [low, high] = result.ci ?? [result.accuracy, result.accuracy];
  return element("span", {
    class: "bar", "aria-hidden": "true",
    style: { "--value": `${100 * result.accuracy}%`, "--low": `${100 * low}%`, "--spread": `${100 * (high - low)}%` },
  });
}

const fields = (key, result) => ({
  [key]: result?.accuracy ?? null,
  [`${key}_low`]: result?.ci?.[0] ?? null,
  [`${key}_high`]: result?.ci?.[1] ?? null,
  [`${key}_n`]: result?.n ?? null,
});

const saidOf = (result, noun) =>
  result ? `95 % interval ${interval(result.ci)}, ${plural(result.n, noun)}` : "Not evaluated";

function numberColumn(parts) {
  const text = parts.text ?? ((entry) => count(parts.value(entry)));
  return { item: parts.key, numeric: true, first: "desc", width: 4.6, text, cell: text,
    data: (entry) => ({ [parts.key]: parts.value(entry) }), ...parts };
}

function textColumn(parts) {
  const text = parts.text ?? ((entry) => orMissing(parts.value(entry)));
  return { item: parts.key, numeric: false, first: "asc", width: 6, text, cell: text,
    data: (entry) => ({ [parts.key]: parts.value(entry) }), ...parts };
}

/** Room for the longest word of a heading, in rem. */
const widthOf = (label) => Math.max(4.6, 1.1 + 0.53 * Math.max(...label.split(/[ _]/).map((word) => word.length)));

/** Shares with their interval in the cell's title. */
function scoreColumn({ of, noun = "pair", ...parts }) {
  return numberColumn({
    value: (entry) => of(entry)?.accuracy ?? null,
    text: (entry) => percent(of(entry)?.accuracy),
    cell: (entry) => element("span", { title: saidOf(of(entry), noun) }, percent(of(entry)?.accuracy)),
    data: (entry) => fields(parts.key, of(entry)),
    ci: (entry) => of(entry)?.ci,
    ...parts,
  });
}

function badges(entry) {
  return [
    entry.overlap === "some" && element("span", { class: "badge warn", title: "Some training data overlap the benchmark" }, "overlap"),
    entry.reproduced && element("span", { class: "badge good", title: `Reproduced on ${plural(entry.reproduced.sample, "pair")}, ${entry.reproduced.date}` }, "reproduced"),
    !entry.complete && element("span", { class: "badge", title: "Not every subset was evaluated" }, "incomplete"),
  ];
}

function identity(required) {
  return [
    textColumn({
      key: "rank", group: "", label: "Rank", width: 3.3, numeric: true, phone: true,
      title: `From ${required}. Low end: 1 + the models that are significantly better; high end: all models − those that are significantly worse (paired test over tool catalogues, Holm's correction, 5 %)`,
      // The low end decides, then the high end.
      value: (entry) => (entry.rank ? entry.rank.low + entry.rank.high / 1e5 : null),
      text: (entry) => rankText(entry.rank),
      data: (entry) => ({ rank_low: entry.rank?.low ?? null, rank_high: entry.rank?.high ?? null }),
    }),
    textColumn({
      key: "model", group: "", label: "Model", width: 12.4, phone: true, title: "Leads to the model's page",
      value: (entry) => entry.name,
      text: fullName,
      cell: (entry) => [
        element("a", { href: address("model", [entry.benchmark, entry.id]) }, entry.name),
        element("span", { class: "below" }, entry.organisation, badges(entry)),
      ],
      data: (entry) => ({ id: entry.id, model: entry.name, organisation: entry.organisation }),
    }),
  ];
}

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
      key: "accuracy", group, label: "Accuracy, 95 % interval", width: 14.5, phone: true, of: head,
      title: subset.sets ? "Share of sets whose top candidate is right" : "Mean credit in %: a win counts 1, a tie ½; chance is 50",
      cell: (entry) => {
        const shown = head(entry);
        return shown ? element("span", { class: subset.sets ? "accuracy sets" : "accuracy" },
          element("b", {}, percent(shown.accuracy)), bar(shown), element("span", { class: "ci" }, interval(shown.ci))) : MISSING;
      },
    }),
    numberColumn({ key: "strict", group, label: "Strict", width: 3.8, title: "Wins over all, in %: ties earn nothing; judges must be right in both orders",
      value: (entry) => head(entry)?.strict ?? null, text: (entry) => percent(head(entry)?.strict) }),
    numberColumn({ key: "ties", group, label: "Ties", width: 3.6, first: "asc", title: "Items on which the scores are equal", value: outcome("tie") }),
    numberColumn({ key: "unparsed", group, label: "Un\u00adparsed", width: 4.4, first: "asc", title: "Replies without a readable verdict", value: outcome("unparsed") }),
    numberColumn({ key: "failures", group, label: "Failed", width: 4.4, first: "asc", title: "Refused, too long for the model, or an error", value: failures }),
    numberColumn({ key: "consistency", group, label: "Order consis\u00adtency", width: 4.6, title: "Judges: share of pairs with one verdict in both orders, in %",
      value: (entry) => result(entry)?.order_consistency ?? null, text: (entry) => percent(result(entry)?.order_consistency) }),
  ];
}

function ofOthers(board, benchmark, subset, without) {
  const own = benchmark.subsets.filter((other) => other !== subset).map((other) => scoreColumn({
    key: other.name, group: "Other subsets", label: other.name, width: widthOf(other.name), noun: other.sets ? "set" : "pair",
    title: `Accuracy on ${other.name}, in %, ${plural(other.items, other.sets ? "set" : "pair")}`,
    of: (entry) => headline(entry.results[other.name], without),
  }));
  const joined = board.benchmarks.filter((other) => other !== benchmark).map((other) => {
    const required = requiredOf(other);
    const results = new Map(entriesOf(board, other.key).map((entry) => [entry.id, entry.results[required.name]]));
    return scoreColumn({
      key: other.key, group: "Other subsets", label: other.key.replace("@", "@\u200b"), width: widthOf(other.key),
      title: `Accuracy on ${other.key}/${required.name}, in %, by the submission of the same name`,
      of: (entry) => headline(results.get(entry.id), without),
    });
  });
  return [...own, ...joined];
}

const breakdown = (subset, part, item, heading, names) => names.map(([name, items]) => scoreColumn({
  key: `${item}:${name}`, item, group: `${heading}, ${subset.name}`, label: name.replaceAll("_", "_\u200b"), width: widthOf(name),
  title: `Accuracy on ${name}, in %, ${plural(items, "pair")}`,
  of: (entry) => entry.results[subset.name]?.[part]?.[name],
}));

function ofEffort(subset) {
  const group = "Per 1,000";
  const result = (entry) => entry.results[subset.name];
  return [
    numberColumn({ key: "tokens", group, label: "Tokens", width: 5.6, first: "asc", title: "Tokens that were computed",
      value: (entry) => result(entry)?.tokens_per_1000 ?? null, text: (entry) => rounded(result(entry)?.tokens_per_1000) }),
    numberColumn({ key: "seconds", group, label: "Seconds", width: 5, first: "asc", title: "On the submitter's hardware: comparable only on the same",
      value: (entry) => result(entry)?.seconds_per_1000 ?? null, text: (entry) => rounded(result(entry)?.seconds_per_1000) }),
    numberColumn({ key: "cost", group, label: "Cost", width: 4.2, first: "asc", title: "US dollars",
      value: (entry) => entry.cost_per_1000, text: (entry) => dollars(entry.cost_per_1000) }),
  ];
}

function ofModel() {
  const group = "Model";
  return [
    numberColumn({ key: "parameters", group, label: "Para\u00admeters", width: 4.6, first: "asc", title: "Number of parameters",
      value: (entry) => entry.parameters, text: (entry) => size(entry.parameters) }),
    textColumn({ key: "kind", group, label: "Kind", width: 4.8, title: "classifier: a reward model; judge: an LLM that compares; dpo and likelihood: from the model's token probabilities", value: (entry) => entry.kind }),
    textColumn({ key: "licence", group, label: "Licence", width: 7, title: "Of the weights", value: (entry) => entry.licence ?? null }),
    textColumn({ key: "base", group, label: "Base model", width: 10, title: "What it was trained from", value: (entry) => entry.base_model ?? null }),
    textColumn({ key: "date", group, label: "Date", width: 5.8, first: "desc", title: "Of the submission", value: (entry) => entry.date ?? null }),
    textColumn({ key: "hardware", group, label: "Hardware", width: 10, title: "As the submitter says", value: (entry) => entry.hardware ?? null }),
    textColumn({ key: "overlap", group, label: "Overlap", width: 5.4, title: "Training data against the benchmark: none, some or unknown", value: (entry) => entry.overlap ?? null }),
    textColumn({ key: "reproduced", group, label: "Repro\u00adduced", width: 5.8, first: "desc", title: "Day on which a sample was run again with the same outcomes", value: (entry) => entry.reproduced?.date ?? null }),
  ];
}

/**
 * Every column for one subset of a benchmark.
 * @param {any} board @param {any} benchmark @param {any} subset @param {boolean} without without the disputed pairs
 * @returns {Column[]}
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
 * @param {Column[]} columns @param {any[]} entries
 * @returns {{item: string, text: string, shown: boolean}[]}
 */
export function menuOf(columns, entries) {
  const usual = new Set(["strict", "ties", "cost", "parameters", "kind"]);
  const items = new Map();
  for (const column of columns) {
    if (FIXED.has(column.item) || items.has(column.item)) continue;
    const shown = usual.has(column.item) || column.group === "Other subsets"
      || (column.item === "consistency" && entries.some((entry) => column.value(entry) !== null));
    const text = column.item === ERRORS ? "Error types" : column.item === CATEGORIES ? "Categories" : column.label;
    items.set(column.item, { item: column.item, text, shown });
  }
  return [...items.values()];
}
