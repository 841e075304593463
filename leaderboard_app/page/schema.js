/** A tool catalogue, folded: a details a tool, its parameters as a small table. */

import { element, folded, plainTable } from "./dom.js";

const DEPTH = 5;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** What values a schema allows, in a few words. */
function typeOf(schema) {
  if (!isObject(schema)) return "any";
  if (Array.isArray(schema.anyOf ?? schema.oneOf)) return (schema.anyOf ?? schema.oneOf).map(typeOf).join(" or ");
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : (schema.type ?? (schema.enum ? "one of" : "any"));
  if (isObject(schema.items)) return `${type} of ${typeOf(schema.items)}`;
  return schema.enum ? `${type}: ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}` : String(type);
}

const described = (schema) => {
  const parts = [schema.description, schema.default !== undefined && `Default: ${JSON.stringify(schema.default)}.`];
  return parts.filter(Boolean).join(" ");
};

/** Parameters as rows, those within others under `outer.inner`. */
function parameterRows(schema, prefix = "", depth = 0) {
  if (!isObject(schema?.properties) || depth > DEPTH) return [];
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).flatMap(([name, inner]) => {
    const way = prefix + name;
    const nested = isObject(inner)
      ? [...parameterRows(inner, `${way}.`, depth + 1), ...parameterRows(inner.items, `${way}[].`, depth + 1)]
      : [];
    return [
      [element("code", {}, way), typeOf(inner), required.includes(name) ? "yes" : "no", isObject(inner) ? described(inner) : ""],
      ...nested,
    ];
  });
}

/** @param {{name: string, description?: string, parameters?: any}[]} tools */
export function catalogue(tools) {
  return element(
    "div",
    { class: "tools" },
    tools.map((tool) => {
      const rows = parameterRows(tool.parameters);
      const first = (tool.description ?? "").split(/(?<=\.)\s/)[0];
      return folded(
        [
          element("code", {}, tool.name),
          element("span", { class: "hushed" }, ` ${first.length > 110 ? `${first.slice(0, 109)}…` : first}`),
        ],
        tool.description && element("p", {}, tool.description),
        rows.length
          ? plainTable(`Parameters of ${tool.name}`, ["Name", "Type", "Required", "Description"], rows)
          : element("p", { class: "hushed" }, "It takes no parameter."),
      );
    }),
  );
}
