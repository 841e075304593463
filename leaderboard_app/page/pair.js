/** One pair or candidate set: what was asked, what was to be judged, and who judged it how. */

import { candidateText } from "./calls.js";
import {
  benchmarkOf,
  board as loadBoard,
  byAccuracy,
  entriesOf,
  fullName,
  nounOf,
  pairChunk,
  pairIndex,
  subsetOf,
  typeHeading,
  Unavailable,
} from "./data.js";
import { command, definitions, element, outside, plainTable } from "./dom.js";
import { count, percent, plural } from "./format.js";
import { catalogue } from "./schema.js";
import { address } from "./state.js";
import { OUTCOMES } from "./statistics.js";

// Longer addresses are refused by servers.
const LONGEST_BODY = 4000;

const shellWord = (word) => (/^[\w@./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** `fcrb` finds the ids of open by themselves, others with their benchmark. */
const commandOf = (verb, id, benchmark) =>
  `fcrb ${verb} ${shellWord(id)}${id.startsWith("open-") ? "" : ` --benchmark ${benchmark.key.split("@")[0]}`}`;

const written = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 1));

const conversation = (messages) =>
  element(
    "section",
    {},
    element("h2", {}, "Conversation"),
    element(
      "ol",
      { class: "conversation" },
      messages.map(({ role, content }) => element("li", {}, element("b", {}, role), element("div", {}, written(content)))),
    ),
  );

function candidates(item, sets) {
  const reference = Math.max(
    0,
    item.candidates.findIndex(({ correct }) => correct),
  );
  return element(
    "section",
    {},
    element("h2", {}, "Candidates"),
    element(
      "div",
      { class: sets ? "candidates many" : "candidates" },
      item.candidates.map((candidate, place) => {
        const isReference = place === reference;
        const other = isReference ? (sets ? candidate : (item.candidates[1 - place] ?? candidate)) : item.candidates[reference];
        const heading = sets ? `Candidate ${place + 1}` : candidate.correct ? "Chosen" : "Rejected";
        // A further right candidate differs from the first without being wrong: it carries no marks.
        const compared = sets && candidate.correct ? candidate : other;
        return element(
          "article",
          { class: candidate.correct ? "candidate right" : "candidate wrong" },
          element(
            "h3",
            {},
            heading,
            element("span", { class: `verdict ${candidate.correct ? "right" : "wrong"}` }, candidate.correct ? "✓ right" : "✗ wrong"),
          ),
          element(
            "p",
            { class: "hushed" },
            candidate.correct
              ? candidate.generator || "\u00a0"
              : [candidate.error_type, candidate.generator && `by ${candidate.generator}`].filter(Boolean).join(", "),
          ),
          candidateText(candidate, compared, isReference ? "left" : "right"),
        );
      }),
    ),
    element(
      "p",
      { class: "legend" },
      "≠ differs, + only in the wrong candidate, − only in the right one",
      sets && `; compared with candidate ${reference + 1}`,
      ".",
    ),
  );
}

function outcomes(entries, order, letters, subset) {
  const groups = new Map(Object.keys(OUTCOMES).map((letter) => [letter, []]));
  for (const entry of entries) {
    const place = order.indexOf(entry.id);
    groups.get(place < 0 ? "-" : letters[place])?.push(entry);
  }
  const named = (some) =>
    some.map((entry, place) => [
      place ? ", " : null,
      element(
        "a",
        {
          href: address("model", [entry.benchmark, entry.id]),
          class: entry.kind === "baseline" ? "hushed" : null,
          title: `${percent(entry.results[subset.name]?.accuracy)} % on ${subset.name}`,
        },
        fullName(entry),
      ),
    ]);
  const filled = [...groups].filter(([, some]) => some.length > 0);
  return element(
    "section",
    {},
    element("h2", {}, "Outcomes"),
    plainTable(
      "Every model’s outcome, the most accurate first",
      ["Outcome", { label: "Models", numeric: true }, "Which"],
      filled.map(([letter, some]) => [OUTCOMES[letter], some.length, named(some)]),
    ),
  );
}

