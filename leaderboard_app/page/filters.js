/** The table's controls, and the reading of what they say from the address. */

import { MISSING } from "./format.js";
import { element, menu, picker, tick } from "./dom.js";
import { push, replace } from "./state.js";

/**
 * @typedef {{sort: string, desc: boolean|null, kinds: Set<string>, licence: string, q: string, complete: boolean,
 *   without: boolean, items: Set<string>, selected: string[]}} Options
 */

/**
 * @param {Object<string, string>} query
 * @param {{item: string, shown: boolean}[]} menuItems
 * @returns {Options}
 */
export function optionsOf(query, menuItems) {
  const list = (text) => (text ? text.split(",") : []);
  return {
    sort: query.sort ?? "",
    desc: query.desc === undefined ? null : query.desc === "1",
    kinds: new Set(list(query.kinds)),
    licence: query.licence ?? "",
    q: query.q ?? "",
    complete: query.complete === "1",
    without: query.disputed === "without",
    // "none" stands for an empty choice, which the address would otherwise leave out.
    items: new Set(
      query.columns
        ? list(query.columns).filter((item) => item !== "none")
        : menuItems.filter((item) => item.shown).map((item) => item.item),
    ),
    selected: list(query.selected).slice(0, 2),
  };
}

/**
 * Whether an entry passes. Baselines pass always: they are what the others are measured by.
 * @param {any} entry @param {string} haystack the entry's texts in lower case @param {Options} options
 */
export function passes(entry, haystack, options) {
  if (entry.kind === "baseline") return true;
  return (
    (options.kinds.size === 0 || options.kinds.has(entry.kind)) &&
    (!options.licence || entry.licence === options.licence) &&
    (!options.complete || entry.complete) &&
    options.q
      .toLowerCase()
      .split(/\s+/)
      .every((word) => haystack.includes(word))
  );
}

/** @param {any} entry */
export const haystackOf = (entry) =>
  [entry.name, entry.organisation, entry.id, entry.kind, entry.base_model, entry.licence, entry.note].join(" ").toLowerCase();

const searchField = (options) =>
  element(
    "label",
    { class: "field" },
    element("span", {}, "Filter"),
    element("input", {
      type: "search",
      value: options.q,
      placeholder: "name, base model, note",
      autocomplete: "off",
      oninput: (event) => replace({ q: event.target.value }),
    }),
  );

function kindTicks(entries, options) {
  const kinds = [...new Set(entries.map((entry) => entry.kind))].filter((kind) => kind !== "baseline").sort();
  return element(
    "fieldset",
    {},
    element("legend", {}, "Kind"),
    kinds.map((kind) =>
      tick(kind, options.kinds.has(kind), (checked) => {
        if (checked) options.kinds.add(kind);
        else options.kinds.delete(kind);
        push({ kinds: [...options.kinds].join(",") });
      }),
    ),
  );
}

function licencePicker(entries, options) {
  const licences = [...new Set(entries.map((entry) => entry.licence).filter(Boolean))].sort();
  return picker("Licence", [["", "any"], ...licences.map((licence) => [licence, licence])], options.licence, (licence) =>
    push({ licence }),
  );
}

/**
 * Which columns are shown.
 * @param {{item: string, text: string, shown: boolean}[]} menuItems @param {Options} options
 */
export function columnsMenu(menuItems, options) {
  const choose = (item, checked) => {
    if (checked) options.items.add(item);
    else options.items.delete(item);
    const usual = menuItems.every((known) => known.shown === options.items.has(known.item));
    push({ columns: usual ? "" : [...options.items].join(",") || "none" });
  };
  return menu(
    "Columns",
    element(
      "fieldset",
      { class: "columns" },
      element("legend", {}, "Columns"),
      menuItems.map(({ item, text }) => tick(text, options.items.has(item), (checked) => choose(item, checked))),
    ),
    element("button", { type: "button", onclick: () => push({ columns: "" }) }, "The usual ones"),
    element("button", { type: "button", onclick: () => push({ columns: menuItems.map(({ item }) => item).join(",") }) }, "All"),
  );
}

/**
 * The row of controls.
 * @param {{board: any, benchmark: any, subset: any, entries: any[], options: Options}} parts
 */
export function controls({ board, benchmark, subset, entries, options }) {
  const disputed = benchmark.subsets.reduce((sum, part) => sum + part.disputed, 0);
  return element(
    "div",
    { class: "controls" },
    picker(
      "Benchmark",
      board.benchmarks.map(({ key }) => [key, key]),
      benchmark.key,
      (key) => push({ benchmark: key, subset: "", columns: "", selected: "", sort: "", desc: "", kinds: "", licence: "" }),
    ),
    picker(
      "Subset",
      benchmark.subsets.map(({ name }) => [name, name]),
      subset.name,
      (name) => push({ subset: name }),
    ),
    searchField(options),
    licencePicker(entries, options),
    kindTicks(entries, options),
    element(
      "div",
      { class: "ticks" },
      tick("Complete only", options.complete, (checked) => push({ complete: checked ? "1" : "" })),
      tick(`Without disputed (${disputed || MISSING})`, options.without, (checked) => push({ disputed: checked ? "without" : "" }), {
        disabled: disputed === 0,
      }),
    ),
  );
}
