// Door 3: choose or make a scenario, solve it, compare it with another.
import { once, type Base, type Feature } from "./api";
import { ADDED, CHANGED, kilometres, linkName, REMOVED } from "./atlas";
import { el, fill, labelled, stroke } from "./dom";
import { income, result } from "./result";
import { caseOf, known, ranged, solve, toml, type Case, type Solved } from "./run";
import { python, same } from "./share";
import type { Change } from "./state";
import { bundled, keyOf, name, names, number, t, term } from "./words";
import { problem, select, stopped, suggestions, type View } from "./view";

const MODES = ["rail-1435", "rail-1520", "road"];
// Length of a new line over that of the great circle, where none is given.
const WINDING = 1.25;

export function scenario(view: View): void {
  const { state, panel } = view;
  const options: [string, string][] = [["", t("no_scenario")], ...bundled().map((id): [string, string] => [id, term("scenario", id)])];
  const start = select("start", options, state.scenario);
  start.addEventListener("change", () => view.go({ scenario: start.value }));
  const run = el("button", { type: "button", class: "main", id: "run", disabled: empty(caseOf(state)) }, t("run"));
  const others: [string, string][] = [["", t("nobody")], ...bundled().filter((id) => id !== state.scenario || state.changes.length > 0).map((id): [string, string] => [id, term("scenario", id)])];
  const other = select("other", others, state.other);
  other.addEventListener("change", () => view.go({ other: other.value }));
  run.addEventListener("click", () => void work(view, run));
  fill(
    panel,
    el("p", { class: "lead" }, t("scenario_about")),
    el("div", { class: "controls" }, whole(labelled(t("start_from"), start))),
    state.scenario ? el("p", { class: "small" }, term("description", state.scenario)) : null,
    ...editors(view),
    changes(view),
    el("div", { class: "controls" }, whole(labelled(t("compare_with"), other)), run),
  );
  void once<Base>("/api/base");
  draw(view);
  const held = known(caseOf(state));
  const beside: Case | null = state.other ? { scenario: state.other, changes: [] } : null;
  if (held && (!beside || known(beside))) void work(view, run);
  else if (!empty(caseOf(state))) fill(view.results, sharing(view));
}

const empty = (one: Case): boolean => one.scenario === "" && one.changes.length === 0;
const whole = (label: HTMLElement): HTMLElement => {
  label.classList.add("whole");
  return label;
};

async function work(view: View, run: HTMLButtonElement): Promise<void> {
  const { state, results, signal } = view;
  run.disabled = true;
  try {
    const asked: Case[] = [caseOf(state), ...(state.other ? [{ scenario: state.other, changes: [] }] : [])];
    const found: Solved[] = [];
    for (const one of asked) found.push(await solve(one, results, signal));
    const base = (await once<{ base: Base }>("/api/base")).base;
    const first = found[0] as Solved;
    if (signal.aborted) return;
    const titles = [titleOf(view), state.other ? term("scenario", state.other) : ""];
    fill(results, ...result(view, base, found, titles), sharing(view, first.job.self, first.job.result));
    draw(view);
    view.atlas.changes(first.network);
    void ranges(view, asked, found, titles);
  } catch (error) {
    if (!signal.aborted && !stopped(error)) fill(results, problem(error), sharing(view));
  } finally {
    run.disabled = false;
  }
}

// The ranges follow the answer and take its place; without them the answer stays as it is.
async function ranges(view: View, asked: Case[], found: Solved[], titles: string[]): Promise<void> {
  const { results, signal } = view;
  // The last one first: the server still has it.
  for (const [n, one] of [...asked.entries()].reverse()) {
    try {
      found[n] = await ranged(one, found[n] as Solved, signal);
    } catch {
      if (!signal.aborted) found[n] = { ...(found[n] as Solved), rangeless: true }; // the server is gone
    }
    if (signal.aborted) return;
  }
  const gains = income(found, titles.slice(0, found.length));
  gains.setAttribute("aria-live", "off"); // the answer was read before
  results.querySelector("#gains")?.replaceWith(gains);
  const old = results.querySelector<HTMLDetailsElement>("details.same");
  const now = sharing(view, found[0]?.job.self, found[0]?.job.result) as HTMLDetailsElement;
  now.open = old?.open ?? false;
  old?.replaceWith(now);
}

