/** Kinds of columns: numbers, texts, and shares with their interval. */

import { element } from "./dom.js";
import { count, interval, orMissing, percent, plural } from "./format.js";

/**
 * `item` is what a column is called in the menu and the address (a group of columns shares one); `first` is the order at
 * the first click; `data` are the fields of CSV and JSON; `ci` gives LaTeX its interval.
 * @typedef {{key: string, item: string, group: string, label: string, title: string, width: number, numeric: boolean,
 *   first: "asc"|"desc", phone?: boolean, value: (entry: any) => number|string|null, cell: (entry: any) => any,
 *   text: (entry: any) => string, data: (entry: any) => Object<string, any>, ci?: (entry: any) => number[]|null|undefined}} Column
 */

/** A bar with a whisker on the axis from 0 to 100 %; its numbers stand beside it. @param {any} result */
export function bar(result) {
  const [low, high] = result.ci ?? [result.accuracy, result.accuracy];
  return element("span", {
    class: "bar",
    "aria-hidden": "true",
    style: { "--value": `${100 * result.accuracy}%`, "--low": `${100 * low}%`, "--spread": `${100 * (high - low)}%` },
  });
}

const fields = (key, result) => ({
  [key]: result?.accuracy ?? null,
  [`${key}_low`]: result?.ci?.[0] ?? null,
  [`${key}_high`]: result?.ci?.[1] ?? null,
  [`${key}_n`]: result?.n ?? null,
});

const saidOf = (result, noun) => (result ? `95 % interval ${interval(result.ci)}, ${plural(result.n, noun)}` : "Not evaluated");

/** @returns {Column} */
export function numberColumn(parts) {
  const text = parts.text ?? ((entry) => count(parts.value(entry)));
  return {
    item: parts.key,
    numeric: true,
    first: "desc",
    width: 4.6,
    text,
    cell: text,
    data: (entry) => ({ [parts.key]: parts.value(entry) }),
    ...parts,
  };
}

/** @returns {Column} */
export function textColumn(parts) {
  const text = parts.text ?? ((entry) => orMissing(parts.value(entry)));
  return {
    item: parts.key,
    numeric: false,
    first: "asc",
    width: 6,
    text,
    cell: text,
    data: (entry) => ({ [parts.key]: parts.value(entry) }),
    ...parts,
  };
}

/** Room for the longest word of a heading, in rem. */
export const widthOf = (label) => Math.max(4.6, 1.1 + 0.53 * Math.max(...label.split(/[ _]/).map((word) => word.length)));

/** Shares with their interval in the cell's title. @returns {Column} */
export function scoreColumn({ of, noun = "pair", ...parts }) {
  return numberColumn({
    value: (entry) => of(entry)?.accuracy ?? null,
    text: (entry) => percent(of(entry)?.accuracy),
    cell: (entry) => element("span", { title: saidOf(of(entry), noun) }, percent(of(entry)?.accuracy)),
    data: (entry) => fields(parts.key, of(entry)),
    ci: (entry) => of(entry)?.ci,
    ...parts,
  });
}
