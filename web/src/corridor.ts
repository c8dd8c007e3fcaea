// Door 1: routes between two places, leg by leg.
import { ask, once, query, type Leg, type Route, type Routes, type Ways } from "./api";
import { familyStyle } from "./atlas";
import { el, fill, labelled, stroke, table } from "./dom";
import { python, quoted, same } from "./share";
import { bundled, days, inWords, keyOf, name, names, number, share, t, term } from "./words";
import { problem, select, stopped, suggestions, waiting, type View } from "./view";

const MOST = 8;

export function corridor(view: View): void {
  const { state, panel } = view;
  const zones = view.atlas.zones.map((id): [string, string] => [id, name("place", id)]);
  const from = el("input", { id: "from", list: "zones", required: true, maxlength: 100, autocomplete: "off" });
  const to = el("input", { id: "to", list: "zones", required: true, maxlength: 100, autocomplete: "off" });
  from.value = name("place", state.from);
  to.value = name("place", state.to);
  const goods = names("sector");
  const sector = select("sector", goods, state.sector);
  const cases: [string, string][] = [["", t("no_scenario")], ...bundled().map((id): [string, string] => [id, term("scenario", id)])];
  const after = select("after", cases, state.scenario);
  const products: [string, string][] = [["", t("usual_product")], ["block", t("block_trains")], ["wagonload", t("wagonload")]];
  const product = select("product", products, state.product);
  const form = el(
    "form",
    { class: "controls" },
    suggestions("zones", zones),
    labelled(t("from"), from),
    labelled(t("to"), to),
    labelled(t("goods"), sector),
    labelled(t("rail_product"), product),
    labelled(t("scenario"), after),
    el("button", { type: "submit", class: "main" }, t("show_routes")),
    el("button", { type: "button", class: "quiet", click: () => view.go({ from: state.to, to: state.from }) }, t("other_way")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    view.go({ from: keyOf("place", from.value), to: keyOf("place", to.value), sector: sector.value, product: product.value, scenario: after.value });
  });
  fill(panel, el("p", { class: "lead" }, t("corridor_about")), form);
  view.atlas.base();
  void show(view);
}

async function show(view: View): Promise<void> {
  const { state, results, atlas } = view;
  fill(results, waiting(t("searching")));
  const asked = { from: state.from, to: state.to, commodity: state.sector, k: MOST };
  const given = {
    ...asked,
    ...(state.product ? { product: state.product } : {}),
    ...(state.scenario ? { scenario: state.scenario } : {}),
  };
  const address = query("/api/routes", given);
  let found: Routes;
  try {
    found = await ask<Routes>(address, view.signal);
  } catch (error) {
    if (!stopped(error)) fill(results, problem(error));
    if (!stopped(error)) atlas.clear();
    return;
  }
  // An airport code or another name may have been typed: show the place that was found.
  for (const [id, place] of [["from", found.from], ["to", found.to]] as const) {
    const input = view.panel.querySelector<HTMLInputElement>(`#${id}`);
    if (input && document.activeElement !== input) input.value = name("place", place);
  }
  const heading = `${name("place", found.from)} – ${name("place", found.to)}`;
  const detail = el("div", { id: "legs" });
  const { k: _, ...pair } = given;
  const others = el("div", {}, waiting(t("searching")));
  const ways = el("details", { id: "ways", class: "same" }, el("summary", {}, t("not_taken")), others);
  // Searched only once they are asked for.
  ways.addEventListener("toggle", () => {
    if (!ways.open) return;
    void once<Ways>(query("/api/ways", pair)).then(
      (all) => fill(others, ...notTaken(all)),
      (error: unknown) => fill(others, problem(error)),
    );
  });
  const choose = (n: number): void => {
    atlas.routes(found.routes, n, choose);
    for (const [k, button] of buttons.entries()) button.setAttribute("aria-pressed", String(k === n));
    const route = found.routes[n];
    if (route) fill(detail, ...legs(route, n));
  };
  const buttons = found.routes.map((route, n) => card(route, n, () => choose(n)));
  const words = ["landbridge", "route", quoted(found.from), quoted(found.to), "--commodity", state.sector, "-k", String(MOST), "--legs"];
  if (state.product) words.push("--product", state.product);
  if (state.scenario) words.push("--scenario", state.scenario);
  const unused = ["landbridge", "ways", ...words.slice(2, 6), ...words.slice(9)];
  const ends = [found.from, found.to].map(python).join(", ");
  const options = `commodity=${python(state.sector)}, k=${MOST}${state.product ? `, product=${python(state.product)}` : ""}`;
  const call = state.scenario
    ? `lb.route_after(world, ${python(state.scenario)}, ${ends}, ${options})`
    : `lb.route(world, ${ends}, ${options})`;
  const rest = [
    python(state.sector),
    ...(state.product ? [`product=${python(state.product)}`] : []),
    ...(state.scenario ? [`scenario=${python(state.scenario)}`] : []),
  ].join(", ");
  const listed = found.routes.reduce((sum, route) => sum + route.share, 0);
  const kind = t(found.product === "block" ? "block_trains" : "wagonload");
  fill(
    results,
    el("h2", {}, heading),
    el("p", { class: "small" }, [name("sector", found.commodity), state.scenario && term("scenario", state.scenario), t("per_teu")].filter(Boolean).join(" · ")),
    el("ol", { class: "cards" }, ...buttons.map((button) => el("li", {}, button))),
    el("p", { class: "small" }, t("share_about")),
    el(
      "p",
      { class: "small" },
      `${t("rail_product")}: ${kind} · ${t("part_of_pair")}: ${share(found.product_share)} · ${t("not_listed")}: ${share(Math.max(0, 1 - listed))}`,
    ),
    ways,
    detail,
    same({
      command: `${words.join(" ")}\n${unused.join(" ")}`,
      python: `import landbridge as lb\n\nworld = lb.load()\nprint(${call})\nprint(lb.ways(world, ${ends}, ${rest}))`,
      links: [
        [t("page"), address.replace("/api", "")],
        ["JSON", address],
        ["GeoJSON", "/api/network.geojson"],
      ],
    }),
  );
  atlas.legend(el("p", {}, t("legend_routes")));
  choose(0);
}

