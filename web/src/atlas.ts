// The map: land, network, routes, changes. Lines are SVG, so that no graphics card is needed.
import * as L from "leaflet";
import { once, raw, type Feature, type Network, type Route } from "./api";
import { dot, el, shape } from "./dom";
import { save, savePng } from "./share";
import { name, number, share, t, term } from "./words";

// Colours of Okabe and Ito, which people with colour blindness can tell apart; dashes differ too.
export const FAMILY: Record<string, { colour: string; dash: string }> = {
  northern: { colour: "#0072b2", dash: "" },
  "trans-caspian": { colour: "#d55e00", dash: "" },
  southern: { colour: "#007a5a", dash: "10 4" },
  sea: { colour: "#3a8fc7", dash: "2 5" },
  "sea-road": { colour: "#3a8fc7", dash: "8 4 2 4" },
  road: { colour: "#a8507f", dash: "6 4" },
  "southern-road": { colour: "#007a5a", dash: "4 4" },
  "trans-caspian-road": { colour: "#d55e00", dash: "4 4" },
  other: { colour: "#5b5b5b", dash: "1 4" },
};
export const familyStyle = (family: string) => FAMILY[family] ?? { colour: "#5b5b5b", dash: "1 4" };

export const MODE: Record<string, string> = {
  "rail-1435": "#0072b2",
  "rail-1520": "#7a3b9a",
  "rail-1676": "#7a3b9a",
  road: "#8a6d3b",
  sea: "#6aa9d8",
  ferry: "#d55e00",
};
export const ADDED = "#0b5fff";
export const REMOVED = "#c1121f";
export const CHANGED = "#7b2cbf";
const FAR_KM = 1500;
const QUIET = "#a9a59c";

export interface Gateway {
  id: string;
  name: string;
  mode: string;
  point: L.LatLngExpression | null;
}

// How a layer colours one thing on the map, and what it says of it; `label` goes to the name of a place.
export interface Look {
  colour: string;
  words: string;
  label?: string;
  dash?: string;
  radius?: number;
}

// A layer: what it colours, and its key.
export interface Paint {
  title: string;
  rows: { colour: string; text: string; dash?: string; radius?: number }[];
  note?: string;
  gateway?: (id: string) => Look | undefined;
  line?: (id: string) => Look | undefined;
  place?: (id: string) => Look | undefined;
}

type Pick = { gateway?: (id: string) => void; link?: (id: string) => void; place?: (id: string) => void };

export class Atlas {
  readonly map: L.Map;
  readonly places = new Map<string, L.LatLngTuple>();
  readonly zones: string[] = [];
  private readonly called = new Map<string, string>(); // places by their English name
  readonly links = new Map<string, Feature>();
  readonly gateways = new Map<string, Feature>();
  private readonly network = L.layerGroup();
  private readonly flows = L.layerGroup();
  private readonly posts = L.layerGroup();
  private readonly drawn = L.layerGroup();
  private readonly labels = L.layerGroup();
  private readonly spots = L.layerGroup();
  private readonly regions = new Map<string, L.LatLngTuple[]>();
  private readonly key = el("div", { class: "legend" });
  readonly coloured = el("div", {}); // controls and key of the layer
  private pick: Pick = {};
  private kind = ""; // of the flows that are shown, a column; "" for none
  private zoom: L.Control.Zoom | undefined;
  private paint: Paint | undefined;
  private wide = 1;
  private most = 1;

  constructor(holder: HTMLElement, land: GeoJSON.GeoJsonObject, network: Network) {
    this.map = L.map(holder, {
      zoomControl: false,
      attributionControl: false,
      minZoom: 2,
      maxZoom: 9,
      zoomSnap: 0.25,
      worldCopyJump: false,
      preferCanvas: false,
      maxBounds: [
        [-30, -60],
        [80, 180],
      ],
    });
    this.map.createPane("land").style.zIndex = "200";
    L.geoJSON(land, {
      pane: "land",
      interactive: false,
      // No line along the shore: the land is cut off at the frame of the data.
      style: { stroke: false, fillColor: "#f7f5f0", fillOpacity: 1 },
    }).addTo(this.map);
    for (const feature of network.features) this.know(feature);
    this.home();
    for (const layer of [this.network, this.flows, this.posts, this.labels, this.spots, this.drawn]) layer.addTo(this.map);
    this.map.on("zoomend moveend", () => this.label());
  }

