// What a scenario does: who gains, corridors and gateways before and after, a column for each case.
import type { Base, Row } from "./api";
import { el, table, type Cell } from "./dom";
import { drawn, ended, type Solved } from "./run";
import { save, savePng } from "./share";
import { days, name, number, percent, t } from "./words";
import type { View } from "./view";

const MOST_GATEWAYS = 12;

export function result(view: View, base: Base, cases: Solved[], titles: string[]): HTMLElement[] {
  const shown = cases.map((_, n) => titles[n] ?? "");
  const notes = cases.flatMap((one) => one.result.notes);
  return [
    el("h2", {}, shown.join(` ${t("against")} `)),
    income(cases, shown),
    freight(base, cases, shown),
    gateways(cases, shown),
    ...(notes.length > 0 ? [el("h3", {}, t("notes")), el("ul", { class: "small" }, ...notes.map((text) => el("li", { lang: "en" }, text)))] : []),
    el(
      "p",
      {},
      el("button", { type: "button", class: "quiet", click: () => save("real_income.csv", "text/csv", csv(cases, shown)) }, "CSV"),
      " ",
      el("button", { type: "button", class: "quiet", click: () => save("map.svg", "image/svg+xml", view.atlas.picture()) }, `SVG (${t("map")})`),
      " ",
      el("button", { type: "button", class: "quiet", click: () => void savePng("map.png", view.atlas.picture()) }, `PNG (${t("map")})`),
    ),
  ];
}

const at = (row: Row | undefined, column: string): number | null => {
  const found = row?.[column];
  return typeof found === "number" ? found : null;
};
const find = (rows: Row[], key: string, id: string): Row | undefined => rows.find((one) => one[key] === id);

// Real income: groups first, then regions, the largest change first.
export function income(cases: Solved[], titles: string[]): HTMLElement {
  const first = cases[0] as Solved;
  const size = (row: Row): number => Math.max(...cases.map((one) => Math.abs(at(find(one.result.real_income, "region", String(row["region"])), "percent") ?? 0)));
  const regions = [...first.result.real_income].sort((a, b) => size(b) - size(a));
  const most = Math.max(1e-9, ...regions.map(size));
  const rows: Cell[][] = [
    ...first.result.groups.map((row) => cells("group", String(row["group"]), cases, most)),
    ...regions.map((row) => cells("region", String(row["region"]), cases, most)),
  ];
  const many = cases.length > 1;
  const heads = [
    t("region"),
    ...titles.flatMap((title, n) => {
      const one = cases[n] as Solved;
      const range = drawn(one) ? t("range") : t("range_phi_b");
      return [many ? `${title}, %` : "%", range, ...(many ? [] : [t("million_usd"), ""])];
    }),
  ];
  const made = table(t("real_income"), heads, rows);
  made.id = "income";
  const open = cases.filter((one) => !drawn(one) && !ended(one));
  const said = open.some((one) => !one.rangeless) ? t("range_follows") : t("range_failed");
  return el(
    "div",
    { id: "gains" },
    el("h3", {}, t("real_income")),
    el("p", { class: "small" }, t("real_income_about")),
    open.length > 0 ? el("p", { class: "small", role: "status" }, said) : null,
    made,
  );
}

function cells(kind: "group" | "region", id: string, cases: Solved[], most: number): Cell[] {
  const own = cases.flatMap((one): Cell[] => {
    const row = find(kind === "group" ? one.result.groups : one.result.real_income, kind, id);
    const value = at(row, "percent");
    const shown: Cell[] = [percent(value), range(row)];
    return cases.length > 1 ? shown : [...shown, number(at(row, "musd"), 0, true), bar(value ?? 0, most)];
  });
  return [name(kind, id), ...own];
}

// The percentiles of the draws, else from one end of phi_b to the other, the value within.
function range(row: Row | undefined): string {
  const [low, high] = [at(row, "percent_p05"), at(row, "percent_p95")];
  if (low !== null) return `${percent(low)} … ${percent(high)}`;
  const ends = ["percent_phi_b_low", "percent", "percent_phi_b_high"].map((column) => at(row, column));
  const known = ends.filter((one): one is number => one !== null);
  return known.length < ends.length ? "–" : `${percent(Math.min(...known))} … ${percent(Math.max(...known))}`;
}