function titleOf({ state }: View): string {
  const named = state.scenario ? term("scenario", state.scenario) : "";
  return state.changes.length === 0 ? named : [named, t("own_changes")].filter(Boolean).join(" + ");
}

function sharing(view: View, self = "", address = ""): HTMLElement {
  const { state } = view;
  const own = state.changes.length > 0;
  const file = own ? "mine.toml" : state.scenario;
  const links: [string, string][] = self
    ? [
        [t("page"), address.replace("/api", "")],
        ["JSON", address],
        ["GeoJSON", `${self}/network.geojson`],
      ]
    : [];
  return same({
    command: `landbridge run ${file}${state.other ? `\nlandbridge compare ${file} ${state.other}` : ""}`,
    python: `import landbridge as lb\n\nworld = lb.load()\nafter = lb.run(world, ${python(file)})\nprint(after.compare().real_income)`,
    ...(own ? { toml: toml(caseOf(state)) } : {}),
    links,
  });
}

// -- changes ---------------------------------------------------------------------------------------------

function changes(view: View): HTMLElement {
  const { state } = view;
  const without = (n: number) => state.changes.filter((_, k) => k !== n);
  const rows = state.changes.map((change, n) =>
    el(
      "li",
      {},
      swatch(kindOf(change)),
      el("span", {}, described(view, change)),
      el(
        "button",
        { type: "button", class: "quiet", "aria-label": `${t("remove")}: ${described(view, change)}`, click: () => view.go({ changes: without(n) }) },
        t("remove"),
      ),
    ),
  );
  const undo = el(
    "button",
    { type: "button", class: "quiet", id: "undo", click: () => view.go({ changes: state.changes.slice(0, -1) }) },
    t("undo"),
  );
  return el(
    "section",
    { id: "changes" },
    el("h2", {}, t("changes")),
    rows.length > 0 ? el("ul", { class: "list" }, ...rows) : el("p", { class: "small" }, t("no_changes")),
    rows.length > 0 && undo,
  );
}

type Kind = "added" | "removed" | "changed";
const kindOf = (change: Change): Kind => {
  const verb = String(change["verb"]);
  if (change["status"] === "open") return "added"; // a planned line
  if (change["status"] === "closed") return "removed";
  return verb.startsWith("add") ? "added" : verb.startsWith("close") || verb.startsWith("cut") ? "removed" : "changed";
};
const swatch = (kind: Kind): SVGSVGElement =>
  ({ added: stroke(ADDED, 5), removed: stroke(REMOVED, 4, "2 7"), changed: stroke(CHANGED, 4, "10 5") })[kind];

function described(view: View, change: Change): string {
  const key = `verb_${String(change["verb"])}`;
  const verb = t(key) === key ? String(change["verb"]) : t(key);
  const gateway = change["gateway"];
  if (gateway !== undefined) {
    const hours = change["time_h"];
    const shown = hours === undefined ? "" : `: ${t("hours_word")} ${amount(hours)}`;
    return `${verb}: ${name("gateway", String(gateway))}${shown}`;
  }
  const link = view.atlas.links.get(String(change["link"] ?? ""));
  if (link) return `${verb}: ${linkName(link)}`;
  if (change["from"] !== undefined) {
    const ends = [change["from"], change["to"]].map((id) => name("place", String(id))).join(" – ");
    return `${verb}: ${ends} (${term("mode", String(change["mode"]))}, ${number(Number(change["length_km"]))} ${t("km")})`;
  }
  return `${verb}: ${JSON.stringify(change)}`;
}

function amount(value: Change[string]): string {
  if (typeof value !== "object") return `= ${value}`;
  return "multiply" in value ? `× ${number(value.multiply, 2)}` : `${number(value.add, 1, true)}`;
}

