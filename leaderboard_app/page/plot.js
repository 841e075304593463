/** What all charts share: scales, axes, drawing at the width there is, and a table beside every chart. */

import { element, folded, scroller } from "./dom.js";

/**
 * A chart that draws itself anew at each new width of its place.
 * @param {string} label what it shows, in a sentence
 * @param {(width: number) => {height: number, width?: number, nodes: any[]}} draw a chart wider than its place scrolls
 * @param {HTMLElement} table the same numbers
 * @param {number} most the greatest width
 */
export function chart(label, draw, table, most = 860) {
  const place = scroller(label, "chart");
  let drawn = 0;
  const observer = new ResizeObserver(([{ contentRect }]) => {
    const width = Math.min(Math.floor(contentRect.width), most);
    if (width < 50 || width === drawn) return;
    drawn = width;
    const { height, width: wanted = width, nodes } = draw(width);
    place.replaceChildren(
      element("svg:svg", { viewBox: `0 0 ${wanted} ${height}`, width: wanted, height, role: "group", "aria-label": label }, nodes),
    );
  });
  observer.observe(place);
  return element("div", { class: "figure" }, place, folded("Show as table", table));
}

/** @param {[number, number]} domain @param {[number, number]} range */
export const linear =
  ([d0, d1], [r0, r1]) =>
  (value) =>
    r0 + ((value - d0) / (d1 - d0)) * (r1 - r0);

/** @param {[number, number]} domain both above 0 @param {[number, number]} range */
export const logarithmic = ([d0, d1], range) => {
  const scale = linear([Math.log(d0), Math.log(d1)], range);
  return (value) => scale(Math.log(value));
};

/** 1, 2 and 5 of each decade, fewer where there would be many. @param {[number, number]} domain */
export function logTicks([low, high]) {
  const decades = Math.log10(high / low);
  const steps = decades < 2.5 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) ticks.push(step * 10 ** power);
  }
  return ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

/** Every `step` within the domain. @param {number} low @param {number} high @param {number} step */
export function ticksEvery(low, high, step) {
  const ticks = [];
  // The sum turns a minus zero into zero.
  for (let place = Math.ceil(low / step - 1e-9) + 0; place * step <= high + 1e-9; place++) ticks.push(place * step);
  return ticks;
}

/** @param {number} x @param {number} y @param {any} content @param {Object<string, any>} attributes */
export const text = (x, y, content, attributes = {}) => element("svg:text", { x: x.toFixed(1), y: y.toFixed(1), ...attributes }, content);

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {Object<string, any>} attributes */
export const line = (x1, y1, x2, y2, attributes = {}) =>
  element("svg:line", { x1: x1.toFixed(1), y1: y1.toFixed(1), x2: x2.toFixed(1), y2: y2.toFixed(1), ...attributes });

/** @param {number} x @param {number} y @param {number} width @param {number} height @param {Object<string, any>} attributes */
export const box = (x, y, width, height, attributes = {}) =>
  element("svg:rect", {
    x: x.toFixed(1),
    y: y.toFixed(1),
    width: Math.max(0, width).toFixed(1),
    height: Math.max(0, height).toFixed(1),
    ...attributes,
  });

/** A mark that says its name and numbers. @param {string} label @param {...any} nodes */
export const mark = (label, ...nodes) => element("svg:g", { role: "img", "aria-label": label }, element("svg:title", {}, label), ...nodes);

/**
 * Hairlines and numbers of both axes.
 * @param {{left: number, right: number, top: number, bottom: number}} frame
 * @param {{ticks: number[], scale: (value: number) => number, show: (value: number) => string, label: string}} x
 * @param {{ticks: number[], scale: (value: number) => number, show: (value: number) => string, label: string}} y
 */
export function axes({ left, right, top, bottom }, x, y) {
  return element(
    "svg:g",
    { class: "axes", "aria-hidden": "true" },
    y.ticks.map((tick) => [
      line(left, y.scale(tick), right, y.scale(tick), { class: "grid" }),
      text(left - 8, y.scale(tick) + 4, y.show(tick), { "text-anchor": "end" }),
    ]),
    x.ticks.map((tick) => [
      line(x.scale(tick), bottom, x.scale(tick), bottom + 4, { class: "tick" }),
      text(x.scale(tick), bottom + 18, x.show(tick), { "text-anchor": "middle" }),
    ]),
    line(left, bottom, right, bottom, { class: "tick" }),
    text((left + right) / 2, bottom + 38, x.label, { "text-anchor": "middle", class: "axis-label" }),
    text(left - 34, top - 12, y.label, { class: "axis-label" }),
  );
}