// A bar to the right for a gain, to the left for a loss.
function bar(value: number, most: number): HTMLElement {
  const inner = el("span", { class: value < 0 ? "loss" : "gain" });
  inner.style.width = `${Math.min(50, (50 * Math.abs(value)) / most)}%`;
  return el("span", { class: "bar", "aria-hidden": "true" }, inner);
}

// Days and USD of the corridors, before and after.
function freight(base: Base, cases: Solved[], titles: string[]): HTMLElement {
  const all = base.corridors.filter((row) => row["family"] === "all");
  const after = (one: Solved, row: Row): Row | undefined =>
    one.result.corridors.find((other) => other["corridor"] === row["corridor"] && other["family"] === "all");
  const moved = (row: Row): number =>
    Math.max(...cases.map((one) => Math.abs((at(after(one, row), "generalised_cost_usd") ?? 0) / (at(row, "generalised_cost_usd") ?? 1) - 1)));
  const sorted = [...all].sort((a, b) => moved(b) - moved(a));
  const rows = sorted.map((row): Cell[] => [
    `${name("place", String(row["from"]))} – ${name("place", String(row["to"]))}`,
    days(at(row, "time_h") ?? 0),
    ...cases.map((one) => days(at(after(one, row), "time_h") ?? Number.NaN)),
    number(at(row, "cost_usd")),
    ...cases.map((one) => number(at(after(one, row), "cost_usd"))),
  ]);
  const named = cases.length > 1 ? titles : [t("after")];
  const heads = [t("corridor"), `${t("days")}: ${t("before")}`, ...named, `USD: ${t("before")}`, ...named];
  return el("div", {}, el("h3", {}, t("freight")), el("p", { class: "small" }, `${t("freight_about")}`), table(t("freight"), heads, rows));
}

function gateways(cases: Solved[], titles: string[]): HTMLElement {
  const first = cases[0] as Solved;
  const change = (row: Row | undefined): number => (at(row, "teu_per_year") ?? 0) - (at(row, "base_teu_per_year") ?? 0);
  const sorted = [...first.result.gateways].sort((a, b) => Math.abs(change(b)) - Math.abs(change(a))).slice(0, MOST_GATEWAYS);
  const rows = sorted.map((row): Cell[] => {
    const id = String(row["gateway"]);
    return [
      name("gateway", id),
      number((at(row, "base_teu_per_year") ?? 0) / 1000),
      ...cases.map((one) => number((at(find(one.result.gateways, "gateway", id), "teu_per_year") ?? 0) / 1000)),
      number(at(row, "base_wait_h")),
      ...cases.map((one) => number(at(find(one.result.gateways, "gateway", id), "wait_h"))),
    ];
  });
  const named = cases.length > 1 ? titles : [t("after")];
  const heads = [t("gateway"), `${t("thousand_teu")}: ${t("before")}`, ...named, `${t("hours")}: ${t("before")}`, ...named];
  return el("div", {}, el("h3", {}, t("gateways_most")), table(t("gateways_most"), heads, rows));
}

// Codes and numbers alone: nothing that a spreadsheet takes for a formula.
function csv(cases: Solved[], titles: string[]): string {
  const plain = (text: string): string => `"${text.replace(/"/g, '""').replace(/^[=+\-@\t\r]/, " ")}"`;
  const lines = [["region", ...titles.flatMap((title) => [`${title} percent`, "p05", "p95", "phi_b_low", "phi_b_high", "musd"])].map(plain).join(",")];
  for (const row of cases[0]?.result.real_income ?? []) {
    const own = cases.flatMap((one) => {
      const found = find(one.result.real_income, "region", String(row["region"]));
      return ["percent", "percent_p05", "percent_p95", "percent_phi_b_low", "percent_phi_b_high", "musd"].map((column) => String(at(found, column) ?? ""));
    });
    lines.push([plain(String(row["region"])), ...own].join(","));
  }
  return `${lines.join("\n")}\n`;
}