function draw(view: View): void {
  const { atlas, state } = view;
  atlas.clear();
  for (const change of state.changes) mark(view, change);
  if (state.scenario)
    void once<Record<string, { modification?: Change[] }>>(`/api/scenarios/${encodeURIComponent(state.scenario)}`)
      .then((found) => {
        if (!view.signal.aborted) for (const change of found[state.scenario]?.modification ?? []) mark(view, change);
      })
      .catch(() => undefined); // the marks are left out
  const row = (kind: Kind) => el("p", { class: "row" }, swatch(kind), t(kind));
  atlas.legend(
    row("added"),
    row("removed"),
    row("changed"),
    el("p", { class: "row" }, stroke(ADDED, 6), t("more_freight")),
    el("p", { class: "row" }, stroke(REMOVED, 6, "3 6"), t("less_freight")),
  );
}

// Draws one change; a gateway or link may also be a list of them.
function mark({ atlas }: View, change: Change): void {
  const listed = (key: string): string[] => [change[key] ?? []].flat().map(String);
  const kind = kindOf(change);
  for (const gateway of listed("gateway")) atlas.mark(kind, { gateway });
  for (const link of listed("link")) atlas.mark(kind, { link });
  const [from, to] = [change["from"], change["to"]];
  if (from !== undefined && to !== undefined) atlas.mark(kind, { ends: [String(from), String(to)] });
}

// -- editors ---------------------------------------------------------------------------------------------

function editors(view: View): HTMLElement[] {
  const { state, atlas } = view;
  const put = (change: Change): void => view.go({ changes: [...state.changes, change] });
  const gateway = ofGateway(view, put);
  const link = ofLink(view, put);
  const line = ofLine(view, put);
  atlas.base({
    gateway: (id) => gateway.choose(id),
    link: (id) => link.choose(id),
    place: (id) => line.choose(id),
  });
  return [el("p", { class: "small" }, t("click_map")), gateway.editor, link.editor, line.editor];
}

interface Editor {
  editor: HTMLDetailsElement;
  choose: (id: string) => void;
}

function form(title: string, id: string, ...fields: HTMLElement[]): { editor: HTMLDetailsElement; form: HTMLFormElement } {
  const made = el("form", { class: "controls" }, ...fields, el("button", { type: "submit" }, t("add_change")));
  const editor = el("details", { id, class: "editor" }, el("summary", {}, title), made);
  made.addEventListener("submit", (event) => event.preventDefault());
  return { editor, form: made };
}

// Opens one editor, shuts the others and moves the keyboard there.
function open(editor: HTMLDetailsElement): void {
  for (const one of document.querySelectorAll<HTMLDetailsElement>("details.editor")) one.open = one === editor;
  editor.scrollIntoView({ block: "nearest" });
}

function ofGateway(view: View, put: (change: Change) => void): Editor {
  const which = el("input", { id: "gateway", list: "gateways", required: true, autocomplete: "off" });
  const what = select(
    "what",
    [
      ["close", t("close")],
      ["half", t("half_hours")],
      ["multiply", t("multiply_hours")],
      ["add", t("add_hours")],
    ],
    "close",
  );
  const value = el("input", { id: "value", type: "number", step: "any", value: "0.5", disabled: true });
  what.addEventListener("change", () => {
    value.disabled = !["multiply", "add"].includes(what.value);
    value.value = what.value === "add" ? "-6" : "0.5";
  });
  // The page on where its hours are from.
  const why = el("a", { class: "whole small", target: "_blank", hidden: true }, t("why_hours"));
  const explain = (): void => {
    const id = keyOf("gateway", which.value);
    why.hidden = !view.atlas.gateways.has(id);
    why.href = `/why?figure=${encodeURIComponent(`time_h of ${id}`)}`;
  };
  const of = names("gateway").filter(([id]) => view.atlas.gateways.has(id));
  const made = form(
    t("of_gateway"),
    "of-gateway",
    suggestions("gateways", of),
    whole(labelled(t("gateway"), which)),
    labelled(t("what"), what),
    labelled(t("value"), value),
    why,
  );
  made.form.addEventListener("submit", () => {
    const id = keyOf("gateway", which.value);
    if (!view.atlas.gateways.has(id)) return refuse(which);
    if (what.value === "close") return put({ verb: "close_gateway", gateway: id });
    const by = what.value === "half" ? 0.5 : Number(value.value);
    put({ verb: "change_gateway", gateway: id, time_h: what.value === "add" ? { add: by } : { multiply: by } });
  });
  which.addEventListener("input", () => {
    which.setCustomValidity("");
    explain();
  });
  return {
    editor: made.editor,
    choose: (id) => {
      open(made.editor);
      which.value = name("gateway", id);
      explain();
      what.focus();
    },
  };
}

