/** How to submit, and a box that validates a submission where the site has a server. */

import { bar } from "./column.js";
import { board as loadBoard, entriesOf, fullName, requiredOf, server as loadServer } from "./data.js";
import { command, definitions, element, plainTable } from "./dom.js";
import { MISSING, interval, percent, plural, points, pointsInterval, probability, rankText, size } from "./format.js";
import { address } from "./state.js";

const FILES = { card: { name: "card.json", ending: ".json" }, rows: { name: "rows.parquet", ending: ".parquet" } };
const amount = (bytes) => (bytes < 2 ** 20 ? `${Math.ceil(bytes / 2 ** 10)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`);

const howTo = (key) =>
  element(
    "section",
    {},
    element("h2", {}, "Three commands"),
    element(
      "ol",
      { class: "steps-to-take" },
      element(
        "li",
        {},
        element(
          "p",
          {},
          "Evaluate. Core is required; the other subsets, each in a folder of its own (",
          element("code", {}, "--benchmark open/abstain"),
          " and so on), make the submission complete.",
        ),
        command("fcrb evaluate --model M --out runs/core"),
      ),
      element(
        "li",
        {},
        element("p", {}, "Put the folders into a submission."),
        command("fcrb submit runs/core runs/abstain runs/candidates runs/minimal"),
      ),
      element("li", {}, element("p", {}, "Validate it, as the board will."), command(`fcrb validate submissions/${key}/ORG__MODEL`)),
    ),
    element(
      "p",
      {},
      "Then open a pull request with the new folder. The same check runs there and says within minutes what is wrong, with file and row, or where the entry stands.",
    ),
  );

function problems(list) {
  return plainTable(
    `${list.length} to mend`,
    ["File", { label: "Row", numeric: true }, "What is wrong"],
    list.map(({ file, row, message }) => [file, row === null || row === undefined ? MISSING : String(row), message]),
  );
}

function stands(board, entry) {
  const names = board.benchmarks.find(({ key }) => key === entry.benchmark)?.subsets.map(({ name }) => name) ?? [];
  const results = names.filter((name) => entry.results[name]).map((name) => [name, entry.results[name]]);
  return definitions([
    ["Rank", `${rankText(entry.rank)} of ${entriesOf(board, entry.benchmark).filter(({ id }) => id !== entry.id).length + 1}, baselines among them`],
    ...results.map(([name, result]) => [
      name,
      `${percent(result.accuracy)} % (${interval(result.ci)}), strict ${percent(result.strict)} %, ${plural(result.n, "item")}`,
    ]),
  ]);
}

function placed(board, entry, neighbours) {
  const benchmark = board.benchmarks.find(({ key }) => key === entry.benchmark);
  const subset = benchmark && requiredOf(benchmark).name;
  const known = new Map(entriesOf(board, entry.benchmark).map((other) => [other.id, other]));
  const own = entry.results?.[subset] ?? Object.values(entry.results ?? {})[0];
  const rows = neighbours
    .filter(({ id }) => known.has(id))
    .map((found) => ({ found, entry: known.get(found.id), result: known.get(found.id).results[subset] }));
  rows.push({ found: null, entry, result: own });
  rows.sort((a, b) => (b.result?.accuracy ?? -1) - (a.result?.accuracy ?? -1));
  return plainTable(
    `As it would stand on ${entry.benchmark}/${subset}`,
    [
      "Model",
      { label: "Accuracy, %", numeric: true },
      "0 – 100",
      { label: "95 % interval", numeric: true },
      { label: "Submission − it, points", numeric: true },
      { label: "p", numeric: true },
      { label: "Parameters", numeric: true },
    ],
    rows.map(({ found, entry: other, result }) => [
      found
        ? element("a", { href: address("model", [other.benchmark, other.id]) }, fullName(other))
        : element("b", {}, `${fullName(other)} (this submission)`),
      percent(result?.accuracy),
      result ? bar(result) : "",
      interval(result?.ci),
      found ? `${points(found.difference)} (${pointsInterval(found.ci)})` : "",
      found ? probability(found.p) : "",
      size(other.parameters),
    ]),
  );
}

