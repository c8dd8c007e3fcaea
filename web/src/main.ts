// The map that `landbridge serve` opens: three doors over one map.
import "leaflet/dist/leaflet.css";
import "./style.css";
import { once, raw, type Network } from "./api";
import { Atlas } from "./atlas";
import { corridor } from "./corridor";
import { country } from "./country";
import { el, fill, labelled } from "./dom";
import { Layers } from "./layers";
import { scenario } from "./scenario";
import { DOORS, FIRST, fragment, parse, type Door, type State } from "./state";
import { boundaries, LANGUAGES, speak, t } from "./words";
import { problem, type View } from "./view";

const views: Record<Door, (view: View) => void> = { corridor, country, scenario };

const root = document.getElementById("app") as HTMLElement;
const holder = el("div", { id: "map", role: "region" });
const head = el("header");
const panel = el("section", { id: "panel" });
const results = el("section", { id: "results", "aria-live": "polite" });
const policy = el("footer", { class: "small" });
const side = el("main", {}, panel, results, policy);
const key = el("details", { class: "key" });
let atlas: Atlas | undefined;
let layers: Layers | undefined;
let state: State = parse(location.hash, { ...FIRST, lang: preferred() });
let work = new AbortController();

function preferred(): string {
  const found = navigator.languages.map((one) => one.slice(0, 2)).find((one) => one in LANGUAGES);
  return found ?? "en";
}

function go(change: Partial<State>): void {
  const next = fragment({ ...state, ...change });
  if (next === location.hash) void show();
  else location.hash = next;
}

// Puts a change into the address without showing the view again.
function note(change: Partial<State>): State {
  state = { ...state, ...change };
  history.replaceState(null, "", fragment(state));
  heading();
  return state;
}

async function show(): Promise<void> {
  work.abort();
  work = new AbortController();
  const { signal } = work;
  try {
    await speak(state.lang);
  } catch (error) {
    return fill(results, problem(error));
  }
  if (signal.aborted || !atlas) return;
  document.title = `landbridge – ${t(state.door)}`;
  holder.setAttribute("aria-label", t("map"));
  heading();
  fill(key, el("summary", {}, t("legend")), atlas.legendElement);
  fill(
    policy,
    el("p", {}, `${t("schematic")} ${boundaries()} ${t("coast")}`),
    el("p", {}, el("a", { href: "/" }, t("pages")), " · ", el("a", { href: "/api/data" }, t("sources")), " · ", el("a", { href: "/map/licences.txt" }, t("licences"))),
  );
  results.replaceChildren();
  atlas.clear();
  layers?.show(state);
  views[state.door]({ state, atlas, panel, results, go, signal });
}

function heading(): void {
  const doors = DOORS.map((door) =>
    el("a", { href: fragment({ ...state, door }), ...(door === state.door ? { "aria-current": "page" } : {}) }, t(door)),
  );
  const lang = el("select", { id: "lang" }, ...Object.entries(LANGUAGES).map(([id, text]) => el("option", { value: id, lang: id, selected: id === state.lang }, text)));
  lang.addEventListener("change", () => go({ lang: lang.value }));
  const language = labelled(t("language"), lang);
  language.className = "language";
  fill(head, el("h1", {}, "landbridge"), el("nav", { "aria-label": t("doors") }, ...doors), language);
}

async function start(): Promise<void> {
  fill(root, head, side, el("div", { id: "stage" }, holder, key));
  try {
    const [land, network] = await Promise.all([
      once<GeoJSON.GeoJsonObject>("/api/land.geojson", raw),
      once<Network>("/api/network.geojson", raw),
      speak(state.lang),
    ]);
    atlas = new Atlas(holder, land, network);
    layers = new Layers(atlas, network.landbridge.year, note);
    if (matchMedia("(min-width: 60rem)").matches) key.open = true;
    await show();
  } catch (error) {
    fill(results, problem(error));
  }
}

addEventListener("hashchange", () => {
  state = parse(location.hash, state);
  void show();
});
void start();
