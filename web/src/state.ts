// What is shown, as the fragment of the address: a link to it shows the same.

export type Door = "corridor" | "country" | "scenario";
export const DOORS: Door[] = ["corridor", "country", "scenario"];

export type Change = Record<string, string | number | { multiply: number } | { add: number }>;

export interface State {
  door: Door;
  lang: string;
  from: string;
  to: string;
  sector: string;
  product: string; // of rail legs: block, wagonload, or "" for the usual one of the pair
  country: string;
  scenario: string; // of a bundled scenario that is shown or extended; "" for none
  changes: Change[]; // further changes
  other: string; // scenario to compare with
  layer: string; // by which the map is coloured, "" for none
  city: string; // from which the layer counts days
}

export const FIRST: State = {
  door: "corridor",
  lang: "en",
  from: "CKG",
  to: "DUI",
  sector: "MCH",
  product: "",
  country: "KAZ",
  scenario: "",
  changes: [],
  other: "",
  layer: "",
  city: "CKG",
};

const KEYS: Record<Door, (keyof State)[]> = {
  corridor: ["from", "to", "sector", "product", "scenario"],
  country: ["country"],
  scenario: ["scenario", "changes", "other"],
};

export const LAYERS = ["hours", "quickest", "worth", "load", "counts", "basis"];

// Whether a layer counts days from a city, for the goods of Corridor.
export const fromCity = (layer: string): boolean => layer === "hours" || layer === "quickest";

export function fragment(state: State): string {
  const values = new URLSearchParams();
  const shown: (keyof State)[] = state.layer === "" ? [] : fromCity(state.layer) ? ["layer", "city", "sector"] : ["layer"];
  for (const key of new Set([...KEYS[state.door], ...shown])) {
    const value = state[key];
    if (typeof value === "string" && value !== "") values.set(key, value);
    if (Array.isArray(value) && value.length > 0) values.set(key, JSON.stringify(value));
  }
  values.set("lang", state.lang);
  return `#/${state.door}?${values.toString()}`;
}

// The state of a fragment; what it leaves out is as in `before`, what it spoils is left out.
export function parse(text: string, before: State): State {
  const [path = "", query = ""] = text.replace(/^#\/?/, "").split("?", 2);
  const values = new URLSearchParams(query);
  const door = DOORS.find((one) => one === path) ?? before.door;
  const state: State = { ...before, door };
  if (path !== "" && values.size > 0 && KEYS[door].includes("changes")) state.changes = [];
  const lang = values.get("lang");
  if (lang !== null && ["en", "ru", "zh"].includes(lang)) state.lang = lang;
  for (const key of ["from", "to", "sector", "product", "country", "scenario", "other", "layer", "city"] as const) {
    const value = values.get(key);
    if (value !== null) state[key] = value.slice(0, 100);
    else if (values.size > 1 && [...KEYS[door], "layer"].includes(key) && FIRST[key] === "") state[key] = "";
  }
  if (!LAYERS.includes(state.layer)) state.layer = "";
  const changes = values.get("changes");
  if (changes !== null) state.changes = sound(changes);
  return state;
}

function sound(text: string): Change[] {
  try {
    const found: unknown = JSON.parse(text);
    if (!Array.isArray(found)) return [];
    return found.filter((one): one is Change => typeof one === "object" && one !== null && "verb" in one).slice(0, 200);
  } catch {
    return [];
  }
}