function issue(repository, id, item, about) {
  const shown = item
    ? item.candidates
        .map(
          (candidate) =>
            `## ${candidate.correct ? "Right" : `Wrong: ${candidate.error_type}`}\n\n\`\`\`\n${written(candidate.calls ?? candidate.text)}\n\`\`\``,
        )
        .join("\n\n")
    : "";
  const ending = `## Why the label is wrong\n\n(Say which candidate is right, or that both or neither are, and quote what decides it.)\n\n## Line for errata.jsonl\n\n${JSON.stringify({ id, reason: "YOUR REASON IN ONE SENTENCE", who: "YOUR NAME OR HANDLE", when: new Date().toISOString().slice(0, 10) })}`;
  const parts = [about, shown.length < LONGEST_BODY ? shown : "", ending].filter(Boolean);
  return `${repository.replace(/\/$/, "")}/issues/new?title=${encodeURIComponent(`Disputed label: ${id}`)}&body=${encodeURIComponent(parts.join("\n\n"))}`;
}

function dispute(board, benchmark, id, item, about) {
  const open = board.repository?.startsWith("https://");
  return element(
    "section",
    {},
    element("h2", {}, "Is the label wrong?"),
    open &&
      element(
        "p",
        {},
        outside(issue(board.repository, id, item, about), "Dispute it in an issue"),
        ", filled in but for your reason. Or print the text of the issue:",
      ),
    !open && element("p", {}, "This prints an issue, filled in but for your reason:"),
    command(commandOf("dispute", id, benchmark)),
  );
}

function steps(benchmark, subset, index, place) {
  const step = (to, label, rel) =>
    to >= 0 && to < index.ids.length
      ? element("a", { href: address("pair", [benchmark.key, subset.name, index.ids[to]]), rel }, label)
      : element("span", { class: "hushed" }, label);
  return element(
    "nav",
    { class: "steps", "aria-label": "Neighbours" },
    step(place - 1, "← Previous", "prev"),
    element("span", { class: "hushed" }, `${count(place + 1)} of ${count(index.ids.length)}`),
    step(place + 1, "Next →", "next"),
    element("a", { href: address("hardest", [], { benchmark: benchmark.key, subset: subset.name }) }, "Hardest"),
  );
}

/** @type {(path: string[], query: Object<string, string>) => Promise<import("./main.js").View>} */
export async function view([key, name, ...rest]) {
  const board = await loadBoard();
  const benchmark = benchmarkOf(board, key);
  const subset = subsetOf(benchmark, name);
  const id = rest.join("/");
  const index = await pairIndex(benchmark.key, subset.name);
  const place = index.ids.indexOf(id);
  if (place < 0) throw new Unavailable(`There is no ${nounOf(subset)} ${id} in ${benchmark.key}/${subset.name}.`);
  const of = (names, places) => index[names]?.[index[places]?.[place]] || null;
  const sharing = index.cluster.filter((number) => number === index.cluster[place]).length - 1;
  const facts = [
    [typeHeading(subset), of("error_types", "error_type")],
    ["Category", of("categories", "category")],
    ["Wrong candidate by", of("generators", "generator")],
    ["Tool catalogue", sharing ? `shared with ${plural(sharing, `other ${nounOf(subset)}`)}` : `shared with no other ${nounOf(subset)}`],
  ];
  const doubt = index.doubts?.[String(place)];
  const head = [
    element("h1", { class: "identifier" }, id),
    steps(benchmark, subset, index, place),
    element("div", { class: "facts" }, definitions(facts)),
    doubt && element("p", { class: "doubt" }, element("b", {}, "Disputed. "), doubt),
  ];
  const about = `${benchmark.key}/${subset.name}, ${facts
    .slice(0, 3)
    .map(([, fact]) => fact)
    .filter(Boolean)
    .join(", ")}`;
  const chunk = await pairChunk(benchmark.key, subset.name, Math.floor(place / subset.chunk));
  const within = place % subset.chunk;
  const entries = byAccuracy(entriesOf(board, benchmark.key), subset.name);
  const judged = outcomes(entries, chunk.entries_order, chunk.outcomes[within], subset);
  if (!subset.texts) {
    return {
      title: id,
      node: element(
        "div",
        {},
        head,
        judged,
        element("p", {}, `The texts of ${benchmark.key} do not ship. Once it is built on your machine, this shows the ${nounOf(subset)}:`),
        command(commandOf("show", id, benchmark)),
        dispute(board, benchmark, id, null, about),
      ),
    };
  }
  const item = chunk.items[within];
  return {
    title: id,
    node: element(
      "div",
      { class: "pair" },
      head,
      conversation(item.messages),
      candidates(item, subset.sets),
      judged,
      element("section", {}, element("h2", {}, `Tools (${item.tools.length})`), catalogue(item.tools)),
      dispute(board, benchmark, id, item, about),
    ),
  };
}