  private know(feature: Feature): void {
    const { layer } = feature.properties;
    if (layer === "places") {
      const id = String(feature.properties["place_id"]);
      const at = latlng(feature.geometry?.coordinates as number[]);
      this.places.set(id, at);
      this.called.set(String(feature.properties["name"]), id);
      if (feature.properties["zone_share"] === null) return;
      this.zones.push(id);
      const region = String(feature.properties["region"]);
      this.regions.set(region, [...(this.regions.get(region) ?? []), at]);
    } else if (layer === "links") this.links.set(String(feature.properties["link"]), feature);
    else if (layer === "gateways") this.gateways.set(String(feature.properties["gateway"]), feature);
  }

  home(): void {
    this.map.fitBounds([
      [24, 12],
      [58, 118],
    ]);
  }

  // The part of the map with the places of a region, beside the legend where there is room.
  focus(region: string): void {
    const found = this.regions.get(region) ?? [];
    if (found.length === 0) return this.home();
    const legend = this.key.offsetWidth;
    const left = legend < 0.5 * this.map.getSize().x ? legend : 0;
    this.map.fitBounds(L.latLngBounds(found).pad(0.3), { maxZoom: 5, paddingTopLeft: [left, 0] });
  }

  // -- what is always there ----------------------------------------------------------------------------

  // The network in thin lines; `pick` is called for what is clicked.
  base(pick: Pick = {}): void {
    this.pick = pick;
    this.zoom?.remove();
    this.zoom = L.control.zoom({ position: "topright", zoomInTitle: t("zoom_in"), zoomOutTitle: t("zoom_out") }).addTo(this.map);
    this.draw();
  }

  // The colours of a layer, or those of the network itself.
  colour(paint: Paint | undefined): void {
    this.paint = paint;
    this.draw();
    const about = this.key.querySelector<HTMLElement>("#width-about");
    if (about) about.hidden = paint !== undefined;
  }

  private draw(): void {
    const { pick, paint } = this;
    this.network.clearLayers();
    this.flows.clearLayers();
    this.spots.clearLayers();
    for (const feature of this.links.values()) {
      const p = feature.properties;
      if (p["status"] !== "open" || far(feature)) continue;
      const look = paint?.line?.(String(p["link"]));
      L.polyline(points(feature), {
        color: look?.colour ?? MODE[String(p["mode"])] ?? QUIET,
        weight: look ? 1.8 : p["mode"] === "road" ? 0.7 : 1.1,
        opacity: look ? 0.9 : 0.45,
        interactive: false,
        dashArray: look?.dash ?? (p["disputed"] === true ? "4 3" : ""),
      }).addTo(this.network);
      if (pick.link || look) this.wideTarget(feature, look?.words, pick.link);
    }
    this.circles(this.gateways.values());
    // Places last, so that they take a click before the lines that end there.
    for (const id of this.zones) {
      const look = paint?.place?.(id);
      if (!pick.place && !look) continue;
      const style = { radius: look ? 5.5 : 3.5, color: "#111", weight: 1.2, fillColor: look?.colour ?? "#fff", fillOpacity: 1 };
      L.circleMarker(this.places.get(id) as L.LatLngTuple, style)
        .bindTooltip(() => text(said(name("place", id), look?.words)))
        .on("click", () => pick.place?.(id))
        .addTo(this.spots);
    }
    this.label();
    if (this.kind !== "") void this.refresh();
  }

  // A wide line that cannot be seen takes the click, since the drawn one is thin.
  private wideTarget(feature: Feature, words?: string, pick?: (id: string) => void): void {
    const line = L.polyline(points(feature), { color: "#000", weight: 11, opacity: 0 });
    line.bindTooltip(() => text(said(linkName(feature), words)), { sticky: true });
    line.on("click", () => pick?.(String(feature.properties["link"])));
    line.addTo(this.network);
  }

  // Links and gateways with flows: width and area by volume.
  carry(network: Network | null, column = "teu_per_year"): void {
    this.flows.clearLayers();
    if (network === null) {
      this.circles(this.gateways.values());
      return;
    }
    const links = network.features.filter((one) => one.properties["layer"] === "links");
    this.scale(network);
    for (const feature of links) {
      const p = feature.properties;
      const teu = Number(p[column] ?? 0);
      if (teu <= 0 || far(feature)) continue;
      L.polyline(points(feature), {
        color: MODE[String(p["mode"])] ?? QUIET,
        weight: this.width(teu),
        opacity: 0.55,
        lineCap: "round",
        interactive: this.pick.link === undefined,
      })
        .bindTooltip(() => text(`${linkName(feature)}: ${number(teu)} ${t("teu_year")}`), { sticky: true })
        .addTo(this.flows);
    }
    this.circles(network.features.filter((one) => one.properties["layer"] === "gateways"));
  }

