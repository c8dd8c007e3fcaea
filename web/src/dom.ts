// Elements from plain values. Text becomes a text node and never HTML.

type Child = Node | string | number | null | undefined | false;
type Attributes = Record<string, string | number | boolean | ((event: never) => void) | undefined>;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value as EventListener);
    else if (name === "value" && "value" in made) (made as HTMLInputElement).value = String(value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, String(value));
  }
  add(made, ...children);
  return made;
}

export function add(parent: Element, ...children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(typeof child === "number" ? String(child) : child);
  }
}

export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  add(parent, ...children);
}

const SVG = "http://www.w3.org/2000/svg";

export function shape<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, string | number>): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

// A line as it is drawn on the map, for legends and lists.
export function stroke(colour: string, width = 3, dash = ""): SVGSVGElement {
  const picture = shape("svg", { width: 34, height: 12, viewBox: "0 0 34 12", "aria-hidden": "true" });
  const line = shape("line", { x1: 1, y1: 6, x2: 33, y2: 6, stroke: colour, "stroke-width": width, "stroke-dasharray": dash });
  picture.append(line);
  return picture;
}

// A circle as a layer colours it, and a line where it has a dash, for the key of the layer.
export function dot(colour: string, dash?: string, radius = 5): SVGSVGElement {
  const picture = stroke(dash === undefined ? "none" : colour, 2, dash);
  const style = { cx: 17, cy: 6, r: Math.min(6, radius), fill: colour, stroke: "#333", "stroke-width": 0.8, "stroke-dasharray": dash ?? "" };
  picture.append(shape("circle", style));
  return picture;
}

// A control with its label.
export function labelled(text: string, control: HTMLElement): HTMLLabelElement {
  return el("label", {}, el("span", {}, text), control);
}

export type Cell = string | Node;

// A table with a caption; number columns are aligned to the right.
export function table(caption: string, heads: string[], rows: Cell[][], numbersFrom = 1): HTMLElement {
  const head = el("tr", {}, ...heads.map((text, n) => el("th", { scope: "col", class: n < numbersFrom ? "" : "n" }, text)));
  const body = rows.map((cells) =>
    el(
      "tr",
      {},
      ...cells.map((cell, n) =>
        n === 0 ? el("th", { scope: "row" }, cell) : el("td", { class: n < numbersFrom ? "" : "n" }, cell),
      ),
    ),
  );
  return el(
    "div",
    { class: "wide", tabindex: 0, role: "region", "aria-label": caption },
    el("table", {}, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, ...body)),
  );
}
