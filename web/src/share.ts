// The same view as a command, as Python and as TOML, and as files.
import { el } from "./dom";
import { t } from "./words";

export interface Same {
  command: string;
  python: string;
  toml?: string;
  links: [string, string][]; // text and address of files
}

export function same(view: Same): HTMLElement {
  const blocks: [string, string][] = [
    [t("as_command"), view.command],
    ["Python", view.python],
  ];
  if (view.toml) blocks.push(["TOML", view.toml]);
  return el(
    "details",
    { class: "same" },
    el("summary", {}, t("same")),
    ...blocks.map(([title, code]) => block(title, code)),
    el("p", {}, ...view.links.flatMap(([text, to]) => [el("a", { href: to, download: "" }, text), " "])),
  );
}

function block(title: string, code: string): HTMLElement {
  const said = el("span", { role: "status" });
  const copy = el("button", { type: "button", class: "quiet", click: () => void put() }, `${t("copy")} (${title})`);
  async function put(): Promise<void> {
    try {
      await navigator.clipboard.writeText(code);
      said.textContent = t("copied");
    } catch {
      said.textContent = t("copy_by_hand");
    }
  }
  return el("div", {}, el("pre", { tabindex: 0, "aria-label": title }, code), copy, " ", said);
}

export function save(fileName: string, kind: string, content: BlobPart): void {
  const address = URL.createObjectURL(new Blob([content], { type: kind }));
  const link = el("a", { href: address, download: fileName });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the download begins after the click
}

// Twice the points of the screen, for slides. The policy of the page allows an image only as data.
export async function savePng(fileName: string, picture: string): Promise<void> {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(picture)}`;
  const found = await drawn(image).catch(() => null);
  // A browser that cannot draw it gives what it was to be drawn from.
  if (found) save(fileName, "image/png", found);
  else save(fileName.replace(/png$/, "svg"), "image/svg+xml", picture);
}

async function drawn(image: HTMLImageElement): Promise<Blob | null> {
  await image.decode();
  const canvas = el("canvas", { width: 2 * image.width, height: 2 * image.height });
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((give) => canvas.toBlob(give, "image/png"));
}

const bare = /^[\w.:/-]+$/;
export const quoted = (text: string): string => (bare.test(text) ? text : `"${text.replace(/(["\\$`])/g, "\\$1")}"`);
export const python = (text: string): string => JSON.stringify(text);