  private scale(network: Network): void {
    const carried = network.features
      .filter((one) => one.properties["layer"] === "links")
      .map((one) => Number(one.properties["teu_per_year"] ?? 0))
      .filter((teu) => teu > 0)
      .sort((a, b) => a - b);
    this.wide = carried[Math.floor(0.97 * carried.length)] ?? 1;
    this.most = Math.max(
      1,
      ...network.features
        .filter((one) => one.properties["layer"] === "gateways")
        .map((one) => Number(one.properties["teu_per_year"] ?? 0)),
    );
  }

  private width(teu: number): number {
    return 0.6 + 8 * Math.min(1, Math.sqrt(teu / this.wide));
  }

  private circles(features: Iterable<Feature>): void {
    this.posts.clearLayers();
    for (const feature of features) {
      const p = feature.properties;
      if (!feature.geometry) continue;
      const id = String(p["gateway"]);
      const teu = Number(p["teu_per_year"] ?? 0);
      const look = this.paint?.gateway?.(id);
      const shown = look?.radius ?? (teu > 0 ? 2.5 + 9 * Math.sqrt(teu / this.most) : this.pick.gateway ? 4 : 2.2);
      // Of a layer of gateways only those that have a figure, unless one can be chosen.
      const bare = this.paint ? !look : teu === 0 && p["teu_per_year"] !== undefined;
      if (bare && !this.pick.gateway) continue;
      const circle = L.circleMarker(latlng(feature.geometry.coordinates as number[]), {
        radius: shown,
        color: "#333",
        weight: 0.8,
        fillColor: look?.colour ?? (p["status"] === "open" && !this.paint ? "#f0e442" : "#fff"),
        fillOpacity: 0.85,
        dashArray: look?.dash ?? "",
      });
      const words = [said(name("gateway", id), look?.words)];
      if (teu > 0) words.push(`${number(teu)} ${t("teu_year")}`);
      if (typeof p["wait_h"] === "number") words.push(`${number(p["wait_h"], 0)} ${t("hours")}`);
      const used = p["volume_over_capacity"];
      if (typeof used === "number") words.push(`${share(used)} ${t("of_capacity")}`);
      circle.bindTooltip(() => text(words.join(" · ")));
      if (this.pick.gateway) circle.on("click", () => this.pick.gateway?.(id));
      circle.addTo(this.posts);
    }
  }

  // Names of places with freight where there is room.
  private label(): void {
    this.labels.clearLayers();
    const taken: [number, number, number, number][] = [];
    const size = this.map.getSize();
    for (const id of this.zones) {
      const at = this.places.get(id);
      if (!at) continue;
      const point = this.map.latLngToContainerPoint(at);
      if (point.x < 0 || point.y < 0 || point.x > size.x || point.y > size.y) continue;
      const shown = [name("place", id), this.paint?.place?.(id)?.label ?? ""].join(" ").trim();
      const wide = 7 * length(shown);
      const own: [number, number, number, number] = [point.x, point.y - 9, point.x + wide + 8, point.y + 9];
      if (taken.some((b) => own[0] < b[2] && own[2] > b[0] && own[1] < b[3] && own[3] > b[1])) continue;
      taken.push(own);
      const marker = L.circleMarker(at, { radius: this.pick.place ? 0 : 2, color: "#444", weight: 1, fillOpacity: 1, interactive: false });
      marker.bindTooltip(text(shown), { permanent: true, direction: "right", className: "place", offset: [3, 0] });
      marker.addTo(this.labels);
    }
  }

  // -- what a view draws ---------------------------------------------------------------------------------

  clear(): void {
    this.drawn.clearLayers();
  }

  // Routes by family, the chosen one above the others.
  routes(routes: Route[], chosen: number, choose: (number: number) => void): void {
    this.clear();
    const all: L.LatLngTuple[] = [];
    const order = routes.map((_, n) => n).sort((a, b) => Number(a === chosen) - Number(b === chosen));
    for (const n of order) {
      const route = routes[n];
      if (!route) continue;
      const path = this.path(route);
      all.push(...path);
      const { colour, dash } = familyStyle(route.family);
      if (n === chosen) L.polyline(path, { color: "#fff", weight: 9, opacity: 0.9, interactive: false }).addTo(this.drawn);
      L.polyline(path, {
        color: colour,
        weight: n === chosen ? 5.5 : 3,
        opacity: n === chosen ? 1 : 0.75,
        dashArray: dash,
        className: "route",
      })
        .bindTooltip(() => text(`${n + 1}. ${term("family", route.family)}`), { sticky: true })
        .on("click", () => choose(n))
        .addTo(this.drawn);
    }
    const ends = routes[0] ? [this.path(routes[0])[0], this.path(routes[0]).at(-1)] : [];
    for (const at of ends)
      if (at) L.circleMarker(at, { radius: 6, color: "#111", weight: 2, fillColor: "#fff", fillOpacity: 1 }).addTo(this.drawn);
    if (all.length > 1) this.map.fitBounds(L.latLngBounds(all).pad(0.08));
  }

