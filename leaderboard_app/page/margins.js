/** How a model's margins lie, and whether wide ones are to be trusted. */

import { element, plainTable } from "./dom.js";
import { count, interval, percent, rounded } from "./format.js";
import { axes, box, chart, line, linear, mark, text, ticksEvery } from "./plot.js";

const whole = (value) => count(Math.round(value));
const twoDigits = (value) => Number(value.toPrecision(2)).toString();

/** A round step that gives about five ticks. @param {number} span */
function stepFor(span) {
  const rough = span / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
}

/**
 * The margins |score of chosen − score of rejected| of right and of wrong choices, over each other.
 * @param {{edges: number[], right: number[], wrong: number[]}} margins @param {string} name
 */
export function marginHistogram({ edges, right, wrong }, name) {
  const tallest = Math.max(1, ...right, ...wrong);
  const draw = (width) => {
    const frame = { left: 48, right: width - 12, top: 34, bottom: 270 };
    const x = linear([edges[0], edges.at(-1)], [frame.left, frame.right]);
    const y = linear([0, tallest], [frame.bottom, frame.top]);
    const step = Math.max(1, stepFor(tallest));
    const bars = right.map((number, place) => {
      const [from, to] = [x(edges[place]), x(edges[place + 1])];
      const label = `Margin ${twoDigits(edges[place])} to ${twoDigits(edges[place + 1])}: ${number} right, ${wrong[place]} wrong`;
      return mark(
        label,
        box(from + 1, y(number), to - from - 2, frame.bottom - y(number), { class: "right-bar" }),
        box(from + 1, y(wrong[place]), to - from - 2, frame.bottom - y(wrong[place]), { class: "wrong-bar" }),
      );
    });
    const ticks = ticksEvery(edges[0], edges.at(-1), stepFor(edges.at(-1) - edges[0]));
    return {
      height: 320,
      nodes: [
        axes(
          frame,
          { ticks, scale: x, show: twoDigits, label: "Margin (the last bar holds all beyond)" },
          { ticks: ticksEvery(0, tallest, step), scale: y, show: whole, label: "Pairs" },
        ),
        bars,
      ],
    };
  };
  const table = plainTable(
    `Margins of ${name}`,
    [
      { label: "Margin", numeric: true },
      { label: "Right", numeric: true },
      { label: "Wrong", numeric: true },
      { label: "Share right, %", numeric: true },
    ],
    right.map((number, place) => [
      `${twoDigits(edges[place])} – ${twoDigits(edges[place + 1])}`,
      count(number),
      count(wrong[place]),
      percent(number / (number + wrong[place])),
    ]),
  );
  return element(
    "div",
    {},
    element("p", { class: "legend" }, swatch("right-bar", "the preferred candidate is right"), swatch("wrong-bar", "it is wrong")),
    chart(`Margins of ${name}, right and wrong`, draw, table),
  );
}

const swatch = (kind, label) =>
  element("span", {}, element("svg:svg", { width: 18, height: 12, "aria-hidden": "true" }, box(1, 1, 16, 10, { class: kind })), label);

/**
 * What σ(|margin|) promises against what it keeps.
 * @param {{low: number, high: number, n: number, predicted: number, right: number, ci: number[]}[]} bins @param {string} name
 */
export function calibrationPlot(bins, name) {
  const filled = bins.filter(({ n }) => n > 0);
  const lowest = Math.floor(10 * Math.min(0.5, ...filled.map(({ ci, right }) => ci?.[0] ?? right))) / 10;
  const most = Math.max(...filled.map(({ n }) => n));
  const draw = (width) => {
    const frame = { left: 48, right: Math.min(width - 14, 620), top: 34, bottom: 340 };
    const x = linear([0.5, 1], [frame.left, frame.right]);
    const y = linear([lowest, 1], [frame.bottom, frame.top]);
    const show = (tick) => String(Math.round(100 * tick));
    return {
      height: 440,
      nodes: [
        axes(
          frame,
          { ticks: ticksEvery(0.5, 1, 0.1), scale: x, show, label: "Predicted, σ(|margin|), %" },
          { ticks: ticksEvery(lowest, 1, 0.1), scale: y, show, label: "Right, %" },
        ),
        line(x(0.5), y(0.5), x(1), y(1), { class: "chance" }),
        filled.map((bin) =>
          mark(
            `Predicted ${percent(bin.predicted)} %, right ${percent(bin.right)} % (${interval(bin.ci)}), n = ${bin.n}`,
            bin.ci && line(x(bin.predicted), y(bin.ci[0]), x(bin.predicted), y(bin.ci[1]), { class: "whisker" }),
            element("svg:circle", { cx: x(bin.predicted).toFixed(1), cy: y(bin.right).toFixed(1), r: 4.5, class: "dot best" }),
          ),
        ),
        text(frame.left - 34, frame.bottom + 68, "n", { class: "axis-label" }),
        filled.map((bin) => {
          const height = (24 * bin.n) / most;
          return [
            box(x(bin.low) + 1, frame.bottom + 72 - height, x(bin.high) - x(bin.low) - 2, height, { class: "count-bar" }),
            text(x((bin.low + bin.high) / 2), frame.bottom + 88, whole(bin.n), { "text-anchor": "middle", class: "small" }),
          ];
        }),
      ],
    };
  };
  const table = plainTable(
    `Calibration of ${name}`,
    [
      { label: "σ(|margin|), %", numeric: true },
      { label: "Pairs", numeric: true },
      { label: "Predicted, %", numeric: true },
      { label: "Right, %", numeric: true },
      { label: "95 % interval", numeric: true },
    ],
    filled.map((bin) => [
      `${percent(bin.low)}–${percent(bin.high)}`,
      count(bin.n),
      percent(bin.predicted),
      percent(bin.right),
      interval(bin.ci),
    ]),
  );
  return element(
    "div",
    {},
    element(
      "p",
      { class: "legend" },
      element("span", {}, "On the dashed line the model is right as often as its margins predict, below it less often. Intervals: 95 %."),
    ),
    chart(`Calibration of ${name}`, draw, table, 640),
  );
}

/** What a schema gate decides is in none of the charts: it says nothing of the model's own margins. */
function leftOut({ margins, outcomes }) {
  const shown = [...margins.right, ...margins.wrong].reduce((sum, number) => sum + number, 0);
  const decided = [...outcomes].filter((letter) => "wl".includes(letter)).length - shown;
  return decided > 0 && element("p", {}, `${count(decided)} pairs that a schema gate decided are left out of both charts.`);
}

/**
 * Both charts of one model on one subset, or why there are none.
 * @param {any} part of a model's file @param {string} name @param {string} kind
 */
export function marginCharts(part, name, kind) {
  if (!part?.margins)
    return element(
      "p",
      {},
      kind === "judge" ? "A judge gives verdicts, no scores: there are no margins." : "This submission gives no margins here.",
    );
  return element(
    "div",
    {},
    element("h3", {}, "Margins"),
    marginHistogram(part.margins, name),
    leftOut(part),
    element("h3", {}, "Calibration"),
    part.calibration?.some(({ n }) => n > 0)
      ? calibrationPlot(part.calibration, name)
      : element("p", {}, `No calibration: margins of this model are not log odds (${rounded(part.margins.edges.at(-1))} at most).`),
  );
}
