/** The leaderboard itself. Rows are built once; sorting and filtering only put them in order. */

import { columnsOf, FIXED, menuOf } from "./columns.js";
import { benchmarkOf, board as loadBoard, entriesOf, nounOf, subsetOf } from "./data.js";
import { element, folded, refill, scroller } from "./dom.js";
import { captionOf, downloadMenu } from "./download.js";
import { columnsMenu, controls, optionsOf, passes } from "./filters.js";
import { plural } from "./format.js";
import { Row, tapped } from "./row.js";
import { address, push } from "./state.js";

const ROW_HEIGHT = 36; // about; the heading takes the place of what it is short of
const FEWEST = 10;
const FRAME = 16;
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function compareBy(column, desc) {
  const sign = desc ? -1 : 1;
  return ({ entry: a }, { entry: b }) => {
    const [left, right] = [column.value(a), column.value(b)];
    // What is missing stands last in either order.
    if (left === null || right === null) return (left === null) - (right === null);
    return sign * (typeof left === "number" ? left - right : collator.compare(left, right));
  };
}

class Table {
  constructor(board, query) {
    this.board = board;
    this.controls = element("div");
    this.menus = element("div", { class: "menus" });
    this.status = element("p", { class: "status", role: "status" });
    this.compare = element("button", { type: "button", class: "primary", onclick: () => this.goCompare() });
    this.models = element("tbody");
    this.baselines = element("tbody", { class: "baselines" });
    this.columnGroup = element("colgroup");
    this.head = element("thead");
    this.caption = element("caption", { class: "unseen" });
    this.lede = element("p", { class: "lede" });
    this.table = element(
      "table",
      { class: "board", onclick: tapped },
      this.caption,
      this.columnGroup,
      this.head,
      this.models,
      this.baselines,
    );
    this.node = element(
      "div",
      {},
      element("h1", {}, "Leaderboard"),
      this.lede,
      this.controls,
      element("div", { class: "bar-of-table" }, this.status, legend(), this.menus, this.compare),
      scroller("Leaderboard table", "board", this.table),
      explanation(),
    );
    this.update(query);
  }

  update(query) {
    const benchmark = benchmarkOf(this.board, query.benchmark);
    const subset = subsetOf(benchmark, query.subset);
    const without = query.disputed === "without";
    const data = [benchmark.key, subset.name, without].join();
    if (data !== this.data) this.build(benchmark, subset, without);
    this.options = optionsOf(query, this.menuItems);
    const layout = [data, ...this.options.items].join();
    if (layout !== this.layout) this.lay();
    this.data = data;
    this.layout = layout;
    this.arrange();
    this.showControls(query);
  }

  build(benchmark, subset, without) {
    this.benchmark = benchmark;
    this.subset = subset;
    const entries = entriesOf(this.board, benchmark.key).map((entry) => (without ? { ...entry, ...entry.without_disputed } : entry));
    this.columns = columnsOf(this.board, benchmark, subset, without);
    this.menuItems = menuOf(this.columns, entries);
    this.rows = entries.map((entry) => new Row(entry, (id, checked) => this.select(id, checked)));
    refill(
      this.lede,
      `Which of two tool calls is right? Accuracy on ${benchmark.key}/${subset.name}, ${plural(subset.items, nounOf(subset))}`,
      without && ", without the disputed ones (outcomes and breakdowns are of all)",
      ".",
    );
    this.caption.textContent = `Models on ${benchmark.key}/${subset.name}, sortable by the headings`;
  }

  lay() {
    this.shown = this.columns.filter((column) => FIXED.has(column.item) || this.options.items.has(column.item));
    this.columnGroup.replaceChildren(
      element("col", { class: "c-select", style: { "--width": "1.9rem" } }),
      ...this.shown.map((column) =>
        element("col", { class: column.phone ? `phone c-${column.item}` : null, style: { "--width": `${column.width}rem` } }),
      ),
    );
    this.table.style.setProperty("--least", `${1.9 + this.shown.reduce((sum, column) => sum + column.width, 0)}rem`);
    this.head.replaceChildren(this.groupRow(), this.headRow());
    this.order = null;
  }

  groupRow() {
    const groups = [];
    for (const { group } of this.shown) {
      if (groups.at(-1)?.group === group) groups.at(-1).span += 1;
      else groups.push({ group, span: 1 });
    }
    return element(
      "tr",
      { class: "groups" },
      element("td", { class: "c-select" }),
      groups.map(({ group, span }) =>
        group ? element("th", { colspan: span, scope: "colgroup" }, element("span", {}, group)) : element("td", { colspan: span }),
      ),
    );
  }

  headRow() {
    this.heads = new Map();
    const heads = this.shown.map((column) => {
      const classes = [`c-${column.item}`, column.numeric && "number", column.phone && "phone"].filter(Boolean).join(" ");
      const head = element(
        "th",
        { scope: "col", class: classes },
        element(
          "button",
          { type: "button", title: column.title, onclick: () => this.sortBy(column) },
          column.label,
          element("span", { class: "arrow", "aria-hidden": "true" }),
        ),
        column.key === "accuracy" &&
          element("span", { class: "axis", "aria-hidden": "true" }, element("i", {}, "0"), element("i", {}, "50"), element("i", {}, "100")),
      );
      this.heads.set(column.key, head);
      return head;
    });
    return element("tr", {}, element("td", { class: "c-select" }, element("span", { class: "unseen" }, "Select")), heads);
  }

