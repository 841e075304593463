/** The columns that say what a model is, whatever it was evaluated on. */

import { numberColumn, textColumn } from "./column.js";
import { fullName } from "./data.js";
import { element } from "./dom.js";
import { plural, rankText, size } from "./format.js";
import { address } from "./state.js";

function badges(entry) {
  return [
    entry.overlap === "some" && element("span", { class: "badge warn", title: "Some training data overlap the benchmark" }, "overlap"),
    entry.reproduced &&
      element(
        "span",
        { class: "badge good", title: `Reproduced on ${plural(entry.reproduced.sample, "pair")}, ${entry.reproduced.date}` },
        "reproduced",
      ),
    entry.leader_group && entry.kind !== "baseline" && element("span", { class: "unseen" }, "not significantly worse than the best"),
    !entry.complete && element("span", { class: "badge", title: "Not every subset was evaluated" }, "incomplete"),
  ];
}

/** Rank and model. @param {string} required the subset that ranks are made of */
export function identity(required) {
  return [
    textColumn({
      key: "rank",
      group: "",
      label: "Rank",
      width: 3.3,
      numeric: true,
      phone: true,
      title: `From ${required}. Low end: 1 + the entries (baselines among them) that are significantly better; high end: all entries − those that are significantly worse (paired test over tool catalogues, Holm's correction, 5 %)`,
      // The low end decides, then the high end.
      value: (entry) => (entry.rank ? entry.rank.low + entry.rank.high / 1e5 : null),
      text: (entry) => rankText(entry.rank),
      data: (entry) => ({ rank_low: entry.rank?.low ?? null, rank_high: entry.rank?.high ?? null, leader_group: entry.leader_group }),
    }),
    textColumn({
      key: "model",
      group: "",
      label: "Model",
      width: 12.4,
      phone: true,
      title: "Leads to the model's page",
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

/** What the submitter says of the model. */
export function ofModel() {
  const group = "Model";
  return [
    numberColumn({
      key: "parameters",
      group,
      label: "Para\u00admeters",
      width: 4.6,
      first: "asc",
      title: "Number of parameters",
      value: (entry) => entry.parameters,
      text: (entry) => size(entry.parameters),
    }),
    textColumn({
      key: "kind",
      group,
      label: "Kind",
      width: 4.8,
      title: "classifier: a reward model; judge: an LLM that compares; dpo and likelihood: from the model's token probabilities",
      value: (entry) => entry.kind,
    }),
    textColumn({ key: "licence", group, label: "Licence", width: 7, title: "Of the weights", value: (entry) => entry.licence ?? null }),
    textColumn({
      key: "base",
      group,
      label: "Base model",
      width: 10,
      title: "What it was trained from",
      value: (entry) => entry.base_model ?? null,
    }),
    textColumn({
      key: "date",
      group,
      label: "Date",
      width: 5.8,
      first: "desc",
      title: "Of the submission",
      value: (entry) => entry.date ?? null,
    }),
    textColumn({
      key: "hardware",
      group,
      label: "Hardware",
      width: 10,
      title: "As the submitter says",
      value: (entry) => entry.hardware ?? null,
    }),
    textColumn({
      key: "overlap",
      group,
      label: "Overlap",
      width: 5.4,
      title: "Training data against the benchmark: none, some or unknown",
      value: (entry) => entry.overlap ?? null,
    }),
    textColumn({
      key: "reproduced",
      group,
      label: "Repro\u00adduced",
      width: 5.8,
      first: "desc",
      title: "Day on which a sample was run again with the same outcomes",
      value: (entry) => entry.reproduced?.date ?? null,
    }),
  ];
}
