// What the server answers, and how it is asked.

export interface Fault {
  where: string;
  what: string;
  cure: string;
}

export class Refused extends Error {
  constructor(
    readonly what: string,
    readonly faults: Fault[],
  ) {
    super(what);
  }
}

export interface Term {
  name: string;
  time_h: number;
  cost_usd: number;
  co2e_kg: number;
}

export interface Leg {
  from: string;
  to: string;
  from_name: string;
  to_name: string;
  mode: string;
  operation: string;
  link: string | null;
  time_h: number;
  cost_usd: number;
  co2e_kg: number;
  distance_km: number;
  terms: Term[];
}

export interface Route {
  name: string;
  name_ru: string;
  name_zh: string;
  family: string;
  family_share: number;
  mode_class: string;
  share: number;
  time_h: number;
  time_p05_h: number;
  time_p95_h: number;
  cost_usd: number;
  co2e_kg: number;
  distance_km: number;
  transfers: number;
  gateways: string[];
  legs: Leg[];
}

export interface Routes {
  from: string;
  to: string;
  commodity: string;
  product: string;
  product_share: number;
  per: string;
  routes: Route[];
}

export type Row = Record<string, string | number | null>;

export interface Result {
  real_income: Row[];
  groups: Row[];
  corridors: Row[];
  gateways: Row[];
  transit: Row[];
  indicators: Row[];
  notes: string[];
}

export interface Base {
  corridors: Row[];
  gateways: Row[];
  transit: Row[];
  indicators: Row[];
  value_added: Row[];
}

export interface Feature {
  geometry: { type: string; coordinates: number[] | number[][] } | null;
  properties: Record<string, string | number | boolean | null>;
}

export interface Network {
  features: Feature[];
  landbridge: { year: number; boundaries: string; attribution: string[] };
}

export interface Reach {
  from: string;
  places: { place: string; time_h: number; quickest_h: number; quickest_family: string }[];
}

export interface Ways {
  little: number;
  ways: {
    family: string;
    reason: string;
    share: number;
    more_h: number;
    more_usd: number;
    cost_ratio: number;
    gateways: string[];
    shut: { from: string; to: string; gateway: string | null; status: string }[];
  }[];
}

export interface Gas {
  year: number;
  contracts: {
    exporter: string;
    importer: string;
    due_bcm: number;
    line_names: string[];
    through: string[];
    source: string;
    year: number;
    basis: string;
  }[];
  balances: { country: string; output_bcm: number; use_bcm: number; source: string; year: number; basis: string }[];
}

export interface Words {
  lang: string;
  words: Record<string, string>;
  boundaries: string;
  terms: Record<string, Record<string, string>>;
  names: Record<string, Record<string, string>>;
  scenarios: string[];
}

export interface Job {
  job: string;
  state: string;
  self: string;
  events: string;
  result: string;
}

async function read(reply: Response): Promise<unknown> {
  const body: unknown = await reply.json();
  if (reply.ok) return body;
  const error = (body as { error?: { what: string; faults: Fault[] } }).error;
  throw new Refused(error?.what ?? `HTTP ${reply.status}`, error?.faults ?? []);
}

export async function raw<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await read(await fetch(path, signal ? { signal } : {}))) as T;
}

// The result of an answer in the form of every `--json`.
export async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await raw<{ result: T }>(path, signal)).result;
}

const kept = new Map<string, Promise<unknown>>();

// Asked once and kept; a failure is forgotten.
export function once<T>(path: string, how: (path: string) => Promise<T> = ask): Promise<T> {
  const found = kept.get(path);
  if (found) return found as Promise<T>;
  const asked = how(path);
  kept.set(path, asked);
  asked.catch(() => kept.delete(path));
  return asked;
}

export function query(path: string, values: Record<string, string | number>): string {
  const pairs = Object.entries(values).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return `${path}?${pairs.join("&")}`;
}

export async function begin(path: string, body?: unknown): Promise<Job> {
  const sent: RequestInit = { method: "POST" };
  if (body !== undefined) {
    sent.headers = { "Content-Type": "application/json" };
    sent.body = JSON.stringify(body);
  }
  return ((await read(await fetch(path, sent))) as { result: Job }).result;
}

// Waits until a job has ended; tells its progress. Raises Refused where it failed or was cancelled.
export function follow(job: Job, progress: (doing: string, share: number) => void): Promise<void> {
  return new Promise((done, failed) => {
    const events = new EventSource(job.events);
    const end = (finish: () => void) => {
      events.close();
      finish();
    };
    events.addEventListener("progress", (event) => {
      const { doing, share } = JSON.parse((event as MessageEvent<string>).data) as { doing: string; share: number };
      progress(doing, share);
    });
    events.addEventListener("done", () => end(done));
    for (const state of ["failed", "cancelled"])
      events.addEventListener(state, (event) =>
        end(() => {
          const { error } = JSON.parse((event as MessageEvent<string>).data) as {
            error?: { what: string; faults: Fault[] };
          };
          failed(new Refused(error?.what ?? state, error?.faults ?? []));
        }),
      );
    // The stream broke: the job may have ended, or the server.
    events.onerror = () =>
      void ask<{ state: string }>(job.self).then(
        ({ state }) => state === "done" && end(done),
        (error: unknown) => end(() => failed(error as Error)),
      );
  });
}

export async function cancel(job: Job): Promise<void> {
  await fetch(job.self, { method: "DELETE" });
}