  private path(route: Route): L.LatLngTuple[] {
    const found: L.LatLngTuple[] = [];
    for (const leg of route.legs)
      for (const end of [leg.from, leg.to]) {
        const at = this.places.get(end);
        if (at && at !== found.at(-1)) found.push(at);
      }
    return found;
  }

  // Changes of flows against the base: blue more, red less, each with its own dash.
  changes(network: Network): void {
    const size = (feature: Feature): number => Math.abs(Number(feature.properties["change_teu"] ?? 0));
    const largest = Math.max(1, ...network.features.filter((one) => one.properties["layer"] === "links").map(size));
    for (const feature of network.features) {
      const p = feature.properties;
      const change = Number(p["change_teu"] ?? 0);
      if (p["layer"] !== "links" || far(feature) || Math.abs(change) < 500) continue;
      if (Math.abs(change) < 0.01 * Number(p["base_teu"] ?? 0)) continue;
      L.polyline(points(feature), {
        color: change > 0 ? ADDED : REMOVED,
        weight: 1.2 + 8 * Math.sqrt(Math.abs(change) / largest),
        opacity: 0.8,
        dashArray: change > 0 ? "" : "3 6",
        lineCap: "butt",
      })
        .bindTooltip(() => text(`${linkName(feature)}: ${number(change, 0, true)} ${t("teu_year")}`), { sticky: true })
        .addTo(this.drawn);
    }
  }

  // What a scenario itself changes.
  mark(kind: "added" | "removed" | "changed", what: { gateway?: string; link?: string; ends?: [string, string] }): boolean {
    const style = {
      added: { color: ADDED, weight: 5, dashArray: "" },
      removed: { color: REMOVED, weight: 4, dashArray: "2 7" },
      changed: { color: CHANGED, weight: 4, dashArray: "10 5" },
    }[kind];
    if (what.gateway !== undefined) {
      const at = this.gateways.get(what.gateway)?.geometry?.coordinates as number[] | undefined;
      if (!at) return false;
      L.circleMarker(latlng(at), { ...style, weight: 3, radius: 11, fill: false }).addTo(this.drawn);
      return true;
    }
    const feature = what.link === undefined ? undefined : this.links.get(what.link);
    const path = feature
      ? points(feature)
      : (what.ends ?? []).map((end) => this.places.get(this.called.get(end) ?? end)).filter((at): at is L.LatLngTuple => at !== undefined);
    if (path.length < 2) return false;
    L.polyline(path, { color: "#fff", weight: style.weight + 4, interactive: false }).addTo(this.drawn);
    L.polyline(path, style).addTo(this.drawn);
    return true;
  }

  // The picture as SVG of its own, for slides: land, lines, names.
  picture(): string {
    const { x, y } = this.map.getSize();
    const made = shape("svg", { viewBox: `0 0 ${x} ${y}`, width: x, height: y });
    made.append(shape("rect", { width: x, height: y, fill: "#e6eef4" }));
    const land = this.map.getPane("land");
    const layers = [...this.map.getContainer().querySelectorAll<SVGSVGElement>(".leaflet-pane > svg")];
    layers.sort((a, b) => Number(land?.contains(b)) - Number(land?.contains(a)));
    for (const one of layers) {
      const copy = one.cloneNode(true) as SVGSVGElement;
      const at = L.DomUtil.getPosition(one as unknown as HTMLElement).add(this.pane());
      for (const name of ["style", "class", "pointer-events"]) copy.removeAttribute(name);
      copy.setAttribute("x", String(at.x));
      copy.setAttribute("y", String(at.y));
      made.append(copy);
    }
    const frame = this.map.getContainer().getBoundingClientRect();
    const names = this.map.hasLayer(this.labels) ? this.map.getContainer().querySelectorAll(".place") : [];
    for (const one of names) {
      const { left, top, height } = one.getBoundingClientRect();
      const place = { x: left - frame.left + 6, y: top - frame.top + 0.7 * height };
      const words = shape("text", { ...place, "font-family": "sans-serif", "font-size": 11, fill: "#2d2b27" });
      words.textContent = one.textContent;
      made.append(words);
    }
    if (this.paint) made.append(this.pictured(this.paint, y));
    return new XMLSerializer().serializeToString(made);
  }