function refuse(input: HTMLInputElement): void {
  input.setCustomValidity(t("from_list"));
  input.reportValidity();
}

function ofLink(view: View, put: (change: Change) => void): Editor {
  const closable = [...view.atlas.links.values()].filter((one) => one.properties["status"] === "open");
  const shown = (one: Feature): string => `${linkName(one)} ${String(one.properties["link"])}`;
  const by = new Map(closable.map((one): [string, string] => [shown(one), String(one.properties["link"])]));
  const which = el("input", { id: "link", list: "links", required: true, autocomplete: "off" });
  const made = form(
    t("of_link"),
    "of-link",
    suggestions("links", [...by].map(([text, id]) => [id, text])),
    whole(labelled(t("link"), which)),
  );
  made.form.addEventListener("submit", () => {
    const id = by.get(which.value) ?? which.value.trim();
    if (!view.atlas.links.has(id)) return refuse(which);
    put({ verb: "close_link", link: id });
  });
  which.addEventListener("input", () => which.setCustomValidity(""));
  return {
    editor: made.editor,
    choose: (id) => {
      open(made.editor);
      const found = view.atlas.links.get(id);
      if (found) which.value = shown(found);
      (made.form.querySelector("button") as HTMLButtonElement).focus();
    },
  };
}

function ofLine(view: View, put: (change: Change) => void): Editor {
  const { places } = view.atlas;
  const of = names("place").filter(([id]) => places.has(id));
  const from = el("input", { id: "line-from", list: "places", required: true, autocomplete: "off" });
  const to = el("input", { id: "line-to", list: "places", required: true, autocomplete: "off" });
  const mode = select("line-mode", MODES.map((one) => [one, term("mode", one)]), "rail-1435");
  const length = el("input", { id: "line-km", type: "number", min: 0.1, max: 40000, step: "any", required: true });
  const measure = (): void => {
    const [a, b] = [places.get(keyOf("place", from.value)), places.get(keyOf("place", to.value))];
    if (a && b) length.value = String(Math.round(WINDING * kilometres(a, b)));
  };
  for (const one of [from, to])
    one.addEventListener("input", () => {
      one.setCustomValidity("");
      measure();
    });
  const made = form(
    t("of_line"),
    "of-line",
    suggestions("places", of),
    labelled(t("from"), from),
    labelled(t("to"), to),
    labelled(t("mode"), mode),
    labelled(`${t("length")} (${t("km")})`, length),
    whole(el("p", { class: "small" }, t("length_about"))),
  );
  made.form.addEventListener("submit", () => {
    const ends = [from, to].map((one) => keyOf("place", one.value));
    for (const [n, one] of [from, to].entries()) if (!places.has(ends[n] ?? "")) return refuse(one);
    put({ verb: "add_link", from: ends[0] ?? "", to: ends[1] ?? "", mode: mode.value, length_km: Number(length.value) });
  });
  return {
    editor: made.editor,
    choose: (id) => {
      open(made.editor);
      const end = from.value === "" || to.value !== "" ? from : to;
      if (end === from) to.value = "";
      end.value = name("place", id);
      measure();
      (end === from ? to : length).focus();
    },
  };
}
