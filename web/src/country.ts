// Door 2: a country: what passes through it, what each scenario does to it, what an hour at a gateway is worth.
import { ask, once, query, type Base, type Gas, type Row } from "./api";
import { stroke, el, fill, labelled, table, type Cell } from "./dom";
import { MODE } from "./atlas";
import { python, same } from "./share";
import { fragment } from "./state";
import { basis, name, names, number, percent, share, t, term } from "./words";
import { problem, select, stopped, waiting, type View } from "./view";

const MOST = 15;
type Range = { percent_p05: number; percent_p50: number; percent_p95: number; widest: string | null };
type Ranges = Record<string, Record<string, Range>>;

export function country(view: View): void {
  const { state, panel, results, atlas } = view;
  const which = select("country", [...names("region")].sort((a, b) => a[1].localeCompare(b[1])), state.country);
  which.addEventListener("change", () => view.go({ country: which.value }));
  fill(panel, el("p", { class: "lead" }, t("country_about")), el("div", { class: "controls" }, labelled(t("country"), which)));
  const ranges = el("div", { id: "ranges" });
  const base = el("div", { id: "in-base" }, waiting(t("solving_base")));
  const gas = el("div", { id: "gas" });
  const worth = el("div", { id: "worth-of-hours" });
  const of = `real_income:${state.country}`;
  const address = query("/api/sensitivity", { of, to: "gateways", exact: 0 });
  fill(
    results,
    el("h2", {}, name("region", state.country)),
    ranges,
    base,
    gas,
    worth,
    same({
      command: `landbridge run\nlandbridge sensitivity --of ${of} --to gateways`,
      python: `import landbridge as lb\n\nworld = lb.load()\nprint(lb.sensitivity(world, ${python(of)}, to="gateways"))`,
      links: [
        [t("base_page"), "/base"],
        ["JSON", "/api/base"],
        ["GeoJSON", "/api/network.geojson?flows=yes"],
      ],
    }),
  );
  atlas.base();
  const modes = Object.entries(MODE).filter(([mode]) => mode !== "rail-1676");
  atlas.legend(
    ...modes.map(([mode, colour]) => el("p", { class: "row" }, stroke(colour, 4), term("mode", mode))),
    el("p", { id: "width-about" }, t("width_about")),
  );
  // Once the legend has its width.
  atlas.focus(state.country);
  void guarded(view, ranges, () => scenarios(view, ranges));
  void guarded(view, base, () => passing(view, base));
  void guarded(view, gas, () => pipelines(view, gas));
  offer(view, worth, address);
}

async function guarded(view: View, place: HTMLElement, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!view.signal.aborted && !stopped(error)) fill(place, problem(error));
  }
}

// Percentiles of real income that come with the data: nothing is solved.
async function scenarios(view: View, place: HTMLElement): Promise<void> {
  const found = await once<Ranges>("/api/ranges");
  if (view.signal.aborted) return;
  const own = Object.entries(found)
    .map(([id, rows]): [string, Range | undefined] => [id, rows[view.state.country]])
    .filter((pair): pair is [string, Range] => pair[1] !== undefined)
    .sort((a, b) => b[1].percent_p50 - a[1].percent_p50);
  if (own.length === 0) return fill(place, el("p", { class: "small" }, t("no_ranges")));
  const most = Math.max(...own.flatMap(([, one]) => [Math.abs(one.percent_p05), Math.abs(one.percent_p95)]));
  const rows = own.map(([id, one]): Cell[] => {
    const go = el("a", { href: fragment({ ...view.state, door: "scenario", scenario: id, changes: [], other: "" }) }, term("scenario", id));
    return [go, percent(one.percent_p50), `${percent(one.percent_p05)} … ${percent(one.percent_p95)}`, span(one, most)];
  });
  fill(
    place,
    el("h3", {}, t("each_scenario")),
    el("p", { class: "small" }, t("ranges_about")),
    table(t("each_scenario"), [t("scenario"), t("median"), t("range"), ""], rows),
  );
}

// The range as a bar on an axis with zero in the middle.
function span(one: Range, most: number): HTMLElement {
  const inner = el("span", { class: one.percent_p50 < 0 ? "loss" : "gain" });
  const left = 50 + (50 * one.percent_p05) / most;
  inner.style.left = `${left}%`;
  inner.style.width = `${Math.max(1.5, (50 * (one.percent_p95 - one.percent_p05)) / most)}%`;
  return el("span", { class: "bar range", "aria-hidden": "true" }, inner);
}

async function passing(view: View, place: HTMLElement): Promise<void> {
  const { base } = await once<{ base: Base }>("/api/base");
  if (view.signal.aborted) return;
  const id = view.state.country;
  const transit = base.transit.find((row) => row["region"] === id);
  const exports = base.value_added.find((row) => row["region"] === id);
  const rows: Cell[][] = [];
  const put = (label: string, value: unknown, shown: (value: number) => string): void => {
    if (typeof value === "number") rows.push([label, shown(value)]);
  };
  const money = (value: number): string => `${number(value)} ${t("million_usd")}`;
  put(t("transit_revenue"), transit?.["musd"], money);
  put(t("own_revenue"), transit?.["own_musd"], money);
  put(t("exports"), exports?.["exports_musd"], money);
  // Access to markets is an index that is 100 in the base.
  const told = base.indicators.filter((one) => one["subject"] === id && one["indicator"] !== "market_access");
  for (const row of told) put(...indicator(row));
  fill(place, el("h3", {}, t("in_base")), table(t("in_base"), ["", ""], rows));
  view.atlas.flow();
}

