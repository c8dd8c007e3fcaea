// Headless Chromium for the tests: that of LANDBRIDGE_CHROMIUM, else the one of @sparticuz/chromium.
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

export async function open() {
  const own = process.env.LANDBRIDGE_CHROMIUM;
  return puppeteer.launch({
    executablePath: own ?? (await chromium.executablePath()),
    args: [...(own ? [] : chromium.args.filter((one) => !one.includes("user-data-dir"))), "--no-sandbox"],
    headless: "shell",
  });
}
