/** What the page calculates itself from outcomes: differences of two entries within a cell. */

const CREDIT = { w: 1, t: 0.5, i: 0.5 };

/** Outcome letters in words. */
export const OUTCOMES = {
  w: "right",
  l: "wrong",
  t: "tie",
  i: "inconsistent",
  u: "unparsed",
  r: "refused",
  x: "too long",
  e: "error",
  "-": "not evaluated",
};

/**
 * The credit of every item.
 * @param {{outcomes: string, credits: number[]|null}} part one subset of a model's file
 */
export const creditsOf = ({ outcomes, credits }) => credits ?? Array.from(outcomes, (letter) => CREDIT[letter] ?? 0);

/**
 * Mean difference of two credits over some items, and its 95 % interval from the variance between tool catalogues, as
 * `student_interval` in fcrewardbench/stats.py makes it (null where there is no quantile, that is with one catalogue).
 * @param {number[]} a @param {number[]} b @param {number[]} places @param {number[]} cluster of each item @param {number|undefined} t
 * @returns {{n: number, mean: number, ci: number[]|null}}
 */
export function difference(a, b, places, cluster, t) {
  const n = places.length;
  let sum = 0;
  const sums = new Map();
  for (const place of places) {
    const d = a[place] - b[place];
    sum += d;
    const [total, size] = sums.get(cluster[place]) ?? [0, 0];
    sums.set(cluster[place], [total + d, size + 1]);
  }
  const mean = sum / n;
  const clusters = sums.size;
  if (t === undefined || clusters < 2) return { n, mean, ci: null };
  let squares = 0;
  for (const [total, size] of sums.values()) squares += (total - mean * size) ** 2;
  if (squares < 1e-12) {
    // The exact bound of how many catalogues may differ from what all of these have.
    const others = 1 - 0.025 ** (1 / clusters);
    return { n, mean, ci: [mean - others * (1 + mean), mean + others * (1 - mean)] };
  }
  const half = (t * Math.sqrt((squares * clusters) / (clusters - 1))) / n;
  return { n, mean, ci: [Math.max(-1, mean - half), Math.min(1, mean + half)] };
}

/**
 * The places of the items of each error type, in the vocabulary's order; types without items are left out.
 * @param {{error_types: string[], error_type: number[]}} index
 * @returns {[string, number[]][]}
 */
export function placesByType({ error_types: names, error_type: types }) {
  const places = names.map(() => []);
  types.forEach((type, place) => places[type]?.push(place));
  return names.map((name, type) => [name, places[type]]).filter(([name, some]) => name && some.length > 0);
}
