// What every door has: where it draws, what it reads, and how it changes what is shown.
import { Refused } from "./api";
import type { Atlas } from "./atlas";
import { el } from "./dom";
import type { State } from "./state";
import { t } from "./words";

export interface View {
  state: State;
  atlas: Atlas;
  panel: HTMLElement; // controls
  results: HTMLElement;
  go: (change: Partial<State>) => void; // show another state
  signal: AbortSignal; // aborted once another view is shown
}

export function waiting(text: string): HTMLElement {
  return el("p", { class: "waiting", role: "status" }, el("span", { class: "spinner", "aria-hidden": "true" }), text);
}

// What went wrong, with its cure, as text.
export function problem(error: unknown): HTMLElement {
  if (error instanceof Refused) {
    const faults = error.faults.map((one) => el("li", {}, `${one.where}: ${one.what}. ${one.cure}`));
    return el("div", { class: "problem", role: "alert" }, el("p", {}, error.what), el("ul", {}, ...faults));
  }
  return el("div", { class: "problem", role: "alert" }, el("p", {}, t("no_connection")));
}

export const stopped = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";

// A list to choose from by typing, with the names in the language.
export function suggestions(id: string, options: [string, string][]): HTMLDataListElement {
  const sorted = [...options].sort((a, b) => a[1].localeCompare(b[1]));
  return el("datalist", { id }, ...sorted.map(([, shown]) => el("option", { value: shown })));
}

export function select(id: string, options: [string, string][], chosen: string): HTMLSelectElement {
  const made = el(
    "select",
    { id, name: id },
    ...options.map(([value, shown]) => el("option", { value, selected: value === chosen }, shown)),
  );
  return made;
}