// Ways that carry little or nothing, each with the reason.
function notTaken(all: Ways): HTMLElement[] {
  const lines = (way: Ways["ways"][number], planned: boolean): string[] => {
    const some = way.shut.filter((one) => (one.status === "planned") === planned);
    return [...new Set(some.map((one) => (one.gateway ? name("gateway", one.gateway) : `${name("place", one.from)} – ${name("place", one.to)}`)))];
  };
  const said = (way: Ways["ways"][number]): string => {
    if (way.reason === "little") return `${t("reason_little")}: ${share(way.share)}`;
    if (way.reason === "detour") return `${t("reason_detour")}: ${number(way.cost_ratio, 1)}`;
    if (way.reason === "barred") return t("reason_barred");
    const parts: [string, string[]][] = [
      [t("reason_closed"), lines(way, false)],
      [t("reason_planned"), lines(way, true)],
    ];
    return parts.filter(([, some]) => some.length > 0).map(([text, some]) => `${text}: ${some.join(", ")}`).join("; ");
  };
  const rows = all.ways.map((way) => {
    const { colour, dash } = familyStyle(way.family);
    const via = el("span", { class: "small" }, way.gateways.map((id) => name("gateway", id)).join(" · "));
    const head = el("span", {}, stroke(colour, 4, dash), ` ${term("family", way.family)} `);
    return [el("span", {}, head, via), said(way), number(way.more_h / 24, 1, true), number(way.more_usd, 0, true)];
  });
  const heads = [t("way"), t("reason"), t("days"), "USD"];
  const about = [`${t("not_taken_about")} ${share(all.little)}.`];
  if (all.ways.some((way) => way.reason === "little" && way.cost_ratio < 1)) about.push(t("not_taken_counts"));
  return [el("p", { class: "small" }, about.join(" ")), table(t("not_taken"), heads, rows, 2)];
}

function card(route: Route, n: number, choose: () => void): HTMLButtonElement {
  const { colour, dash } = familyStyle(route.family);
  const via = [term("family", route.family), ...route.gateways.map((id) => name("gateway", id))].join(" · ");
  return el(
    "button",
    { type: "button", class: "card", "aria-pressed": "false", click: choose },
    el("span", { class: "head" }, el("b", {}, `${n + 1}`), stroke(colour, 5, dash), ` ${called(route)}`),
    el(
      "span",
      { class: "figures" },
      figure(`${days(route.time_h)}`, `${t("days")} (${days(route.time_p05_h)}–${days(route.time_p95_h)})`),
      figure(number(route.cost_usd), "USD"),
      figure(number(route.co2e_kg), t("kg_co2e")),
      figure(share(route.share), t("share")),
    ),
    el("span", { class: "via small" }, via),
  );
}

// The name of a route, as the command prints it.
const called = (route: Route): string => inWords({ en: route.name, ru: route.name_ru, zh: route.name_zh });

const figure = (value: string, unit: string): HTMLElement => el("span", {}, el("b", {}, value), " ", unit);

// Legs of one route with each of their terms.
function legs(route: Route, n: number): HTMLElement[] {
  const rows = route.legs.flatMap((leg) => [legRow(leg), ...leg.terms.filter(() => leg.terms.length > 1).map(termRow)]);
  const total = [t("total"), "", number(route.time_h, 1), number(route.cost_usd), number(route.co2e_kg), number(route.distance_km)];
  const heads = [t("leg"), t("how"), t("hours"), "USD", t("kg_co2e"), t("km")];
  const title = `${t("legs_of")} ${n + 1}: ${called(route)}`;
  return [el("h3", {}, title), table(title, heads, [...rows, total], 2)];
}

function legRow(leg: Leg): (string | Node)[] {
  const at = [leg.from, leg.to].map((id) => name("place", id));
  const where = leg.from === leg.to ? at[0] : at.join(" → ");
  const how = `${term("mode", leg.mode)}, ${term("operation", leg.operation)}`;
  return [where ?? "", how, number(leg.time_h, 1), number(leg.cost_usd), number(leg.co2e_kg), number(leg.distance_km)];
}

const termRow = (one: { name: string; time_h: number; cost_usd: number; co2e_kg: number }): (string | Node)[] => [
  el("span", { class: "term" }, term("part", one.name)),
  "",
  number(one.time_h, 1),
  number(one.cost_usd),
  number(one.co2e_kg),
  "",
];
