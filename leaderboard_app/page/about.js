/** What the numbers mean, and what they were made from. */

import { board as loadBoard } from "./data.js";
import { element, outside, plainTable } from "./dom.js";
import { count } from "./format.js";

const term = (name, ...text) => element("div", {}, element("dt", {}, name), element("dd", {}, ...text));
const doi = (id, label) => outside(`https://doi.org/${id}`, label);

const meanings = () =>
  element(
    "dl",
    { class: "prose" },
    term(
      "Accuracy",
      "Mean credit over the pairs: a win counts 1; a tie, or a judge that changes its mind with the order, ½; everything else 0. A scorer and a judge that guess both get 50 %. On sets of candidates, the share whose top candidate is right; a tie at the top earns the share of right ones among them. Where a subset is balanced, it is the mean over its error types.",
    ),
    term("Strict accuracy", "Wins over all pairs; for judges, right in both orders."),
    term(
      "Outcomes",
      "Win, loss, tie, inconsistent, unparsed, refused, too long and error are counted each for itself and never folded into each other.",
    ),
    term(
      "Intervals",
      "95 %. Pairs that share a tool catalogue succeed and fail together, so the bootstrap draws catalogues, not pairs (",
      doi("10.1111/j.1467-9868.2007.00593.x", "Field & Welsh 2007"),
      "). Small cells have Wilson’s interval (",
      doi("10.1080/01621459.1927.10502953", "Wilson 1927"),
      ") with the effective number of pairs.",
    ),
    term(
      "Rank",
      "An interval from paired tests of every two models on the same pairs, over tool catalogues, corrected together (",
      outside("https://www.jstor.org/stable/4615733", "Holm 1979"),
      ") at 5 %: from 1 + the number of models that are significantly better to the number of models less those that are significantly worse. The exact test of ",
      doi("10.1007/BF02295996", "McNemar 1947"),
      ", which takes pairs to be independent, stands beside it in comparisons.",
    ),
    term("Shaded rows", "Models that are not significantly worse than the first."),
    term(
      "Baselines",
      "Scorers that cannot understand: random, longer, shorter, word overlap, schema. What they reach is what the surface gives away.",
    ),
    term("Disputed", "Labels that a reader doubts with reason. The switch on the table leaves them out of accuracy, strict accuracy and ranks."),
    term(
      "Differences by error type",
      "Mean difference of credit, with an interval from the variance between catalogues (Student’s t with catalogues − 1 degrees of freedom), not corrected for there being several types.",
    ),
  );

function sources(board) {
  return plainTable(
    "Data",
    ["Subset", { label: "Items", numeric: true }, { label: "Disputed", numeric: true }, "SHA-256", "Index of pairs"],
    board.benchmarks.flatMap(({ key, subsets }) =>
      subsets.map((subset) => [
        `${key}/${subset.name}${subset.required ? " (required)" : ""}`,
        count(subset.items),
        count(subset.disputed),
        element("code", { class: "hash" }, subset.data_sha256),
        element("a", { href: `pairs/${key}/${subset.name}/index.json` }, "index.json"),
      ]),
    ),
  );
}

/** @type {(path: string[], query: Object<string, string>) => Promise<import("./main.js").View>} */
export async function view() {
  const board = await loadBoard();
  return {
    title: "About",
    node: element(
      "div",
      {},
      element("h1", {}, "About"),
      element(
        "p",
        { class: "prose" },
        "FC-RewardBench asks reward models and judges which of two tool calls is right. It follows ",
        outside("https://arxiv.org/abs/2509.11963", "ToolRM: Outcome Reward Models for Tool-Calling Large Language Models"),
        " (2025).",
      ),
      element("section", {}, element("h2", {}, "What the numbers mean"), meanings()),
      element(
        "section",
        {},
        element("h2", {}, "What this board was made from"),
        element(
          "p",
          { class: "prose" },
          `Built ${board.built}, fcrewardbench ${board.version}`,
          board.commit && [", commit ", element("code", {}, board.commit)],
          board.repository && [", ", outside(board.repository, "repository")],
          ".",
        ),
        sources(board),
      ),
      element(
        "section",
        {},
        element("h2", {}, "Downloads"),
        element(
          "ul",
          {},
          element("li", {}, element("a", { href: "board.json", download: true }, "board.json"), ": every number of every table."),
          element(
            "li",
            {},
            "CSV, JSON, LaTeX and BibTeX of what the ",
            element("a", { href: "#/table" }, "table"),
            " shows: its menu Download.",
          ),
        ),
      ),
    ),
  };
}
