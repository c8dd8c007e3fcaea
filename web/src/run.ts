// A scenario as the server, a file and a command take it, and its solve with progress.
import { ask, begin, cancel, follow, raw, type Job, type Network, type Result } from "./api";
import { el, fill } from "./dom";
import type { Change, State } from "./state";
import { t } from "./words";

export interface Case {
  scenario: string; // bundled, "" for none
  changes: Change[];
}

export interface Solved {
  job: Job;
  result: Result;
  network: Network;
  rangeless?: boolean; // its range was asked for and could not be solved
}

export const caseOf = (state: State): Case => ({ scenario: state.scenario, changes: state.changes });
const key = (one: Case): string => JSON.stringify([one.scenario, one.changes]);

export function body(one: Case): Record<string, unknown> {
  const head: Record<string, unknown> = { name: title(one) };
  if (one.scenario) head["extends"] = one.scenario;
  return { ...head, modification: one.changes };
}

const title = (one: Case): string => (one.scenario ? `${one.scenario} and changes` : "drawn on the map");

export function toml(one: Case): string {
  const lines = [`name = ${JSON.stringify(title(one))}`];
  if (one.scenario) lines.push(`extends = ${JSON.stringify(one.scenario)}`);
  for (const change of one.changes) {
    lines.push("", "[[modification]]");
    for (const [name, value] of Object.entries(change)) lines.push(`${name} = ${written(value)}`);
  }
  return `${lines.join("\n")}\n`;
}

function written(value: Change[string]): string {
  if (typeof value !== "object") return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([name, inner]) => `${name} = ${JSON.stringify(inner)}`).join(", ")} }`;
}

const post = (one: Case, range: "yes" | "no"): Promise<Job> =>
  one.changes.length > 0 ? begin(`/api/run?range=${range}`, body(one)) : begin(`/api/run/${encodeURIComponent(one.scenario)}?range=${range}`);

// Whether a case has a range: of draws that come with the data, else from both ends of phi_b.
export const drawn = (one: Solved): boolean => one.result.real_income.some((row) => typeof row["percent_p05"] === "number");
export const ended = (one: Solved): boolean => one.result.real_income.some((row) => typeof row["percent_phi_b_low"] === "number");

// The solves of this visit, so that another language or a comparison does not ask again.
const solves = new Map<string, Solved>();
export const known = (one: Case): Solved | undefined => solves.get(key(one));

// Solves a case; shows progress and a button to cancel in `place` meanwhile.
export async function solve(one: Case, place: HTMLElement, signal: AbortSignal): Promise<Solved> {
  const found = solves.get(key(one));
  if (found) return found;
  const bar = el("progress", { max: 1, value: 0, "aria-label": t("progress") });
  const doing = el("span", { class: "small", role: "status" }, t("waiting"));
  const stop = el("button", { type: "button", class: "quiet" }, t("cancel"));
  fill(place, el("div", { class: "job" }, bar, stop, doing));
  // A click or another view may come before the server has named the job.
  let [job, unwanted]: [Job | undefined, boolean] = [undefined, signal.aborted];
  const give = (): void => {
    unwanted = true;
    stop.disabled = true;
    if (job) void cancel(job);
  };
  stop.addEventListener("click", give);
  signal.addEventListener("abort", give);
  job = await post(one, "no");
  if (unwanted) void cancel(job);
  try {
    await follow(job, (text, share) => {
      bar.value = share;
      doing.textContent = `${Math.round(100 * share)} % · ${text}`;
    });
  } finally {
    signal.removeEventListener("abort", give); // what has ended cannot be cancelled
  }
  const [result, network] = await Promise.all([ask<Result>(job.result), raw<Network>(`${job.self}/network.geojson`)]);
  const solved = { job, result, network };
  solves.set(key(one), solved);
  return solved;
}

// The same case with the ends of phi_b, two more solves, where no range is known. A view that is left gives up
// what still waits; what runs goes on, since the server keeps its result and an end would cost the next solve.
export async function ranged(one: Case, found: Solved, signal: AbortSignal): Promise<Solved> {
  if (signal.aborted || found.rangeless || drawn(found) || ended(found)) return found;
  const job = await post(one, "yes");
  const leave = (): void => void ask<{ state: string }>(job.self).then(({ state }) => (state === "queued" ? cancel(job) : undefined));
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave, { once: true });
  let solved: Solved;
  try {
    await follow(job, () => undefined);
    solved = { job, result: await ask<Result>(job.result), network: found.network };
  } catch (error) {
    if (signal.aborted) throw error;
    solved = { ...found, rangeless: true };
  } finally {
    signal.removeEventListener("abort", leave);
  }
  solves.set(key(one), solved);
  return solved;
}
