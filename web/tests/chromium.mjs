// Headless Chromium for the tests: that of LANDBRIDGE_CHROMIUM, else the one of @sparticuz/chromium.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";

// Where it is unpacked: next to the package, so that no other program's file is taken for it.
const room = fileURLToPath(new URL("../node_modules/.chromium", import.meta.url));

export async function open() {
  const own = process.env.LANDBRIDGE_CHROMIUM;
  if (own) return puppeteer.launch({ executablePath: own, args: ["--no-sandbox"], headless: "shell" });
  mkdirSync(room, { recursive: true });
  process.env.TMPDIR = room;
  const { default: chromium } = await import("@sparticuz/chromium");
  const launch = async () =>
    puppeteer.launch({
      executablePath: await chromium.executablePath(),
      args: [...chromium.args, "--no-sandbox"],
      headless: "shell",
    });
  try {
    return await launch();
  } catch (error) {
    if (!String(error).includes("shared librar")) throw error;
    // A machine without a desktop lacks NSS: the package holds those libraries too.
    const { inflate } = await import(new URL("./lambdafs.js", import.meta.resolve("@sparticuz/chromium")));
    const bin = fileURLToPath(new URL("../../bin/al2023.tar.br", import.meta.resolve("@sparticuz/chromium")));
    const folder = await inflate(bin);
    process.env.LD_LIBRARY_PATH = [`${folder}/lib`, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
    return launch();
  }
}
