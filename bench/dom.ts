/** The element with this id, checked to be of the type the page expects. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`bench/index.html has no ${type.name} with id ${id}.`);
}

/** A new element with text or children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  content: string | readonly Node[] = [],
  className = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  if (typeof content === "string") element.textContent = content;
  else element.append(...content);
  return element;
}

/** A bar of 0 to 1, as wide as its cell. */
export function makeBar(share: number): SVGSVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 100 10");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true"); // the number beside it says the same
  for (const [width, name] of [
    [100, ""],
    [100 * Math.min(1, Math.max(0, share)), "value"],
  ] as const) {
    const rect = document.createElementNS(namespace, "rect");
    rect.setAttribute("width", width.toFixed(2));
    rect.setAttribute("height", "10");
    rect.setAttribute("class", name);
    svg.append(rect);
  }
  return svg;
}
