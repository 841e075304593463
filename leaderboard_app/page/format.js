/** Numbers as texts. What is missing is an en dash, whatever its type. */

export const MISSING = "–";
const known = (value) => typeof value === "number" && Number.isFinite(value);
const grouped = new Intl.NumberFormat("en-US");
const cents = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const three = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

/** A share as percent, without the sign. @param {number|null|undefined} share */
export const percent = (share) => (known(share) ? (100 * share).toFixed(1) : MISSING);

/** A difference of shares in signed points. @param {number|null|undefined} difference */
export function points(difference) {
  if (!known(difference)) return MISSING;
  const text = Math.abs(100 * difference).toFixed(1);
  if (text === "0.0") return text;
  return (difference < 0 ? "−" : "+") + text;
}

/** @param {number[]|null|undefined} ci an interval of shares */
export const interval = (ci) => (known(ci?.[0]) && known(ci?.[1]) ? `${percent(ci[0])}–${percent(ci[1])}` : MISSING);

/** @param {number[]|null|undefined} ci an interval of differences */
export const pointsInterval = (ci) => (known(ci?.[0]) && known(ci?.[1]) ? `${points(ci[0])} to ${points(ci[1])}` : MISSING);

/** @param {number|null|undefined} number */
export const count = (number) => (known(number) ? grouped.format(number) : MISSING);

/** Three significant digits. @param {number|null|undefined} number */
export const rounded = (number) => (known(number) ? three.format(number) : MISSING);

/** @param {number|null|undefined} number of parameters */
export function size(number) {
  if (!known(number)) return MISSING;
  for (const [unit, letter] of [
    [1e12, "T"],
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ]) {
    // 999.6 million would else read 1,000M.
    if (number >= 0.9995 * unit) return three.format(number / unit) + letter;
  }
  return grouped.format(number);
}

/** @param {number|null|undefined} amount US dollars */
export function dollars(amount) {
  if (!known(amount)) return MISSING;
  return `$${amount !== 0 && amount < 0.1 ? three.format(amount) : cents.format(amount)}`;
}

/** @param {number|null|undefined} p */
export function probability(p) {
  if (!known(p)) return MISSING;
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

/** "p = 0.012" or "p < 0.001". @param {number|null|undefined} p */
export const equals = (p) => (known(p) && p < 0.001 ? probability(p) : `= ${probability(p)}`);

/** @param {{low: number, high: number}|null|undefined} rank */
export function rankText(rank) {
  if (!known(rank?.low)) return MISSING;
  return rank.low === rank.high ? String(rank.low) : `${rank.low}–${rank.high}`;
}

/** @param {string|null|undefined} text */
export const orMissing = (text) => (text === null || text === undefined || text === "" ? MISSING : String(text));

/** "1 pair", "2 pairs". @param {number} number @param {string} noun */
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
