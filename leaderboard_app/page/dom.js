/** DOM without markup strings: whatever a submission says becomes a text node. */

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "open", "hidden"]);
const SAFE_LINK = /^(#|https:\/\/|[\w@./-]+\.json$)/;

/**
 * Make an element. A tag `svg:name` is of the SVG namespace; `onclick` and the like take functions; `style` takes an
 * object of properties, set through CSSOM, which a strict content security policy allows.
 * Links that are neither within the page, to its own JSON files nor https lose their address.
 * @param {string} tag
 * @param {Object<string, any>} attributes
 * @param {...any} children nodes, texts, arrays of them; null and false are left out
 * @returns {any}
 */
export function element(tag, attributes = {}, ...children) {
  const node = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (name === "style") {
      for (const [property, setting] of Object.entries(value)) node.style.setProperty(property, setting);
    } else if (name === "href" && !SAFE_LINK.test(value)) continue;
    else if (PROPERTIES.has(name) && name in node) node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

/**
 * A link out of the page, or only its text where the address is not https.
 * @param {unknown} address
 * @param {string} label
 */
export function outside(address, label) {
  if (typeof address !== "string" || !address.startsWith("https://")) return label;
  return element("a", { href: address, rel: "noopener noreferrer nofollow ugc" }, label);
}

/**
 * A box that scrolls sideways where its content is wider; only then is it a stop for the keyboard and a region with a name.
 * @param {string} label @param {string} kind its class @param {...any} children
 */
export function scroller(label, kind, ...children) {
  const node = element("div", { class: `scroll ${kind}` }, ...children);
  const names = { tabindex: "0", role: "region", "aria-label": label };
  const check = () => {
    const scrolls = node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1;
    for (const [name, value] of Object.entries(names)) {
      if (scrolls) node.setAttribute(name, value);
      else node.removeAttribute(name);
    }
  };
  const observer = new ResizeObserver(check);
  for (const watched of [node, ...node.children]) observer.observe(watched);
  return node;
}

/**
 * A plain table: the first cell of each row is its heading.
 * @param {string} caption
 * @param {(string | {label: string, numeric?: boolean})[]} heads
 * @param {any[][]} rows
 */
export function plainTable(caption, heads, rows) {
  const columns = heads.map((head) => (typeof head === "string" ? { label: head } : head));
  const kind = (place) => (columns[place].numeric ? "number" : null);
  return scroller(
    caption,
    "",
    element(
      "table",
      { class: "plain" },
      element("caption", {}, caption),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          columns.map((head, place) => element("th", { scope: "col", class: kind(place) }, head.label)),
        ),
      ),
      element(
        "tbody",
        {},
        rows.map((cells) =>
          element(
            "tr",
            {},
            cells.map((cell, place) =>
              place === 0 ? element("th", { scope: "row", class: kind(place) }, cell) : element("td", { class: kind(place) }, cell),
            ),
          ),
        ),
      ),
    ),
  );
}

/** @param {[any, any][]} pairs terms and what they stand for; those that stand for nothing are left out */
export function definitions(pairs) {
  const kept = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element(
    "dl",
    {},
    kept.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value))),
  );
}

/** @param {any} label @param {...any} children */
export function folded(label, ...children) {
  return element("details", {}, element("summary", {}, label), ...children);
}

/**
 * A labelled drop-down list.
 * @param {string} label
 * @param {[string, string][]} options values and their texts
 * @param {string} value
 * @param {(value: string) => void} choose
 */
export function picker(label, options, value, choose) {
  return element(
    "label",
    { class: "field" },
    element("span", {}, label),
    element(
      "select",
      { onchange: (event) => choose(event.target.value) },
      options.map(([key, text]) => element("option", { value: key, selected: key === value }, text)),
    ),
  );
}

/**
 * A labelled box to tick.
 * @param {any} label @param {boolean} checked @param {(checked: boolean) => void} choose
 * @param {Object<string, any>} attributes
 */
export function tick(label, checked, choose, attributes = {}) {
  return element(
    "label",
    { class: "tick" },
    element("input", { type: "checkbox", checked, onchange: (event) => choose(event.target.checked), ...attributes }),
    element("span", {}, label),
  );
}

/**
 * A command with a button that copies it.
 * @param {string} text
 */
export function command(text) {
  const code = element("code", {}, text);
  const said = element("span", { class: "hushed", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "Copied";
    } catch {
      // Without a secure origin there is no clipboard: the marked text can be copied by hand.
      getSelection()?.selectAllChildren(code);
      said.textContent = "Marked; copy it with your keyboard";
    }
  };
  return element(
    "div",
    { class: "command" },
    element("pre", { tabindex: "0", role: "group", "aria-label": "Command" }, code),
    element("button", { type: "button", onclick: copy, "aria-label": `Copy: ${text}` }, "Copy"),
    said,
  );
}

/**
 * A menu that folds out of a button, and in again at Escape or a click elsewhere.
 * @param {string} label @param {...any} children
 */
export function menu(label, ...children) {
  const box = folded(label, element("div", { class: "sheet" }, ...children));
  box.className = "menu";
  const outsideClick = (event) => {
    if (!box.contains(event.target)) box.open = false;
  };
  box.addEventListener("toggle", () => {
    if (box.open) document.addEventListener("pointerdown", outsideClick);
    else document.removeEventListener("pointerdown", outsideClick);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.open) return;
    box.open = false;
    box.querySelector("summary").focus();
  });
  return box;
}

/**
 * Replace a box's content, and leave the focus and what is folded out where they were.
 * @param {HTMLElement} box @param {...any} nodes
 */
export function refill(box, ...nodes) {
  const stops = () => [...box.querySelectorAll("a, input, select, summary, button")];
  const place = stops().indexOf(document.activeElement);
  const open = [...box.querySelectorAll("details")].map((details) => details.open);
  box.replaceChildren(...nodes.flat(Infinity).filter(Boolean));
  box.querySelectorAll("details").forEach((details, number) => {
    details.open = open[number] ?? false;
  });
  if (place >= 0) stops()[place]?.focus();
}

/**
 * A function that refills a box with what `compose` makes of a query; an older, slower answer never replaces a newer one.
 * @param {HTMLElement} box @param {(query: Object<string, string>) => Promise<any[]>} compose
 */
export function redrawer(box, compose) {
  let turn = 0;
  return async (query) => {
    const mine = ++turn;
    const nodes = await compose(query);
    if (mine === turn) refill(box, nodes);
  };
}
