/** Accuracy against what a model costs or how large it is. */

import { fullName } from "./data.js";
import { element, plainTable } from "./dom.js";
import { dollars, interval, percent, plural, rounded, size } from "./format.js";
import { axes, chart, line, logarithmic, logTicks, linear, mark, text, ticksEvery } from "./plot.js";

/** What can stand on the x axis. */
export const MEASURES = {
  cost: {
    label: "US dollars per 1,000 pairs",
    of: (entry) => entry.cost_per_1000,
    show: dollars,
    tick: (amount) => `$${rounded(amount)}`,
    noun: "a cost",
  },
  parameters: { label: "Parameters", of: (entry) => entry.parameters, show: size, tick: size, noun: "a number of parameters" },
  seconds: {
    label: "Seconds per 1,000 pairs, on the submitter's hardware",
    of: (entry, result) => result.seconds_per_1000,
    show: rounded,
    tick: rounded,
    noun: "a time",
  },
};

const SHAPES = {
  classifier: "M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0",
  judge: "M-4,-4h8v8h-8z",
  dpo: "M0,-5.2L5,4h-10z",
  likelihood: "M0,-5.6L5.6,0L0,5.6L-5.6,0z",
};

/** Those that no other beats in both: the cheapest first. */
function frontier(dots) {
  const kept = [];
  for (const dot of dots.toSorted((a, b) => a.x - b.x || b.result.accuracy - a.result.accuracy)) {
    if (kept.length === 0 || dot.result.accuracy > kept.at(-1).result.accuracy) kept.push(dot);
  }
  return kept;
}

/** Names beside their marks, each at the first of six places where it meets nothing. */
function labels(dots, frame) {
  const taken = dots.map(({ px, py }) => [px - 6, py - 6, px + 6, py + 6]);
  const whiskers = dots.map(({ px, whisker: [top, bottom] }) => [px - 1, top, px + 1, bottom]);
  const meets = ([a, b, c, d], things) =>
    a < frame.left ||
    c > frame.right + 60 ||
    b < frame.top - 10 ||
    d > frame.bottom ||
    things.some(([e, f, g, h]) => a < g && c > e && b < h && d > f);
  return dots.map(({ entry, px, py }) => {
    const width = entry.name.length * 6.4;
    const places = [
      [px + 9, py + 4, "start"],
      [px - 9, py + 4, "end"],
      [px + 7, py - 9, "start"],
      [px + 7, py + 16, "start"],
      [px - 7, py - 9, "end"],
      [px - 7, py + 16, "end"],
    ];
    const areas = places.map(([x, y, anchor]) => {
      const start = anchor === "start" ? x : x - width;
      return { x, y, anchor, area: [start, y - 11, start + width, y + 2] };
    });
    // To cross a whisker is better than to have no name.
    const found = areas.find(({ area }) => !meets(area, [...taken, ...whiskers])) ?? areas.find(({ area }) => !meets(area, taken));
    if (!found) return null;
    taken.push(found.area);
    return text(found.x, found.y, entry.name, { "text-anchor": found.anchor, class: "name" });
  });
}

/**
 * @param {any[]} entries @param {any} subset @param {keyof typeof MEASURES} measure
 */
