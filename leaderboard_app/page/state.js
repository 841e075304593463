/** Where one is and what one sees is the address: `#/route/path?query`. */

/** @typedef {{route: string, path: string[], query: Object<string, string>}} Place */

const PLAIN = /%(40|2C|3A|2F)/g;
const encode = (text) => encodeURIComponent(text).replace(PLAIN, decodeURIComponent);

const decode = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/**
 * @param {string} hash
 * @returns {Place}
 */
export function parse(hash) {
  const [way, search = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [route, ...path] = way.split("/").map(decode);
  return { route: route || "table", path, query: Object.fromEntries(new URLSearchParams(search)) };
}

/**
 * The address of a place; empty parts of the query are left out.
 * @param {string} route
 * @param {string[]} path
 * @param {Object<string, string | null | undefined>} query
 */
export function address(route, path = [], query = {}) {
  const way = [route, ...path].map((part) => part.split("/").map(encode).join("/")).join("/");
  const search = Object.entries(query)
    .filter(([, value]) => value !== "" && value !== null && value !== undefined)
    .map(([key, value]) => `${encode(key)}=${encode(value)}`)
    .join("&");
  return `#/${way}${search && "?"}${search}`;
}

/** The place that the window is at. */
export const here = () => parse(location.hash);

const changed = (changes) => {
  const { route, path, query } = here();
  return address(route, path, { ...query, ...changes });
};

/**
 * Change the query and leave the former one in the history; the view hears of it by `hashchange`.
 * @param {Object<string, string>} changes
 */
export function push(changes) {
  location.hash = changed(changes);
}

/**
 * Change the query without a trace in the history (for typing), and tell the view.
 * @param {Object<string, string>} changes
 */
export function replace(changes) {
  history.replaceState(null, "", changed(changes));
  dispatchEvent(new Event("hashchange"));
}
