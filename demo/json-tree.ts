import { make } from "./dom.ts";

/** Deeper parts start folded. */
const openDepth = 3;
/** Longer lists start folded. */
const openItems = 40;

/** How many things are in an object or a list. */
export function countText(value: object): string {
  const count = Array.isArray(value) ? value.length : Object.keys(value).length;
  const [one, many] = Array.isArray(value) ? ["item", "items"] : ["property", "properties"];
  return `${count} ${count === 1 ? one : many}`;
}

/** JSON as a tree that folds. Everything in it is text, nothing is read as HTML. */
export function renderJson(value: unknown): HTMLElement {
  return make("div", { className: "json-tree" }, [renderNode(undefined, value, 0)]);
}

function renderNode(key: string | undefined, value: unknown, depth: number): HTMLElement {
  const name = key === undefined ? [] : [make("span", { className: "json-key", text: `${key}: ` })];
  if (typeof value !== "object" || value === null) {
    return make("div", { className: "json-leaf" }, [...name, renderLeaf(value)]);
  }
  const children = Object.entries(value);
  const count = make("span", { className: "json-count", text: countText(value) });
  const mark = make("span", { className: "json-mark", text: Array.isArray(value) ? "[ ] " : "{ } " });
  if (children.length === 0) return make("div", { className: "json-leaf" }, [...name, mark, count]);
  const rows = children.map(([childKey, child]) => make("li", {}, [renderNode(childKey, child, depth + 1)]));
  const details = make("details", {}, [
    make("summary", {}, [...name, mark, count]),
    make("ul", { className: "json-list" }, rows),
  ]);
  details.open = depth < openDepth && rows.length <= openItems;
  return details;
}

function renderLeaf(value: unknown): HTMLElement {
  const kind = value === null ? "null" : typeof value;
  return make("span", { className: `json-${kind}`, text: JSON.stringify(value) });
}
