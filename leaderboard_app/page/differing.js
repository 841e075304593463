/** The list of items on which two models earn different credit. */

import { nounOf, typesOf } from "./data.js";
import { element, picker, plainTable } from "./dom.js";
import { plural } from "./format.js";
import { address, push } from "./state.js";
import { creditsOf, OUTCOMES } from "./statistics.js";

const PAGE = 50;

/**
 * @param {{benchmark: any, subset: any, index: any, names: string[], parts: any[]}} sides
 * @param {Object<string, string>} query direction (a, b), error, page from 1
 */
export function differing({ benchmark, subset, index, names, parts }, query) {
  const [a, b] = parts.map(creditsOf);
  const type = (place) => index.error_types[index.error_type[place]];
  const all = index.ids.map((_, place) => place).filter((place) => a[place] !== b[place]);
  const kept = all.filter(
    (place) =>
      (query.direction !== "a" || a[place] > b[place]) &&
      (query.direction !== "b" || b[place] > a[place]) &&
      (!query.error || type(place) === query.error),
  );
  const pages = Math.max(1, Math.ceil(kept.length / PAGE));
  const page = Math.min(pages, Math.max(1, Number.parseInt(query.page ?? "1", 10) || 1));
  const shown = kept.slice((page - 1) * PAGE, page * PAGE);
  const said = (part, place) => OUTCOMES[part.outcomes[place]] ?? OUTCOMES["-"];
  const caption = `${plural(kept.length, nounOf(subset))} on which they differ` + (pages > 1 ? `, page ${page} of ${pages}` : "");
  return element(
    "div",
    {},
    element(
      "div",
      { class: "controls" },
      picker(
        "Better",
        [
          ["", "either"],
          ["a", names[0]],
          ["b", names[1]],
        ],
        query.direction ?? "",
        (direction) => push({ direction, page: "" }),
      ),
      picker("Error type", [["", "any"], ...typesOf(subset).map(([name]) => [name, name])], query.error ?? "", (error) =>
        push({ error, page: "" }),
      ),
    ),
    plainTable(
      caption,
      [nounOf(subset) === "pair" ? "Pair" : "Candidate set", "Error type", "Category", names[0], names[1]],
      shown.map((place) => [
        element("a", { href: address("pair", [benchmark.key, subset.name, index.ids[place]]) }, index.ids[place]),
        type(place) ?? "–",
        index.categories[index.category[place]] ?? "–",
        verdict(said(parts[0], place)),
        verdict(said(parts[1], place)),
      ]),
    ),
    pages > 1 &&
      element(
        "p",
        { class: "pages" },
        element("button", { type: "button", disabled: page === 1, onclick: () => push({ page: String(page - 1) }) }, "Previous 50"),
        element("button", { type: "button", disabled: page === pages, onclick: () => push({ page: String(page + 1) }) }, "Next 50"),
      ),
  );
}

const verdict = (text) => element("span", { class: `verdict ${text === "right" ? "right" : text === "wrong" ? "wrong" : "other"}` }, text);
