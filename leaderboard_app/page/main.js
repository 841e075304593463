/** The router: one view at a time, chosen by the address. */

import { board, Unavailable } from "./data.js";
import { element } from "./dom.js";
import { tellHub } from "./space.js";
import { here } from "./state.js";

/**
 * What a view's module exports as `view(path, query)`.
 * @typedef {{title: string, node: HTMLElement, update?: (query: Object<string, string>) => void}} View
 */

const VIEWS = {
  table: () => import("./table.js"),
  charts: () => import("./charts.js"),
  compare: () => import("./compare.js"),
  hardest: () => import("./hardest.js"),
  model: () => import("./model.js"),
  pair: () => import("./pair.js"),
  submit: () => import("./submit.js"),
  about: () => import("./about.js"),
};

const content = document.getElementById("content");
let shown = null;
let turn = 0;

async function show() {
  const { route, path, query } = here();
  const way = [route, ...path].join("/");
  const mine = ++turn;
  let view;
  try {
    if (shown?.way === way && shown.update) {
      await shown.update(query);
      return;
    }
    if (!Object.hasOwn(VIEWS, route)) throw new Unavailable(`There is no page ${route} here.`);
    view = await (await VIEWS[route]()).view(path, query);
  } catch (error) {
    view = failure(error);
  }
  // A slower view that was asked for earlier must not replace a later one.
  if (mine !== turn) return;
  const first = shown === null;
  const moved = shown?.way !== way;
  shown = { way, update: view.update };
  content.replaceChildren(view.node);
  document.title = `${view.title} · FC-RewardBench`;
  for (const link of document.querySelectorAll("nav [data-route]")) {
    if (link.dataset.route === route) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (first || !moved) return;
  scrollTo(0, 0);
  const heading = content.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** @returns {View} */
function failure(error) {
  if (!(error instanceof Unavailable)) console.error(error);
  const sentence = error instanceof Unavailable ? error.message : "The page failed; the browser's console says where.";
  return {
    title: "Not shown",
    node: element(
      "div",
      {},
      element("h1", {}, "Not shown"),
      element("p", {}, sentence),
      element("p", {}, element("a", { href: "#/table" }, "To the table")),
    ),
  };
}

async function showFooter() {
  const { built, commit, version } = await board();
  document
    .getElementById("footer")
    .replaceChildren(
      element(
        "p",
        {},
        `Built ${built.slice(0, 16).replace("T", " ")} UTC`,
        commit && ` from ${commit.slice(0, 7)}`,
        `, fcrewardbench ${version}. `,
        element("a", { href: "#/about" }, "What the numbers mean"),
        ".",
      ),
    );
}

document.getElementById("skip").addEventListener("click", (event) => {
  // The address is the page's state: it must not become that of the anchor.
  event.preventDefault();
  content.focus();
});
addEventListener("hashchange", show);
addEventListener("hashchange", tellHub);
await show();
showFooter().catch(() => {
  // The view has said already that the board is not there.
});
