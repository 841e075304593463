/** What the table shows, as files. */

import { element, menu } from "./dom.js";
import { interval } from "./format.js";

const PAPER = `@misc{agarwal2025toolrm,
  title         = {{ToolRM}: Outcome Reward Models for Tool-Calling Large Language Models},
  author        = {Agarwal and Abdelaziz and Basu and Unuvar and Lastras and Rizk and Kapanipathi},
  year          = {2025},
  eprint        = {2509.11963},
  archivePrefix = {arXiv}
}
`;

// A spreadsheet reads a text that begins so as a formula.
const FORMULA = /^[=+\-@\t\r]/;

function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = String(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /["',\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const records = (columns, entries) => entries.map((entry) => Object.assign({}, ...columns.map((column) => column.data(entry))));

/** @param {import("./column.js").Column[]} columns @param {any[]} entries */
export function csv(columns, entries) {
  const rows = records(columns, entries);
  if (rows.length === 0) return "";
  const names = Object.keys(rows[0]);
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map((cells) => cells.map(csvCell).join(",") + "\r\n").join("");
}

const TEX = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  $: "\\$",
  "&": "\\&",
  "#": "\\#",
  _: "\\_",
  "%": "\\%",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "–": "--",
  "−": "$-$",
  "½": "$\\frac12$",
  "\u200b": "",
  "\u00ad": "",
};
const tex = (text) =>
  String(text)
    .replace(/[\\{}$&#_%~^<>–−½\u200b\u00ad]/g, (sign) => TEX[sign])
    .replace(/\s+/g, " ");

function texCell(column, entry) {
  const ci = column.ci?.(entry);
  const text = tex(column.text(entry));
  return ci ? `${text} {\\footnotesize [${tex(interval(ci)).replace("--", ", ")}]}` : text;
}

/** For the package booktabs. @param {import("./column.js").Column[]} columns @param {any[]} entries @param {string} caption */
export function latex(columns, entries, caption) {
  const line = (cells) => `    ${cells.join(" & ")} \\\\`;
  const models = entries.filter((entry) => entry.kind !== "baseline");
  const baselines = entries.filter((entry) => entry.kind === "baseline");
  const rows = (some) => some.map((entry) => line(columns.map((column) => texCell(column, entry))));
  return [
    "% \\usepackage{booktabs}",
    "\\begin{table}",
    "  \\centering",
    `  \\caption{${tex(caption)}}`,
    `  \\begin{tabular}{${columns.map((column) => (column.numeric ? "r" : "l")).join("")}}`,
    "    \\toprule",
    line(columns.map((column) => tex(column.label))),
    "    \\midrule",
    ...rows(models),
    ...(models.length && baselines.length ? ["    \\midrule"] : []),
    ...rows(baselines),
    "    \\bottomrule",
    "  \\end{tabular}",
    "\\end{table}",
    "",
  ].join("\n");
}

/** The paper, and this board as it was built. @param {any} board */
export function bibtex(board) {
  const built = board.built.slice(0, 10);
  const note = [`built ${built}`, board.commit && `commit ${board.commit.slice(0, 12)}`, `fcrewardbench ${board.version}`];
  const place = board.repository?.startsWith("https://") ? `  howpublished = {\\url{${board.repository.replace(/[{}\\]/g, "")}}},\n` : "";
  return `${PAPER}
@misc{fcrewardbench-board-${built},
  title        = {{FC-RewardBench} leaderboard},
  year         = {${built.slice(0, 4)}},
${place}  note         = {${tex(note.filter(Boolean).join(", "))}}
}
`;
}

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = element("a", { download: name });
  link.href = url;
  link.click();
  // The browser reads the blob after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * The menu of downloads.
 * @param {any} board
 * @param {() => {columns: import("./column.js").Column[], entries: any[], name: string, caption: string}} current what the table shows at the click
 */
export function downloadMenu(board, current) {
  const kinds = [
    ["CSV", "csv", "text/csv", ({ columns, entries }) => csv(columns, entries)],
    ["JSON", "json", "application/json", ({ columns, entries }) => `${JSON.stringify(records(columns, entries), null, 1)}\n`],
    ["LaTeX", "tex", "application/x-tex", ({ columns, entries, caption }) => latex(columns, entries, caption)],
    ["BibTeX", "bib", "application/x-bibtex", () => bibtex(board)],
  ];
  return menu(
    "Download",
    element("p", { class: "hushed" }, "The rows and columns shown, in this order"),
    kinds.map(([label, ending, type, write]) =>
      element(
        "button",
        {
          type: "button",
          onclick: () => {
            const view = current();
            save(`${view.name}.${ending}`, `${type};charset=utf-8`, write(view));
          },
        },
        label,
      ),
    ),
  );
}

/** What a table of these entries is about, for a caption. @param {any} board @param {any} benchmark @param {any} subset */
export const captionOf = (board, benchmark, subset) =>
  `FC-RewardBench, ${benchmark.key}/${subset.name}, ${board.built.slice(0, 10)}. Accuracy in % with 95 % intervals.`;
