/** One entry's row, and on a phone what it folds out. */

import { fullName } from "./data.js";
import { definitions, element } from "./dom.js";
import { haystackOf } from "./filters.js";
import { address } from "./state.js";

const phone = matchMedia("(max-width: 640px)");
const rowOf = new WeakMap();

/** On a phone a tap anywhere on a row opens it, but for what is itself to be tapped. */
export function tapped({ target }) {
  if (phone.matches && !target.closest("a, button, input")) rowOf.get(target.closest("tr"))?.toggle();
}

/** Its cells are made when their column is first shown. */
export class Row {
  constructor(entry, select) {
    this.entry = entry;
    this.haystack = haystackOf(entry);
    this.cells = new Map();
    this.box = element("input", {
      type: "checkbox",
      "aria-label": `Select ${fullName(entry)} for comparison`,
      disabled: entry.rank === null,
      onchange: (event) => select(entry.id, event.target.checked),
    });
    this.node = element("tr", { class: entry.kind === "baseline" ? "baseline" : entry.leader_group ? "leader" : null });
    this.detail = null;
    rowOf.set(this.node, this);
  }

  cell(column) {
    if (!this.cells.has(column.key)) this.cells.set(column.key, this.makeCell(column));
    return this.cells.get(column.key);
  }

  makeCell(column) {
    const classes = [`c-${column.item}`, column.numeric && "number", column.phone && "phone"].filter(Boolean).join(" ");
    if (column.key !== "model") return element("td", { class: classes }, column.cell(this.entry));
    this.expand = element(
      "button",
      {
        type: "button",
        class: "expand",
        "aria-expanded": "false",
        "aria-label": `Details of ${fullName(this.entry)}`,
        onclick: () => this.toggle(),
      },
      "▸",
    );
    return element("th", { class: classes, scope: "row" }, this.expand, element("span", {}, column.cell(this.entry)));
  }

  lay(columns) {
    this.shown = columns;
    this.node.replaceChildren(element("td", { class: "c-select" }, this.box), ...columns.map((column) => this.cell(column)));
    this.detail &&= this.makeDetail();
  }

  toggle() {
    const open = this.detail === null;
    this.detail?.remove();
    this.detail = open ? this.makeDetail() : null;
    if (open) this.node.after(this.detail);
    this.expand.setAttribute("aria-expanded", String(open));
    this.expand.textContent = open ? "▾" : "▸";
  }

  makeDetail() {
    const { entry } = this;
    const rest = this.shown.filter((column) => !column.phone);
    return element(
      "tr",
      { class: "detail" },
      element(
        "td",
        { colspan: "3" },
        definitions(rest.map((column) => [column.label, column.text(entry)])),
        element(
          "p",
          {},
          element("a", { href: address("compare", [], { benchmark: entry.benchmark, a: entry.id }) }, "Compare with another model"),
        ),
      ),
    );
  }

  /** The nodes that stand for it in a table of these columns. */
  nodes(columns) {
    if (this.shown !== columns) this.lay(columns);
    return this.detail ? [this.node, this.detail] : [this.node];
  }
}
