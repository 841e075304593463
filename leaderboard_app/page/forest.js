/** Differences of two models by error type, with intervals. */

import { plainTable } from "./dom.js";
import { points, pointsInterval, count } from "./format.js";
import { box, chart, line, linear, mark, text, ticksEvery } from "./plot.js";

/**
 * @param {{label: string, n: number, mean: number, ci: number[]|null}[]} rows @param {string} a @param {string} b
 */
export function forest(rows, a, b) {
  const reach = Math.min(1, Math.max(0.05, ...rows.flatMap(({ mean, ci }) => [Math.abs(mean), ...(ci ?? []).map(Math.abs)])));
  const step = reach > 0.5 ? 0.25 : reach > 0.2 ? 0.1 : 0.05;
  const limit = Math.ceil(reach / step - 1e-9) * step;
  const draw = (width) => {
    const narrow = width < 620;
    const [left, right] = narrow ? [16, width - 16] : [270, width - 178];
    const height = narrow ? 60 : 30;
    const top = 30;
    const x = linear([-limit, limit], [left, right]);
    const bottom = top + rows.length * height;
    const nodes = [
      text(left, 14, "← B better", { class: "hushed" }),
      text(right, 14, "A better →", { "text-anchor": "end", class: "hushed" }),
      ticksEvery(-limit, limit, step).map((tick) => [
        line(x(tick), top, x(tick), bottom, { class: Math.abs(tick) < 1e-9 ? "zero" : "grid" }),
        narrow && Math.round(Math.abs(tick) / step) % 2
          ? null
          : text(x(tick), bottom + 18, String(Math.round(100 * tick)).replace("-", "−"), { "text-anchor": "middle", class: "small" }),
      ]),
      text((left + right) / 2, bottom + 38, "Difference in points, A − B", { "text-anchor": "middle", class: "axis-label" }),
      rows.map(({ label, n, mean, ci }, place) => {
        const y = top + place * height + (narrow ? 48 : height / 2);
        const numbers = `${points(mean)} (${pointsInterval(ci)})`;
        const whole = place === 0;
        return [
          text(narrow ? left : left - 12, narrow ? y - 29 : y + 4, `${label}, n = ${count(n)}`, {
            "text-anchor": narrow ? "start" : "end",
            class: whole ? "strong" : null,
          }),
          text(narrow ? left : width - 2, narrow ? y - 13 : y + 4, numbers, {
            "text-anchor": narrow ? "start" : "end",
            class: whole ? "strong" : null,
          }),
          mark(
            `${label}: ${numbers}, n = ${n}`,
            ci && line(x(Math.max(-limit, ci[0])), y, x(Math.min(limit, ci[1])), y, { class: "whisker" }),
            box(x(mean) - 4, y - 4, 8, 8, { class: whole ? "dot best" : "dot" }),
          ),
        ];
      }),
    ];
    return { height: bottom + 46, nodes };
  };
  const table = plainTable(
    `${a} − ${b} by error type`,
    [
      "Error type",
      { label: "Pairs", numeric: true },
      { label: "Difference, points", numeric: true },
      { label: "95 % interval", numeric: true },
    ],
    rows.map(({ label, n, mean, ci }) => [label, count(n), points(mean), pointsInterval(ci)]),
  );
  return chart(`Differences of ${a} (A) and ${b} (B) by error type`, draw, table);
}
