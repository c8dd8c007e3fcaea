// Words, names and numbers in the language that is chosen.
import { once, type Words } from "./api";

export const LANGUAGES: Record<string, string> = { en: "English", ru: "Русский", zh: "中文" };

// Until the words are there, which a server that does not answer never sends.
const SILENT: Words = {
  lang: "en",
  words: { no_connection: "The server does not answer. Is landbridge serve still running?" },
  boundaries: "",
  terms: {},
  names: {},
  scenarios: [],
};
let spoken = SILENT;

export async function speak(lang: string): Promise<void> {
  spoken = await once<Words>(`/api/words?lang=${lang}`);
  document.documentElement.lang = lang === "zh" ? "zh-Hans" : lang;
}

// The one of several texts that is in the language chosen, else the first.
export const inWords = (texts: Record<string, string>): string => texts[spoken.lang] ?? texts["en"] ?? "";

export const lang = (): string => spoken.lang;
const own = (of: Record<string, string> | undefined, key: string): string => (of && Object.hasOwn(of, key) ? (of[key] ?? key) : key);
export const t = (key: string): string => own(spoken.words, key);
export const term = (kind: string, value: string): string => own(spoken.terms[kind], value);
export const name = (kind: string, id: string): string => own(spoken.names[kind], id);
export const names = (kind: string): [string, string][] => Object.entries(spoken.names[kind] ?? {});
// How a figure is known, in the language.
export const basis = (id: string): string =>
  ({ observed: t("observed"), published: t("published"), derived: t("derived"), assumption: t("assumption") })[id] ?? id;
export const bundled = (): string[] => spoken.scenarios;
export const boundaries = (): string => spoken.boundaries;

export function number(value: number | null | undefined, digits = 0, signed = false): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const style: Intl.NumberFormatOptions = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  if (signed) style.signDisplay = "exceptZero";
  return new Intl.NumberFormat(spoken.lang, style).format(value);
}

// Digits enough to read a small change.
export function percent(value: number | null | undefined, signed = true): string {
  if (value === null || value === undefined) return "–";
  const digits = Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 3;
  return number(value, digits, signed);
}

export const share = (value: number): string => {
  const digits = value > 0 && value < 0.01 ? 2 : value < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(spoken.lang, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
};

export const days = (hours: number): string => number(hours / 24, 1);

// The key of a value in a list of names, whatever language it was typed in: an exact name, else the text.
export function keyOf(kind: string, text: string): string {
  const wanted = text.trim().toLocaleLowerCase();
  const found = names(kind).find(([id, shown]) => id.toLocaleLowerCase() === wanted || shown.toLocaleLowerCase() === wanted);
  return found ? found[0] : text.trim();
}
