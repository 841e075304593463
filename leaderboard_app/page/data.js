/** The site's files, each fetched once. */

/** What a view shows instead of itself: one sentence. */
export class Unavailable extends Error {}

const fetched = new Map();

function load(path) {
  if (!fetched.has(path)) {
    const answer = read(path);
    answer.catch(() => fetched.delete(path));
    fetched.set(path, answer);
  }
  return fetched.get(path);
}

async function read(path) {
  let response;
  try {
    response = await fetch(path);
  } catch {
    throw new Unavailable(`${path} could not be fetched. Is the network there?`);
  }
  if (!response.ok) throw new Unavailable(`${path} could not be read (HTTP ${response.status}).`);
  try {
    return await response.json();
  } catch {
    throw new Unavailable(`${path} is not JSON.`);
  }
}

const way = (...parts) => parts.map(encodeURIComponent).join("/").replaceAll("%40", "@");

/** @returns {Promise<any>} board.json */
export const board = () => load("board.json");

/** @returns {Promise<{validate: boolean, max_bytes?: number, max_seconds?: number}>} */
export const server = () => load("server.json").catch(() => ({ validate: false }));

/** @param {string} benchmark @param {string} id @returns {Promise<any>} */
export async function modelFile(benchmark, id) {
  const file = await load(`${way("models", benchmark, id)}.json`);
  return { ...file, against: byRival(file.against) };
}

/** What the columns say of every rival, by its name. */
function byRival({ id, ...columns }) {
  const of = (place) => {
    const { low, high, ...found } = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[place]]));
    return { ...found, ci: [low, high] };
  };
  return Object.fromEntries(id.map((name, place) => [name, of(place)]));
}

/** @param {string} benchmark @param {string} subset @returns {Promise<any>} */
export const pairIndex = (benchmark, subset) => load(`${way("pairs", benchmark, subset, "index")}.json`);

/** @param {string} benchmark @param {string} subset @param {number} chunk @returns {Promise<any>} */
export const pairChunk = (benchmark, subset, chunk) => load(`${way("pairs", benchmark, subset, String(chunk))}.json`);

/**
 * The benchmark of that key, or the board's first where none is asked for.
 * @param {any} board @param {string|undefined} key
 */
export function benchmarkOf(board, key) {
  const found = key ? board.benchmarks.find((benchmark) => benchmark.key === key) : board.benchmarks[0];
  if (!found) throw new Unavailable(key ? `There is no benchmark ${key} on this board.` : "This board has no benchmark.");
  return found;
}

/** The subset that every submission has and ranks are made of. @param {any} benchmark */
export const requiredOf = (benchmark) => benchmark.subsets.find((subset) => subset.required) ?? benchmark.subsets[0];

/** @param {any} benchmark @param {string|undefined} name */
export function subsetOf(benchmark, name) {
  const found = name ? benchmark.subsets.find((subset) => subset.name === name) : requiredOf(benchmark);
  if (!found) throw new Unavailable(`The benchmark ${benchmark.key} has no subset ${name}.`);
  return found;
}

/** @param {any} board @param {string} key */
export const entriesOf = (board, key) => board.entries.filter((entry) => entry.benchmark === key);

/** @param {any} board @param {string} key @param {string} id */
export function entryOf(board, key, id) {
  const found = board.entries.find((entry) => entry.benchmark === key && entry.id === id);
  if (!found) throw new Unavailable(`There is no model ${id} on ${key}.`);
  return found;
}

/** The subset's error types and their numbers; for candidate sets, how many of their candidates are right. @param {any} subset */
export const typesOf = (subset) => subset.error_types.filter(([name]) => name);

/** @param {any} subset */
export const typeHeading = (subset) => (subset.sets ? "Right candidates" : "Error type");

/** The first that is best at the required subset first. @param {any[]} entries @param {string} subset */
export const byAccuracy = (entries, subset) =>
  entries.toSorted((a, b) => (b.results[subset]?.accuracy ?? -1) - (a.results[subset]?.accuracy ?? -1));

/** How models are named in running text. @param {any} entry */
export const fullName = (entry) => (entry.organisation ? `${entry.organisation}/${entry.name}` : entry.name);

/** What a subset's items are called. @param {any} subset */
export const nounOf = (subset) => (subset.sets ? "candidate set" : "pair");
