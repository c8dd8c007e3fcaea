// By what the map is coloured: days from a city, value of an hour, load, counts, how the data are known.
import { once, query, type Base, type Reach, type Row } from "./api";
import type { Atlas, Look, Paint } from "./atlas";
import { dot, el, fill, labelled } from "./dom";
import { fromCity, type State } from "./state";
import { problem, select, waiting } from "./view";
import { basis, days, name, number, t, term } from "./words";

// From near to far, and from below to above: both can be told apart without red and green.
const RAMP = ["#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"];
const BOTH = ["#2166ac", "#92c5de", "#f7f7f7", "#f4a582", "#b2182b"];
const BASES: Record<string, { colour: string; dash: string }> = {
  observed: { colour: "#1b7837", dash: "" },
  published: { colour: "#0072b2", dash: "" },
  derived: { colour: "#e69f00", dash: "7 3" },
  assumption: { colour: "#b2182b", dash: "2 4" },
};

// Classes of a number; circles grow with the distance from the class in the middle, or from the first.
function classes(limits: number[], colours: string[], middle: number, digits: number) {
  const shown = limits.map((one) => number(one, digits));
  const radius = (n: number): number => 3.5 + 1.5 * Math.abs(n - middle);
  const rows = [...limits, 0].map((_, n) => ({
    colour: colours[n] ?? "",
    radius: radius(n),
    text: n === 0 ? `< ${shown[0]}` : n === limits.length ? `≥ ${shown[n - 1]}` : `${shown[n - 1]} – ${shown[n]}`,
  }));
  const look = (value: number, words: string): Look => {
    const n = limits.filter((one) => value >= one).length;
    return { colour: colours[n] ?? "", radius: radius(n), words };
  };
  return { rows, look };
}

// What is known of each gateway.
function byGateway(rows: Row[], key: string, look: (row: Row) => Look | undefined): (id: string) => Look | undefined {
  const known = new Map(rows.map((row) => [String(row[key]), row]));
  return (id) => {
    const row = known.get(id);
    return row && look(row);
  };
}

export class Layers {
  private readonly more = el("div");
  private turn = 0;

  constructor(
    private readonly atlas: Atlas,
    private readonly year: number,
    private readonly note: (change: Partial<State>) => State,
  ) {}

  show(state: State): void {
    const kinds: [string, string][] = [
      ["", t("no_flows")],
      ["hours", t("layer_hours")],
      ["quickest", t("layer_quickest")],
      ["worth", t("layer_worth")],
      ["load", t("layer_load")],
      ["counts", t("layer_counts")],
      ["basis", t("layer_basis")],
    ];
    const which = select("layer", kinds, state.layer);
    which.addEventListener("change", () => this.change(this.note({ layer: which.value })));
    const label = labelled(t("colours"), which);
    label.className = "tick";
    fill(this.atlas.coloured, el("div", { class: "layers" }, label), this.more);
    this.change(state);
  }

  private change(state: State): void {
    const key = el("div", { id: "layer-key", role: "status" });
    fill(this.more, fromCity(state.layer) && this.cities(state, key), key);
    void this.paint(state, key);
  }

  private cities(state: State, key: HTMLElement): HTMLElement {
    const zones = this.atlas.zones.map((id): [string, string] => [id, name("place", id)]);
    const city = select("city", zones.sort((a, b) => a[1].localeCompare(b[1])), state.city);
    city.addEventListener("change", () => void this.paint(this.note({ city: city.value }), key));
    const label = labelled(t("city"), city);
    label.className = "tick";
    return el("div", { class: "layers" }, label);
  }

  // Another layer may be chosen before this one is there.
  private async paint(state: State, key: HTMLElement): Promise<void> {
    const turn = ++this.turn;
    this.atlas.colour(undefined);
    if (state.layer === "") return fill(key);
    fill(key, waiting(t(state.layer === "worth" ? "takes_a_minute" : "waiting")));
    try {
      const paint = await this.of(state);
      if (turn !== this.turn) return;
      const rows = paint.rows.map((row) => el("p", { class: "row" }, dot(row.colour, row.dash, row.radius), row.text));
      const title = `${paint.title}, ${this.year}`;
      this.atlas.colour({ ...paint, title });
      fill(key, el("p", {}, title), ...rows, paint.note && el("p", {}, paint.note));
    } catch (error) {
      if (turn === this.turn) fill(key, problem(error));
    }
  }