function indicator(row: Row): [string, unknown, (value: number) => string] {
  const proxy = String(row["proxy"]);
  const plain = row["unit"] === "fraction" ? share : (value: number) => number(value, row["unit"] === "TEU/year" ? 0 : 2);
  // Without the kind of indicator in front.
  const words = term("proxy", proxy).replace(/^[^:：]+[:：]\s*/u, "");
  return [words.charAt(0).toUpperCase() + words.slice(1), row["value"], plain];
}

// Pipeline gas that a country sells and buys, with what each figure rests on; nothing where there is none.
async function pipelines(view: View, place: HTMLElement): Promise<void> {
  const { year, contracts, balances } = await once<Gas>("/api/gas");
  if (view.signal.aborted) return;
  const id = view.state.country;
  const own = contracts.filter((one) => one.exporter === id || one.importer === id);
  if (own.length === 0) return;
  const sources: string[] = [];
  const known = (one: { source: string; year: number; basis: string }): string => {
    if (!sources.includes(one.source)) sources.push(one.source);
    return `${basis(one.basis)}, ${one.year} [${sources.indexOf(one.source) + 1}]`;
  };
  const rows = own.map((one): Cell[] => {
    const sold = one.exporter === id;
    const partner = name("region", sold ? one.importer : one.exporter);
    const via = one.through.map((country) => name("region", country)).join(", ");
    const lines = el("span", { lang: "en" }, one.line_names.join(", "));
    return [`${sold ? t("gas_to") : t("gas_from")} ${partner}`, el("span", {}, lines, via && ` (${t("gas_through")} ${via})`), known(one), number(one.due_bcm, 1)];
  });
  for (const one of balances.filter((row) => row.country === id)) {
    rows.push([t("gas_output"), "", known(one), number(one.output_bcm, 1)], [t("gas_use"), "", known(one), number(one.use_bcm, 1)]);
  }
  fill(
    place,
    el("h3", {}, `${t("gas")}, ${year}`),
    el("p", { class: "small" }, t("gas_about")),
    table(t("gas"), ["", t("gas_lines"), t("gas_basis"), t("bcm")], rows, 3),
    el("ol", { class: "small", lang: "en" }, ...sources.map((text) => el("li", {}, text))),
  );
}

// -- gateways --------------------------------------------------------------------------------------------

function offer(view: View, place: HTMLElement, address: string): void {
  const button = el("button", { type: "button", id: "worth" }, t("show_worth"));
  button.addEventListener("click", () => {
    fill(place, el("h3", {}, t("worth")), waiting(t("takes_a_minute")));
    void guarded(view, place, async () => {
      const rows = await ask<Row[]>(address, view.signal);
      if (!view.signal.aborted) worthOf(view, place, rows);
    });
  });
  fill(place, el("h3", {}, t("worth")), el("p", { class: "small" }, t("worth_about")), button);
}

function worthOf(view: View, place: HTMLElement, rows: Row[]): void {
  const value = (row: Row): number => Number(row["usd_per_unit_year"] ?? 0);
  const sorted = [...rows].sort((a, b) => value(b) - value(a));
  const shown = sorted.slice(0, MOST).map((row): Cell[] => [name("gateway", String(row["id"])), number(value(row) / 1e6, 2)]);
  fill(
    place,
    el("h3", {}, t("worth")),
    el("p", { class: "small" }, t("worth_about")),
    slider(view, sorted),
    table(t("worth"), [t("gateway"), t("million_usd")], shown),
  );
}

// Hours less at a gateway: the first-order answer at once, and a link to the exact one.
function slider(view: View, rows: Row[]): HTMLElement {
  const gateway = select("worth-gateway", rows.slice(0, MOST).map((row) => [String(row["id"]), name("gateway", String(row["id"]))]), "");
  const hours = el("input", { id: "worth-hours", type: "range", min: 0, max: 24, step: 1, value: 6 });
  const out = el("output", { for: "worth-hours worth-gateway" });
  const exact = el("a", {}, t("solve_exactly"));
  const update = (): void => {
    const row = rows.find((one) => one["id"] === gateway.value);
    const gain = (Number(row?.["usd_per_unit_year"] ?? 0) * Number(hours.value)) / 1e6;
    out.textContent = `${hours.value} ${t("hours")}: ${number(gain, 1, true)} ${t("million_usd")} (${t("first_order")})`;
    const changes = [{ verb: "change_gateway", gateway: gateway.value, time_h: { add: -Number(hours.value) } }];
    exact.href = fragment({ ...view.state, door: "scenario", scenario: "", changes, other: "" });
  };
  gateway.addEventListener("change", update);
  hours.addEventListener("input", update);
  update();
  return el(
    "div",
    { class: "controls" },
    labelled(t("gateway"), gateway),
    labelled(t("hours_less"), hours),
    el("p", { class: "whole" }, out, " ", exact),
  );
}