function answerShown(board, answer) {
  return [
    answer.problems?.length > 0 && problems(answer.problems),
    answer.flags?.length > 0 &&
      element(
        "div",
        {},
        element("h3", {}, "Flags, to be looked at by a person"),
        element(
          "ul",
          {},
          answer.flags.map((flag) => element("li", {}, flag)),
        ),
      ),
    answer.entry && stands(board, answer.entry),
    answer.entry && placed(board, answer.entry, answer.neighbours ?? []),
  ];
}

async function send(files, seconds) {
  const form = new FormData();
  for (const [part, file] of Object.entries(files)) form.append(part, file, FILES[part].name);
  let response;
  try {
    // The server stops by itself; this is for a connection that hangs.
    response = await fetch("validate", { method: "POST", body: form, signal: AbortSignal.timeout(1000 * (seconds + 30)) });
  } catch (error) {
    throw new Error(error.name === "TimeoutError" ? "The server did not answer in time." : "The server could not be reached.");
  }
  const answer = await response.json().catch(() => null);
  if (answer && typeof answer.ok === "boolean") return answer;
  throw new Error(answer?.message ?? `The server answered with HTTP ${response.status}.`);
}

function dropBox(board, { max_bytes: most = 33554432, max_seconds: seconds = 20 }) {
  const files = {};
  const status = element("p", { role: "status", class: "finding" });
  const result = element("div");
  const button = element("button", { type: "button", class: "primary", disabled: true, onclick: () => validate() }, "Validate");
  const names = Object.fromEntries(Object.keys(FILES).map((part) => [part, element("span", { class: "hushed" }, "none chosen")]));

  const take = (part, file) => {
    if (file) files[part] = file;
    else delete files[part];
    names[part].textContent = file ? `${file.name}, ${amount(file.size)}` : "none chosen";
    const sum = Object.values(files).reduce((total, { size: bytes }) => total + bytes, 0);
    const tooLarge = sum > most;
    status.textContent = tooLarge ? `The files have ${amount(sum)} together; the server takes ${amount(most)} at most.` : "";
    button.disabled = tooLarge || Object.keys(files).length < 2;
  };

  const drop = (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const unknown = [];
    for (const file of event.dataTransfer.files) {
      const part = Object.keys(FILES).find((name) => file.name.endsWith(FILES[name].ending));
      if (part) take(part, file);
      else unknown.push(file.name);
    }
    if (unknown.length) status.textContent = `${unknown.join(", ")}: neither a card (.json) nor rows (.parquet).`;
  };

  const validate = async () => {
    button.disabled = true;
    result.replaceChildren();
    status.textContent = "Validating.";
    try {
      const answer = await send(files, seconds);
      status.textContent = answer.ok ? "The submission is valid." : "The submission is not valid yet.";
      result.replaceChildren(...answerShown(board, answer).filter(Boolean));
    } catch (error) {
      status.textContent = error.message;
    }
    button.disabled = false;
  };

  const inputs = Object.entries(FILES).map(([part, { name, ending }]) =>
    element(
      "label",
      { class: "field" },
      element("span", {}, name),
      element("input", { type: "file", accept: ending, onchange: (event) => take(part, event.target.files[0]) }),
      names[part],
    ),
  );
  const zone = element(
    "div",
    {
      class: "drop",
      ondrop: drop,
      ondragover: (event) => {
        event.preventDefault();
        zone.classList.add("over");
      },
      ondragleave: () => zone.classList.remove("over"),
    },
    element("p", {}, "Drop card.json and rows.parquet here, or choose them."),
    element("div", { class: "controls" }, inputs),
    button,
  );
  return [element("p", {}, `Nothing is stored. At most ${amount(most)} and ${seconds} seconds.`), zone, status, result];
}

/** @type {(path: string[], query: Object<string, string>) => Promise<import("./main.js").View>} */
export async function view() {
  const [board, server] = await Promise.all([loadBoard(), loadServer()]);
  const key = board.benchmarks[0]?.key ?? "open@2";
  return {
    title: "Submit",
    node: element(
      "div",
      {},
      element("h1", {}, "Submit"),
      howTo(key),
      element(
        "section",
        {},
        element("h2", {}, "Try a submission here"),
        server.validate
          ? dropBox(board, server)
          : element(
              "p",
              {},
              "This copy of the board is static files, which cannot validate. The command above does the same on your machine; ",
              element("code", {}, "fcrb validate"),
              " needs no network.",
            ),
      ),
    ),
  };
}