  private of(state: State): Promise<Paint> | Paint {
    if (fromCity(state.layer)) return this.hours(state);
    if (state.layer === "worth") return this.worth(state);
    return state.layer === "basis" ? this.basis() : this.traffic(state.layer === "load");
  }

  private async hours(state: State): Promise<Paint> {
    const found = await once<Reach>(query("/api/reach", { from: state.city, commodity: state.sector }));
    const { rows, look } = classes([3, 6, 10, 15, 25], RAMP, 0, 0);
    const known = new Map(found.places.map((one) => [one.place, one]));
    const quick = state.layer === "quickest";
    const place = (id: string): Look | undefined => {
      const one = known.get(id);
      if (!one) return undefined;
      const hours = quick ? one.quickest_h : one.time_h;
      const words = `${days(hours)} ${t("days")}${quick ? `, ${term("family", one.quickest_family)}` : ""}`;
      return { ...look(hours / 24, words), label: days(hours) };
    };
    const kind = t(quick ? "layer_quickest" : "layer_hours");
    return { title: `${kind}: ${name("place", found.from)}, ${name("sector", state.sector)}`, rows, note: t("days_about"), place };
  }

  private async worth(state: State): Promise<Paint> {
    const whose = state.door === "country" ? state.country : "CA5";
    const found = await once<Row[]>(query("/api/sensitivity", { of: `real_income:${whose}`, to: "gateways", exact: 0 }));
    const most = 10 ** Math.ceil(Math.log10(Math.max(1, ...found.map((row) => Number(row["usd_per_unit_year"])))) - 6);
    const { rows, look } = classes([most / 100, most / 30, most / 10, most / 3], RAMP.slice(0, 5), 0, most > 10 ? 1 : 3);
    const unit = `${t("million_usd")}/${t("hours")}`;
    const gateway = byGateway(found, "id", (row) => {
      const value = Number(row["usd_per_unit_year"]) / 1e6;
      return look(value, `${number(value, 3)} ${unit}`);
    });
    return { title: `${t("worth")}: ${name(whose === "CA5" ? "group" : "region", whose)}, ${unit}`, rows, gateway };
  }

  private async traffic(load: boolean): Promise<Paint> {
    const { base } = await once<{ base: Base }>("/api/base");
    const { rows, look } = load ? classes([0.25, 0.5, 0.75, 1], RAMP.slice(0, 5), 0, 2) : classes([0.5, 0.8, 1.25, 2], BOTH, 2, 2);
    const gateway = byGateway(base.gateways, "gateway", (row) => {
      const [ours, seen, used] = ["observed_ours", "observed", "volume_over_capacity"].map((one) => row[one]);
      if (load) return typeof used === "number" ? look(used, number(used, 2)) : undefined;
      if (typeof ours !== "number" || typeof seen !== "number" || seen === 0) return undefined;
      const unit = term("unit", String(row["observed_unit"]));
      return look(ours / seen, `${number(ours)} / ${number(seen)} ${unit}, ${String(row["observed_year"])}`);
    });
    return { title: t(load ? "layer_load" : "layer_counts"), rows, note: load ? t("load_about") : t("counts_about"), gateway };
  }

  private basis(): Paint {
    const rows = Object.entries(BASES).map(([id, one]) => ({ ...one, text: basis(id) }));
    const look = (shown: unknown, other: unknown, what: string): Look | undefined => {
      const found = BASES[String(shown)];
      if (!found) return undefined;
      const more = other ? `; ${what}: ${basis(String(other))}` : "";
      return { ...found, words: `${basis(String(shown))}${more}`, radius: 4.5 };
    };
    const line = (id: string) => {
      const p = this.atlas.links.get(id)?.properties;
      return p && look(p["speed_basis"], p["basis"], t("length"));
    };
    const gateway = (id: string) => {
      const p = this.atlas.gateways.get(id)?.properties;
      return p && look(p["hours_basis"], p["block_hours_basis"], t("block_trains"));
    };
    return { title: t("layer_basis"), rows, note: t("basis_about"), line, gateway };
  }
}