  sortBy(column) {
    const down = this.sort === column.key ? !this.desc : column.first === "desc";
    push({ sort: column.key, desc: down ? "1" : "0" });
  }

  /** The rows that fit on a screen at once, the others once those are painted. */
  place(models, baselines) {
    clearTimeout(this.later);
    const screenful = Math.max(FEWEST, Math.ceil(innerHeight / ROW_HEIGHT));
    const nodesOf = (rows) => rows.flatMap((row) => row.nodes(this.shown));
    this.models.replaceChildren(...nodesOf(models.slice(0, screenful)));
    this.baselines.replaceChildren(...nodesOf(baselines));
    const goOn = (start) => {
      if (start >= models.length) return;
      this.later = setTimeout(() => {
        this.models.append(...nodesOf(models.slice(start, start + screenful)));
        goOn(start + screenful);
      }, FRAME);
    };
    goOn(screenful);
  }

  /** Put the rows that pass into the order asked for: no node is made or thrown away. */
  arrange() {
    const { options } = this;
    const accuracy = this.columns.find(({ key }) => key === "accuracy");
    const column = this.columns.find(({ key }) => key === options.sort) ?? accuracy;
    const desc = (this.desc = options.desc ?? column.first === "desc");
    const [order, tie] = [compareBy(column, desc), compareBy(accuracy, true)];
    this.sort = column.key;
    const passing = this.rows
      .filter((row) => passes(row.entry, row.haystack, options))
      .sort((a, b) => order(a, b) || tie(a, b) || collator.compare(a.entry.id, b.entry.id));
    const { models = [], baselines = [] } = Object.groupBy(passing, ({ entry }) => (entry.kind === "baseline" ? "baselines" : "models"));
    this.passing = [...models, ...baselines];
    // Rows that stay where they are keep the focus that one of their boxes may have.
    const inOrder = this.passing.map(({ entry }) => entry.id).join();
    if (inOrder !== this.order) {
      this.place(models, baselines);
      this.order = inOrder;
    }
    for (const [key, head] of this.heads) {
      if (key === column.key) head.setAttribute("aria-sort", desc ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    const text =
      `${models.length} of ${plural(this.rows.length - baselines.length, "model")} shown` +
      (baselines.length ? `, and ${plural(baselines.length, "baseline")}` : "");
    if (this.status.textContent !== text) this.status.textContent = text;
    this.showSelection();
  }

  showSelection() {
    const known = new Map(this.rows.map((row) => [row.entry.id, row.entry]));
    this.options.selected = this.options.selected.filter((id) => known.has(id));
    const { selected } = this.options;
    for (const row of this.rows) row.box.checked = selected.includes(row.entry.id);
    this.compare.disabled = selected.length !== 2;
    this.compare.textContent =
      selected.length === 2
        ? `Compare ${selected.map((id) => known.get(id).name).join(" with ")}`
        : `Compare (${selected.length} of 2 selected)`;
  }

  select(id, checked) {
    const rest = this.options.selected.filter((other) => other !== id);
    // A third one takes the place of the first.
    push({ selected: (checked ? [...rest, id].slice(-2) : rest).join(",") });
  }

  goCompare() {
    const [a, b] = this.options.selected;
    location.hash = address("compare", [], { benchmark: this.benchmark.key, a, b });
  }

  /** Controls are made anew only where something that they show has changed, so that typing keeps its place. */
  showControls({ q, selected, sort, desc, ...query }) {
    const key = JSON.stringify(query);
    const typed = this.controls.querySelector("input[type=search]");
    if (key === this.controlsFor) {
      if (typed.value !== this.options.q) typed.value = this.options.q;
      return;
    }
    this.controlsFor = key;
    const downloads = (this.downloads ??= downloadMenu(this.board, () => ({
      columns: this.shown,
      entries: this.passing.map((row) => row.entry),
      name: `fc-rewardbench-${this.benchmark.key}-${this.subset.name}`,
      caption: captionOf(this.board, this.benchmark, this.subset),
    })));
    refill(
      this.controls,
      controls({
        board: this.board,
        benchmark: this.benchmark,
        subset: this.subset,
        entries: this.rows.map((row) => row.entry),
        options: this.options,
      }),
    );
    refill(this.menus, columnsMenu(this.menuItems, this.options), downloads);
  }
}

const legend = () =>
  element(
    "p",
    { class: "legend" },
    element("span", {}, element("span", { class: "swatch leader" }), "not significantly worse than the best"),
  );

const explanation = () =>
  folded(
    "How to read this table",
    element(
      "p",
      {},
      "The rank is an interval: 1 plus the number of entries, baselines among them, that are significantly better, to the number of entries less those that are significantly worse. Two models differ significantly where a paired test over tool catalogues says so at 5 % after Holm's correction. Where two intervals overlap, the pages of Compare tell whether the two models differ.",
    ),
    element(
      "p",
      {},
      "Bars run from 0 to 100 %, the line marks 50 %, the whisker is the 95 % interval. Numbers in other columns carry their interval as a tooltip, and all of them in the downloads and on the model's page. Baselines know nothing of meaning; they stay at the end whatever the order and the filter.",
    ),
    element("p", {}, element("a", { href: "#/about" }, "More on accuracy, intervals and tests")),
  );

/** @type {(path: string[], query: Object<string, string>) => Promise<import("./main.js").View>} */
export async function view(path, query) {
  const table = new Table(await loadBoard(), query);
  return { title: "Leaderboard", node: table.node, update: (query) => table.update(query) };
}
