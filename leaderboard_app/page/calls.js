/** Tool calls, and where two candidates' calls differ, argument by argument. */

import { element } from "./dom.js";

/**
 * `mark`: same; changed; removed (only left has it); added (only right has it); inside (some child differs).
 * @typedef {{mark: "same"|"changed"|"removed"|"added"|"inside", left?: any, right?: any, list?: boolean,
 *   children?: [string, Difference][]}} Difference
 */

const isObject = (value) => typeof value === "object" && value !== null;

/**
 * Compare two JSON values, objects by key and arrays by place. The order of keys makes no difference.
 * @param {any} left @param {any} right
 * @returns {Difference}
 */
export function compareValues(left, right) {
  if (!isObject(left) || !isObject(right) || Array.isArray(left) !== Array.isArray(right)) {
    return { mark: left === right ? "same" : "changed", left, right };
  }
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  const children = keys.map((key) => {
    if (!Object.hasOwn(right, key)) return [key, { mark: "removed", left: left[key] }];
    if (!Object.hasOwn(left, key)) return [key, { mark: "added", right: right[key] }];
    return [key, compareValues(left[key], right[key])];
  });
  const mark = children.every(([, child]) => child.mark === "same") ? "same" : "inside";
  return { mark, left, right, list: Array.isArray(left), children };
}

const countMarks = ({ mark, children }) =>
  mark === "inside" ? children.reduce((sum, [, child]) => sum + countMarks(child), 0) : mark === "same" ? 0 : 1;

/**
 * Which call of the one stands for which of the other: calls of one name with the fewest differences first, then what is
 * left in order. Undefined where one side has no partner.
 * @param {any[]} left @param {any[]} right
 * @returns {[any, any][]}
 */
export function alignCalls(left, right) {
  const free = new Set(right);
  const partner = new Map();
  const choices = left.flatMap((call) =>
    right
      .filter((other) => other.name === call.name)
      .map((other) => ({ call, other, cost: countMarks(compareValues(call.arguments, other.arguments)) })),
  );
  for (const { call, other } of choices.sort((a, b) => a.cost - b.cost)) {
    if (partner.has(call) || !free.has(other)) continue;
    partner.set(call, other);
    free.delete(other);
  }
  for (const call of left) {
    const [next] = free;
    if (partner.has(call) || next === undefined) continue;
    partner.set(call, next);
    free.delete(next);
  }
  return [...left.map((call) => [call, partner.get(call)]), ...[...free].map((call) => [undefined, call])];
}

const SIGNS = { same: " ", inside: " ", changed: "≠", removed: "−", kept: "−", added: "+" };
const SAID = { changed: "differs: ", removed: "only in the right one: ", kept: "only in the right one: ", added: "only here: " };

function line(mark, depth, ...content) {
  const tag = mark === "added" ? "ins" : mark === "removed" ? "del" : "span";
  return element(
    "span",
    { class: `line ${mark}`, style: { "--depth": depth } },
    element("span", { class: "sign", "aria-hidden": "true" }, SIGNS[mark]),
    SAID[mark] && element("span", { class: "unseen" }, SAID[mark]),
    element(tag, { class: "content" }, ...content),
  );
}

const named = (key) => (key === null ? [] : [element("span", { class: "key" }, key), " = "]);

/** A value's lines as one side shows it; the left one leaves out what only the right one has, and highlights (kept) what it alone has. */
function linesOf(node, key, depth, side) {
  if (side === "left" && node.mark === "added") return [];
  if (node.mark !== "inside") {
    const value = node.mark === "removed" ? node.left : side === "left" ? node.left : node.right;
    const mark = side === "left" && node.mark === "removed" ? "kept" : node.mark;
    return [line(mark, depth, named(key), JSON.stringify(value))];
  }
  const [open, close] = node.list ? "[]" : "{}";
  return [
    line("same", depth, named(key), open),
    ...node.children.flatMap(([name, child]) => linesOf(child, node.list ? null : name, depth + 1, side)),
    line("same", depth, close),
  ];
}

const asOne = (mark, value) => ({ mark, left: value, right: value });

function callLines([left, right], side) {
  const own = side === "left" ? left : right;
  if (own === undefined) {
    if (side === "left") return [];
    return [line("removed", 0, element("span", { class: "function" }, left.name), "(…)")];
  }
  const alone = left === undefined || right === undefined;
  const mark = alone ? (side === "left" ? "kept" : "added") : left.name === right.name ? "same" : "changed";
  const inner = alone
    ? Object.entries(own.arguments ?? {}).map(([key, value]) => [key, asOne(mark, value)])
    : compareValues(left.arguments ?? {}, right.arguments ?? {}).children;
  return [
    line(mark, 0, element("span", { class: "function" }, own.name), inner.length ? "(" : "()"),
    ...inner.flatMap(([key, child]) => linesOf(child, key, 1, side)),
    inner.length ? line(mark === "changed" ? "same" : mark, 0, ")") : null,
  ];
}

/**
 * A candidate as it is written: its calls, an argument a line, or its words.
 * @param {any} candidate what is shown @param {any} other what it is compared with; itself for no marks
 * @param {"left"|"right"} side left: the one that others are measured by
 */
export function candidateText(candidate, other, side) {
  if (!candidate.calls) return element("pre", { class: "words", tabindex: "0" }, candidate.text ?? "");
  if (candidate.calls.length === 0) return element("p", { class: "hushed" }, "No call.");
  const ordered = side === "left" ? [candidate.calls, other.calls ?? []] : [other.calls ?? [], candidate.calls];
  // Beside words there is nothing to compare argument by argument.
  const pairs = other.calls ? alignCalls(...ordered) : candidate.calls.map((call) => [call, call]);
  return element(
    "code",
    { class: "calls" },
    pairs.flatMap((pair) => callLines(pair, side)),
  );
}
