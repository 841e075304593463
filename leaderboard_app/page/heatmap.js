/** Error type × model. */

import { byAccuracy, fullName, typeHeading, typesOf } from "./data.js";
import { element, plainTable } from "./dom.js";
import { interval, percent, plural } from "./format.js";
import { box, chart, line, mark, text } from "./plot.js";

const FEW = 50;
const ROW = 26;
const HATCH = "few-pairs";

/** One of ten steps around 50 %: "below-5" … "below-1", "above-1" … "above-5". @param {number} accuracy */
export function stepOf(accuracy) {
  const distance = Math.min(4, Math.floor(Math.abs(accuracy - 0.5) * 10 - 1e-9));
  return `${accuracy < 0.5 ? "below" : "above"}-${Math.max(0, distance) + 1}`;
}

const hatch = () =>
  element(
    "svg:defs",
    {},
    element(
      "svg:pattern",
      { id: HATCH, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      line(0, 0, 0, 6, { class: "hatch" }),
    ),
  );

/** Break a name into lines of at most `most` letters where it has spaces or underscores. */
function linesOf(name, most) {
  const lines = [""];
  for (const word of name.split(/(?<=[ _])/)) {
    if (lines.at(-1) && (lines.at(-1) + word.trim()).length > most) lines.push("");
    lines[lines.length - 1] += word;
  }
  return lines.map((part) => part.trim());
}

function cell(entry, type, result, x, y, width) {
  if (!result) return text(x + width / 2, y + 17, "–", { "text-anchor": "middle", class: "hushed" });
  const few = result.n < FEW;
  const label = `${fullName(entry)}, ${type}: ${percent(result.accuracy)} %, 95 % interval ${interval(result.ci)}, ${plural(result.n, "pair")}${few ? ", few" : ""}`;
  const step = stepOf(result.accuracy);
  return mark(
    label,
    box(x, y, width - 2, ROW - 2, { class: `fill ${step}` }),
    few && box(x, y, width - 2, ROW - 2, { fill: `url(#${HATCH})`, class: `hatched ${step}` }),
    text(x + width / 2 - 1, y + 16.5, percent(result.accuracy), { "text-anchor": "middle", class: `on ${step}` }),
  );
}

/**
 * @param {any[]} entries @param {any} subset
 */
export function heatmap(entries, subset) {
  const counted = typesOf(subset);
  const types = counted.map(([name]) => name);
  const sorted = byAccuracy(
    entries.filter((entry) => entry.results[subset.name]),
    subset.name,
  );
  // Baselines last, as in the table.
  const rows = [...sorted.filter((entry) => entry.kind !== "baseline"), ...sorted.filter((entry) => entry.kind === "baseline")];
  const resultOf = (entry, type) => entry.results[subset.name].by_error_type?.[type];

  const draw = (place) => {
    const left = place < 560 ? 128 : 190;
    const width = Math.max(68, Math.min(96, (place - left) / types.length));
    const headings = types.map((type) => linesOf(type, Math.floor(width / 6.6)));
    const top = 14 + 14 * Math.max(...headings.map((lines) => lines.length)) + 12;
    const most = Math.floor((left - 8) / 7.8);
    const nodes = [
      hatch(),
      headings.map((lines, column) =>
        lines.map((part, number) =>
          text(left + column * width + width / 2 - 1, top - 24 - 14 * (lines.length - 1 - number), part, {
            "text-anchor": "middle",
            class: "heading",
          }),
        ),
      ),
      counted.map(([, items], column) =>
        text(left + column * width + width / 2 - 1, top - 9, `n = ${items}`, { "text-anchor": "middle", class: "hushed" }),
      ),
    ];
    rows.forEach((entry, row) => {
      const y = top + row * ROW;
      const name = entry.name.length > most ? `${entry.name.slice(0, most - 1)}…` : entry.name;
      nodes.push(text(left - 8, y + 16.5, name, { "text-anchor": "end", class: entry.kind === "baseline" ? "hushed" : null }));
      types.forEach((type, column) => nodes.push(cell(entry, type, resultOf(entry, type), left + column * width, y, width)));
    });
    return { height: top + rows.length * ROW + 4, width: Math.max(place, left + types.length * width), nodes };
  };
  const table = plainTable(
    `Accuracy by ${typeHeading(subset).toLowerCase()} in %, ${subset.name}`,
    ["Model", ...types.map((type) => ({ label: type, numeric: true }))],
    rows.map((entry) => [
      fullName(entry),
      ...types.map((type) => {
        const result = resultOf(entry, type);
        return result ? `${percent(result.accuracy)} (${interval(result.ci)})` : "–";
      }),
    ]),
  );
  return element("div", {}, key(), chart(`Accuracy by ${typeHeading(subset).toLowerCase()} and model`, draw, table, 1100));
}

function key() {
  const steps = ["below-5", "below-4", "below-3", "below-2", "below-1", "above-1", "above-2", "above-3", "above-4", "above-5"];
  const width = 26;
  return element(
    "p",
    { class: "legend" },
    element(
      "svg:svg",
      { width: 10 * width + 44, height: 34, role: "img", "aria-label": "Colours from 0 to 100 %, orange below 50 %, blue above" },
      steps.map((step, place) => box(22 + place * width, 0, width - 1, 14, { class: `fill ${step}` })),
      [0, 50, 100].map((value) => text(22 + (value / 10) * width, 29, `${value} %`, { "text-anchor": "middle", class: "hushed" })),
    ),
    element(
      "span",
      {},
      element(
        "svg:svg",
        { width: 28, height: 16, "aria-hidden": "true" },
        box(0, 0, 26, 14, { class: "fill above-1" }),
        box(0, 0, 26, 14, { fill: `url(#${HATCH})`, class: "above-1" }),
      ),
      `hatched: fewer than ${FEW} pairs, wide intervals`,
    ),
  );
}