export function scatter(entries, subset, measure) {
  const { label, of, show, tick: showTick, noun } = MEASURES[measure];
  const models = entries.filter((entry) => entry.kind !== "baseline" && entry.results[subset.name]);
  const dots = models
    .map((entry) => ({ entry, result: entry.results[subset.name], x: of(entry, entry.results[subset.name]) }))
    .filter(({ x }) => x > 0);
  const free = models.filter((entry) => of(entry, entry.results[subset.name]) === 0).length;
  const left = models.length - dots.length - free;
  const notes = [
    left > 0 && `${plural(left, "model")} without ${noun} ${left === 1 ? "is" : "are"} not shown.`,
    free > 0 && `${plural(free, "model")} at 0 ${free === 1 ? "has" : "have"} no place on an axis of powers.`,
  ].filter(Boolean);
  if (dots.length === 0) return element("p", {}, free > 0 ? notes.join(" ") : `No model on ${subset.name} says ${noun}.`);
  const best = frontier(dots);
  const xs = dots.map(({ x }) => x);
  const domain = [Math.min(...xs) / 1.6, Math.max(...xs) * 1.6];
  const lowest = Math.min(0.5, ...dots.map(({ result }) => result.ci?.[0] ?? result.accuracy));
  const bottomValue = Math.floor(lowest * 10) / 10;

  const draw = (width) => {
    const frame = { left: 44, right: width - (width > 500 ? 60 : 22), top: 34, bottom: 390 };
    const xScale = logarithmic(domain, [frame.left, frame.right]);
    const yScale = linear([bottomValue, 1], [frame.bottom, frame.top]);
    for (const dot of dots) {
      const [low, high] = dot.result.ci ?? [dot.result.accuracy, dot.result.accuracy];
      Object.assign(dot, { px: xScale(dot.x), py: yScale(dot.result.accuracy), whisker: [yScale(high), yScale(low)] });
    }
    const steps = best.map(({ px, py }, place) => `${place ? `H${px.toFixed(1)}V` : `M${px.toFixed(1)},`}${py.toFixed(1)}`).join("");
    const nodes = [
      axes(
        frame,
        { ticks: logTicks(domain), scale: xScale, show: showTick, label },
        { ticks: ticksEvery(bottomValue, 1, 0.1), scale: yScale, show: (tick) => String(Math.round(100 * tick)), label: "Accuracy, %" },
      ),
      // Chance on sets depends on how many of their candidates are right.
      !subset.sets && line(frame.left, yScale(0.5), frame.right, yScale(0.5), { class: "chance" }),
      element("svg:path", { d: `${steps}H${frame.right.toFixed(1)}`, class: "pareto" }),
      dots.map(({ entry, result, x, px, py, whisker: [top, bottom] }) =>
        mark(
          `${fullName(entry)}, ${entry.kind}: ${percent(result.accuracy)} % (${interval(result.ci)}) at ${show(x)}`,
          line(px, top, px, bottom, { class: "whisker" }),
          element("svg:path", {
            d: SHAPES[entry.kind] ?? SHAPES.classifier,
            transform: `translate(${px.toFixed(1)} ${py.toFixed(1)})`,
            class: best.some((dot) => dot.entry === entry) ? "dot best" : "dot",
          }),
        ),
      ),
      labels(dots, frame),
    ];
    return { height: 440, nodes };
  };
  const table = plainTable(
    `Accuracy and ${label}`,
    [
      "Model",
      "Kind",
      { label, numeric: true },
      { label: "Accuracy, %", numeric: true },
      { label: "95 % interval", numeric: true },
      "On the line of the best",
    ],
    dots
      .toSorted((a, b) => a.x - b.x)
      .map(({ entry, result, x }) => [
        fullName(entry),
        entry.kind,
        show(x),
        percent(result.accuracy),
        interval(result.ci),
        best.some((dot) => dot.entry === entry) ? "yes" : "no",
      ]),
  );
  return element("div", {}, key(dots), chart(`Accuracy against ${label}`, draw, table), notes.length > 0 && element("p", { class: "hushed" }, notes.join(" ")));
}

const key = (dots) =>
  element(
    "p",
    { class: "legend" },
    [...new Set(dots.map(({ entry }) => entry.kind))]
      .sort()
      .map((kind) =>
        element(
          "span",
          {},
          element(
            "svg:svg",
            { width: 16, height: 14, viewBox: "-8 -7 16 14", "aria-hidden": "true" },
            element("svg:path", { d: SHAPES[kind] ?? SHAPES.classifier, class: "dot" }),
          ),
          kind,
        ),
      ),
    element(
      "span",
      {},
      element("svg:svg", { width: 24, height: 10, "aria-hidden": "true" }, element("svg:path", { d: "M0,8H10V2H24", class: "pareto" })),
      "no model is both better and cheaper (filled)",
    ),
  );