  // The key of the layer at the lower left of the picture.
  private pictured({ title, rows }: Paint, y: number): SVGGElement {
    const key = shape("g", { "font-family": "sans-serif", "font-size": 12, fill: "#1c1b19" });
    const top = y - 16 * rows.length - 30;
    const wide = 24 + 7 * Math.max(...[title, ...rows.map((one) => `    ${one.text}`)].map(length));
    key.append(shape("rect", { x: 6, y: top, width: wide, height: 16 * rows.length + 24, fill: "#fff", opacity: 0.9 }));
    const put = (x: number, at: number, words: string): void => {
      const line = shape("text", { x, y: at });
      line.textContent = words;
      key.append(line);
    };
    put(12, top + 16, title);
    for (const [n, one] of rows.entries()) {
      const at = top + 32 + 16 * n;
      const swatch = dot(one.colour, one.dash, one.radius);
      swatch.setAttribute("x", "12");
      swatch.setAttribute("y", String(at - 12));
      key.append(swatch);
      put(52, at, one.text);
    }
    return key;
  }

  private pane(): L.Point {
    return L.DomUtil.getPosition(this.map.getPane("mapPane") as HTMLElement);
  }

  // The key of what is drawn, and which layers are shown.
  legend(...parts: Node[]): void {
    this.key.replaceChildren(this.coloured, ...parts, this.layers());
  }

  private layers(): HTMLElement {
    const shown = (text: string, layer: L.LayerGroup): HTMLElement => {
      const tick = el("input", { type: "checkbox", checked: this.map.hasLayer(layer) });
      tick.addEventListener("change", () => void (tick.checked ? layer.addTo(this.map) : layer.remove()));
      return el("label", { class: "tick" }, tick, text);
    };
    const kinds: [string, string][] = [
      ["", t("no_flows")],
      ["teu_per_year", t("all_freight")],
      ["teu_block", t("block_trains")],
      ["teu_wagonload", t("wagonload")],
    ];
    const flows = el("select", { id: "flows" }, ...kinds.map(([id, text]) => el("option", { value: id, selected: id === this.kind }, text)));
    flows.addEventListener("change", () => {
      this.kind = flows.value;
      void this.refresh();
    });
    return el(
      "div",
      { class: "layers" },
      el("label", { class: "tick" }, el("span", {}, t("flows")), flows),
      shown(t("gateways"), this.posts),
      shown(t("place_names"), this.labels),
      el(
        "p",
        { class: "row" },
        t("save_map"),
        el("button", { type: "button", class: "quiet", click: () => save("map.svg", "image/svg+xml", this.picture()) }, "SVG"),
        el("button", { type: "button", class: "quiet", click: () => void savePng("map.png", this.picture()) }, "PNG"),
      ),
    );
  }

  // Flows of the base are loaded, and the base solved, only once they are asked for.
  private async refresh(): Promise<void> {
    if (this.kind === "") return this.carry(null);
    const network = await once<Network>("/api/network.geojson?flows=yes", raw).catch(() => null);
    if (this.kind !== "" && network) this.carry(network, this.kind);
  }

  // Shows flows of the base, of all freight unless another kind was chosen.
  flow(): void {
    if (this.kind === "") this.kind = "teu_per_year";
    const shown = this.key.querySelector<HTMLSelectElement>("#flows");
    if (shown) shown.value = this.kind;
    void this.refresh();
  }

  get legendElement(): HTMLElement {
    return this.key;
  }
}

const latlng = ([lon = 0, lat = 0]: number[]): L.LatLngTuple => [lat, lon];
const points = (feature: Feature): L.LatLngTuple[] => (feature.geometry?.coordinates as number[][]).map(latlng);
const far = (feature: Feature): boolean =>
  feature.geometry?.type !== "LineString" ||
  (feature.properties["mode"] === "sea" && Number(feature.properties["length_km"]) > FAR_KM);

// Of a text in Latin letters; a Chinese one is almost twice as wide.
const length = (text: string): number => [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 1.8 : 1), 0);
const said = (name: string, words?: string): string => (words ? `${name}: ${words}` : name);

// Tooltips take elements, so that no name becomes HTML.
const text = (words: string): HTMLElement => el("span", {}, words);

export function linkName(feature: Feature): string {
  const p = feature.properties;
  const ends = ["from", "to"].map((end) => name("place", String(p[end])));
  return `${ends.join(" – ")} (${term("mode", String(p["mode"]))})`;
}

export function kilometres(a: L.LatLngTuple, b: L.LatLngTuple): number {
  return L.CRS.Earth.distance(L.latLng(a), L.latLng(b)) / 1000;
}
