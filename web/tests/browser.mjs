// Drives the map as a user does: node tests/browser.mjs ADDRESS [FOLDER FOR SCREENSHOTS [BEGINNING OF CHECKS]]
// Prints one line of JSON: {checks: [names of what was seen to work], faults: [what was wrong]}.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { open } from "./chromium.mjs";

const [address, folder, only = ""] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
let expected = false;
const checks = [];
const faults = [];
const browser = await open();
const page = await browser.newPage();
page.setDefaultTimeout(60_000);
page.on("console", (message) => {
  // The browser notes by itself that a request was refused or had no reply.
  const refused = expected && /status of 422|ERR_INTERNET_DISCONNECTED/.test(message.text());
  if (["error", "warn"].includes(message.type()) && !refused) faults.push(`console: ${message.text()}`);
});
page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
page.on("request", (request) => {
  const to = request.url();
  if (!to.startsWith(address) && !to.startsWith("data:") && !to.startsWith("blob:")) faults.push(`request to ${to}`);
});

// Milliseconds for one solve on a machine that is busy.
const SOLVE = 150_000;

async function check(name, work) {
  if (!name.startsWith(only)) return;
  const begin = Date.now();
  try {
    await work();
    checks.push(`${name} (${Date.now() - begin} ms)`);
  } catch (error) {
    faults.push(`${name}: ${error.message.split("\n")[0]}`);
    if (folder) await page.screenshot({ path: `${folder}/fault-${faults.length}.png` }).catch(() => {});
  }
}

function need(found, what) {
  if (!found) throw new Error(what);
}

async function size(width) {
  await page.setViewport({ width, height: width < 600 ? 844 : 800 });
}

async function at(fragment) {
  await page.goto(`${address}map${fragment}`);
}

const text = (selector) => page.$eval(selector, (one) => one.innerText);
const seen = (selector, timeout = 20_000) => page.waitForSelector(selector, { visible: true, timeout });

async function type(selector, words) {
  await page.$eval(selector, (one) => (one.value = ""));
  await page.type(selector, words);
}

async function sound(name) {
  await page.evaluate(axe);
  const bad = await page.evaluate(async () => {
    const found = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return found.violations
      .filter((one) => ["serious", "critical"].includes(one.impact))
      .map((one) => `${one.id}: ${one.nodes[0]?.html.slice(0, 120)}`);
  });
  need(bad.length === 0, `${name}: ${bad.join("; ")}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  need(wide <= 0, `${name}: wider than the screen by ${wide} px`);
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

// Buttons of a part of the page save files: for each its label, file and what it must hold.
async function saved(part, wanted) {
  const room = mkdtempSync(`${tmpdir()}/map-`);
  const session = await page.createCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: room });
  for (const [label, file, holds] of wanted) {
    const found = await page.$$(`${part} button`);
    for (const one of found)
      if ((await one.evaluate((it) => it.textContent)).startsWith(label)) await one.evaluate((it) => it.click());
    let content = Buffer.alloc(0);
    for (let n = 0; n < 100 && content.length === 0; n++) {
      await new Promise((done) => setTimeout(done, 100));
      content = existsSync(`${room}/${file}`) ? readFileSync(`${room}/${file}`) : content;
    }
    need(content.toString("latin1").replaceAll('"', "").includes(holds), `${file} was not saved`);
    if (file.endsWith(".png")) await drawn(content);
    if (folder) writeFileSync(`${folder}/${part.slice(1)}-${file}`, content);
  }
  rmSync(room, { recursive: true });
}

// A picture of the map has twice its points and more than a few colours.
async function drawn(content) {
  const [width, height, colours, map] = await page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    const points = new Uint32Array(pen.getImageData(0, 0, image.width, image.height).data.buffer);
    return [image.width, image.height, new Set(points).size, document.getElementById("map").clientWidth];
  }, content.toString("base64"));
  need(width === 2 * map && height > 200 && colours > 100, `picture of ${width} x ${height} with ${colours} colours`);
}

await size(1280);
await check("first view", async () => {
  const begin = Date.now();
  await page.goto(`${address}map`);
  await seen("#map svg path", 5_000);
  await seen("#panel form");
  need(Date.now() - begin < 4_000, `took ${Date.now() - begin} ms`);
});

await check("corridor: routes of another pair, a leg with its terms", async () => {
  await at("#/corridor?lang=en");
  await seen("#results .card"); // which fills in the names of the places that were found
  await type("#from", "Urumqi");
  await type("#to", "Tashkent");
  await page.click("#panel button.main");
  await page.waitForFunction(() => document.querySelector("#results h2")?.textContent === "Urumqi – Tashkent", { timeout: 20_000 });
  const cards = await page.$$("#results .card");
  need(cards.length > 1, "one route only");
  await cards[1].click();
  need((await page.$eval("#results .card:nth-of-type(1)", (one) => one.getAttribute("aria-pressed"))) !== null, "no state");
  need((await text("#legs h3")).includes("2"), "legs are not those of route 2");
  need((await page.$$("#map path.route")).length >= cards.length, "routes are not on the map");
  need(page.url().includes("from=URC") && page.url().includes("to=TAS"), page.url());
});

await check("corridor: a place that is not known is refused as text", async () => {
  expected = true;
  await at(`#/corridor?lang=en&from=${encodeURIComponent("<img src=x onerror=alert(1)>")}&to=TAS`);
  await seen(".problem");
  need((await page.$$("#results img")).length === 0, "text became HTML");
  expected = false;
});

for (const [lang, width] of [["en", 390], ["ru", 1280], ["zh", 390]])
  await check(`corridor ${lang} ${width}`, async () => {
    await size(width);
    await at(`#/corridor?from=CKG&to=DUI&sector=MCH&lang=${lang}`);
    await page.waitForFunction((wanted) => document.documentElement.lang.startsWith(wanted), {}, lang);
    await seen("#results .card");
    await sound(`corridor-${lang}-${width}`);
  });

await check("corridor: ways not taken, each with its reason", async () => {
  await size(1280);
  for (const [scenario, words] of [["", "northern"], ["suez-closed", "closed: "]]) {
    await at(`#/corridor?from=CKG&to=DUI&sector=MCH&scenario=${scenario}&lang=en`);
    await seen("#ways summary");
    await page.click("#ways summary");
    await seen("#ways table");
    const rows = await page.$$eval("#ways tbody tr", (all) => all.map((one) => one.innerText));
    need(rows.length > 3 && rows.some((one) => one.includes(words)), rows.join("; "));
    need(rows.some((one) => /carries: [\d.]+%/.test(one)) && rows.some((one) => one.includes("not open in the base: ")), rows.join("; "));
  }
});

for (const [lang, width] of [["ru", 390], ["zh", 1280]])
  await check(`corridor: ways not taken ${lang} ${width}`, async () => {
    await size(width);
    await at(`#/corridor?from=URC&to=TAS&lang=${lang}`);
    await page.waitForFunction((wanted) => document.documentElement.lang.startsWith(wanted), {}, lang);
    await seen("#ways summary");
    await page.click("#ways summary");
    await seen("#ways table");
    await sound(`ways-${lang}-${width}`);
  });

await check("keyboard: tab reaches the form, enter shows routes", async () => {
  await size(1280);
  await at("#/corridor?lang=en&from=CKG&to=DUI");
  await seen("#results .card");
  await page.focus("#lang");
  await page.keyboard.press("Tab");
  need((await page.evaluate(() => document.activeElement?.id)) === "from", "focus is elsewhere");
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  need(ring !== "none", "focus cannot be seen");
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type("Almaty");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("#results h2")?.textContent?.startsWith("Almaty"), { timeout: 20_000 });
});

await check("scenario: close a gateway on the map, add a change, undo", async () => {
  await at("#/scenario?lang=en");
  await seen("#of-gateway");
  await page.evaluate(() => scrollTo(0, 0));
  await page.click("#of-gateway summary");
  await type("#gateway", "Khorgos - Altynkol");
  await page.click("#of-gateway button");
  await seen("#changes li");
  need(page.url().includes("khorgos-altynkol"), "the address does not hold the change");
  await page.click("#of-line summary");
  await type("#line-from", "Kashgar");
  await type("#line-to", "Osh");
  need(Number(await page.$eval("#line-km", (one) => one.value)) > 100, "no length");
  await page.click("#of-line button");
  await page.waitForFunction(() => document.querySelectorAll("#changes li").length === 2);
  await page.click("#undo");
  await page.waitForFunction(() => document.querySelectorAll("#changes li").length === 1);
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll("#changes li").length === 2);
  await page.goForward();
  await page.waitForFunction(() => document.querySelectorAll("#changes li").length === 1);
});

await check("scenario: a gateway is chosen by a click on the map", async () => {
  const found = await page.evaluate(() => {
    const circles = [...document.querySelectorAll("#map path.leaflet-interactive")].filter((one) => one.getAttribute("fill") === "#f0e442");
    const map = document.getElementById("map").getBoundingClientRect();
    for (const one of circles) {
      const { x, y, width, height } = one.getBoundingClientRect();
      const [cx, cy] = [x + width / 2, y + height / 2];
      if (cx > map.left + 50 && cx < map.right - 50 && cy > map.top + 50 && cy < map.bottom - 50 && document.elementFromPoint(cx, cy) === one)
        return [cx, cy];
    }
    return null;
  });
  need(found, "no gateway can be seen");
  await page.mouse.click(...found);
  need((await page.$eval("#gateway", (one) => one.value)).length > 3, "no gateway was chosen");
});

await check("scenario: a line is drawn by two clicks on places", async () => {
  const places = await page.evaluate(() => {
    const map = document.getElementById("map").getBoundingClientRect();
    const middles = [...document.querySelectorAll('#map path.leaflet-interactive[fill="#fff"]')].map((one) => {
      const { x, y, width, height } = one.getBoundingClientRect();
      return [one, x + width / 2, y + height / 2];
    });
    return middles
      .filter(([one, x, y]) => x > map.left + 50 && x < map.right - 80 && y > map.top + 50 && y < map.bottom - 50 && document.elementFromPoint(x, y) === one)
      .slice(0, 2)
      .map(([, x, y]) => [x, y]);
  });
  need(places.length === 2, "no two places can be seen");
  for (const place of places) await page.mouse.click(...place);
  const ends = await page.$$eval("#line-from, #line-to", (all) => all.map((one) => one.value));
  need(ends.every((one) => one.length > 1) && ends[0] !== ends[1], `ends: ${ends.join(", ")}`);
  need(Number(await page.$eval("#line-km", (one) => one.value)) > 1, "no length");
});

await check("scenario: cancel, run, who gains, days before and after", async () => {
  const mine = page.url();
  // Hours that no earlier run of this server has solved.
  const hours = { multiply: 0.5 + (Date.now() % 10_000) / 100_000 };
  const changes = JSON.stringify([{ verb: "change_gateway", gateway: "aktau", time_h: hours }]);
  await at(`#/scenario?${new URLSearchParams({ changes, lang: "en" })}`);
  await page.waitForFunction(() => document.querySelector("#changes li")?.textContent?.includes("Aktau"));
  await page.click("#run");
  await seen(".job button");
  await page.click(".job button");
  await seen(".problem", SOLVE);
  await page.goto(mine);
  await page.waitForFunction(() => document.querySelector("#changes li")?.textContent?.includes("Khorgos"));
  await page.click("#run");
  await seen("#income", SOLVE);
  const rows = await page.$$eval("#income tbody tr", (all) => all.map((one) => one.innerText));
  need(rows.some((one) => one.startsWith("Kazakhstan")), "no row of a country");
  need((await text("#results")).includes("Chongqing"), "no corridor");
  await sound("scenario-en-1280");
});

await check("scenario: the range of one's own follows the answer", async () => {
  await page.waitForFunction(() => [...document.querySelectorAll("#income tbody tr td:nth-of-type(2)")].some((one) => one.innerText.includes("…")), { timeout: SOLVE });
  need((await text("#income thead")).includes("phi_b"), "the range is not said to be over phi_b");
  need(!(await text("#gains")).includes("follows"), "the range is still announced");
  const json = await page.$eval("#results .same a[href*='/api/jobs/'][href$='/result']", (one) => one.href);
  const rows = await page.evaluate(async (to) => (await (await fetch(to)).json()).result.real_income, json);
  need(rows.every((one) => typeof one.percent_phi_b_low === "number"), "the file lacks the range");
});

await check("scenario: two next to each other, files", async () => {
  await page.select("#other", "suez-closed");
  await page.waitForFunction(() => location.hash.includes("suez-closed"));
  await page.click("#run");
  await page.waitForFunction(() => document.querySelector("#results h2")?.textContent?.includes(" against "), { timeout: SOLVE });
  need((await text("#income thead")).includes("Suez"), "no column of the second scenario");
  await page.click("#results .same summary");
  const toml = await text("#results .same");
  need(toml.includes('verb = "close_gateway"') && toml.includes("landbridge compare"), "no TOML");
  for (const link of await page.$$eval("#results .same a", (all) => all.map((one) => one.href))) {
    const status = await page.evaluate(async (to) => (await fetch(to)).status, link);
    need(status === 200, `${link}: ${status}`);
  }
  await saved("#results", [["CSV", "real_income.csv", "\nKAZ"], ["SVG", "map.svg", "<path"], ["PNG", "map.png", "PNG"]]);
  await size(390);
  await sound("compare-en-390");
  await size(1280);
});

for (const [lang, width] of [["en", 1280], ["ru", 390]])
  await check(`country ${lang} ${width}`, async () => {
    await size(width);
    await at(`#/country?country=KAZ&lang=${lang}`);
    await page.waitForFunction((wanted) => document.documentElement.lang.startsWith(wanted), {}, lang);
    await seen("#in-base table", SOLVE);
    // Ranges come with the data; there are none after a change of the tables.
    await seen("#ranges table, #ranges p");
    need((await page.$$eval("#in-base tbody tr", (all) => all.length)) >= 3, "no figures of the base");
    await sound(`country-${lang}-${width}`);
  });

for (const [lang, width, words] of [["en", 390, ["to China", "through Uzbekistan, Kazakhstan", "published, 2024 [1]"]], ["ru", 1280, ["Китай"]], ["zh", 390, []]])
  await check(`country: gas ${lang} ${width}`, async () => {
    await size(width);
    await at(`#/country?country=TKM&lang=${lang}`);
    await page.waitForFunction((wanted) => document.documentElement.lang.startsWith(wanted), {}, lang);
    await seen("#gas table");
    const said = (await text("#gas")).replace(/\s+/g, " ");
    need(words.every((one) => said.includes(one)), said);
    need((await page.$$("#gas tbody tr")).length >= 6 && (await page.$$("#gas ol li")).length > 0, said);
    await sound(`gas-${lang}-${width}`);
  });

await check("country: a slider gives the first-order answer at once, the exact one is a scenario", async () => {
  await size(1280);
  // The derivative itself takes a minute and has tests of its own.
  await page.setRequestInterception(true);
  const canned = (request) => {
    const asked = request.url().includes("/api/sensitivity");
    const rows = [{ id: "khorgos-altynkol", usd_per_unit_year: 5e6 }, { id: "suez", usd_per_unit_year: 1e6 }];
    if (asked) void request.respond({ contentType: "application/json", body: JSON.stringify({ result: rows }) });
    else void request.continue();
  };
  page.on("request", canned);
  await at("#/country?country=KAZ&lang=en");
  await seen("#worth");
  await page.click("#worth");
  await seen("#worth-hours");
  need((await text("#worth-of-hours output")).includes("+30.0"), await text("#worth-of-hours output"));
  await page.focus("#worth-hours");
  await page.keyboard.press("ArrowRight");
  need((await text("#worth-of-hours output")).includes("+35.0"), "the slider does not answer");
  await page.click("#worth-of-hours a");
  await seen("#changes li");
  need(decodeURIComponent(page.url()).includes('"add":-7'), page.url());
  page.off("request", canned);
  await page.setRequestInterception(false);
});

// The key of a layer once it is there: its rows, and what it says above them.
async function keyOf(layer, rows) {
  await page.waitForFunction(
    ([wanted, most]) => document.getElementById("layer")?.value === wanted && document.querySelectorAll("#layer-key .row").length === most,
    { timeout: SOLVE },
    [layer, rows],
  );
  return text("#layer-key");
}

await check("layers: days from a city are at the names, the address holds layer and city", async () => {
  await size(1280);
  await at("#/corridor?from=CKG&to=TAS&lang=en");
  await seen("#results .card");
  await page.$eval(".key", (one) => (one.open = true));
  await page.focus("#layer");
  await page.select("#layer", "hours");
  need((await keyOf("hours", 6)).includes("Chongqing, machinery, 2023"), await text("#layer-key"));
  need((await page.evaluate(() => document.activeElement?.id)) === "layer", "the focus is lost");
  // An old label fades out for a moment.
  const label = async () => {
    await new Promise((done) => setTimeout(done, 500));
    return page.$$eval("#map .place", (all) => all.map((one) => one.textContent).filter((one) => one.startsWith("Moscow")).join());
  };
  const first = await label();
  need(/^Moscow \d+\.\d$/.test(first), first);
  await page.select("#city", "ALMATY");
  await page.waitForFunction(() => document.getElementById("layer-key").textContent.includes("Almaty, machinery"), { timeout: SOLVE });
  need(page.url().includes("layer=hours") && page.url().includes("city=ALMATY"), page.url());
  need((await label()) !== first, "the days are those of the other city");
  await page.reload();
  need((await keyOf("hours", 6)).includes("Almaty"), "a link does not bring the layer back");
  await page.select("#layer", "quickest");
  need((await keyOf("quickest", 6)).includes("least"), await text("#layer-key"));
});

await check("layers: gateways and lines by class", async () => {
  const circles = () => page.$$eval("#map svg path.leaflet-interactive", (all) => new Set(all.map((one) => one.getAttribute("fill"))).size);
  await page.setRequestInterception(true);
  const canned = (request) => {
    const rows = [{ id: "khorgos-altynkol", usd_per_unit_year: 5e6 }, { id: "suez", usd_per_unit_year: 1e6 }];
    if (request.url().includes("/api/sensitivity")) void request.respond({ contentType: "application/json", body: JSON.stringify({ result: rows }) });
    else void request.continue();
  };
  page.on("request", canned);
  for (const [layer, rows, words] of [["load", 5, "stated capacity"], ["counts", 5, "0.80 – 1.25"], ["basis", 4, "assumption"], ["worth", 5, "million USD/h, 2023"]]) {
    await page.select("#layer", layer);
    const said = await keyOf(layer, rows);
    need(said.includes(words) && said.includes("2023"), `${layer}: ${said}`);
    need((await circles()) > 2, `${layer}: one colour only`);
    if (layer !== "worth") await sound(`layer-${layer}-en-1280`);
  }
  page.off("request", canned);
  await page.setRequestInterception(false);
  await page.select("#layer", "");
  await page.waitForFunction(() => document.querySelectorAll("#layer-key .row").length === 0);
  need(!page.url().includes("layer="), page.url());
});

for (const [lang, layer] of [["ru", "hours"], ["zh", "basis"]])
  await check(`layers ${lang} 390`, async () => {
    await size(390);
    await at(`#/corridor?from=CKG&to=TAS&layer=${layer}&lang=${lang}`);
    await page.waitForFunction((wanted) => document.documentElement.lang.startsWith(wanted), {}, lang);
    await page.$eval(".key", (one) => (one.open = true));
    await keyOf(layer, layer === "hours" ? 6 : 4);
    await seen("#results .card");
    await sound(`layer-${layer}-${lang}-390`);
  });

await check("legend: flows of the base are shown and hidden", async () => {
  await at("#/corridor?from=CKG&to=TAS&lang=en");
  await seen("#results .card");
  await page.$eval(".key", (one) => (one.open = true));
  const lines = () => page.$$eval("#map svg path", (all) => all.length);
  await page.select("#flows", "");
  const before = await lines();
  await page.select("#flows", "teu_per_year");
  await page.waitForFunction((old) => document.querySelectorAll("#map svg path").length > old + 100, { timeout: SOLVE }, before);
  await page.select("#flows", "");
  await page.waitForFunction((old) => document.querySelectorAll("#map svg path").length <= old, {}, before);
});

await check("legend: the map with the key of its layer is saved as SVG and PNG", async () => {
  await at("#/corridor?from=CKG&to=TAS&layer=hours&city=CKG&lang=en");
  await keyOf("hours", 6);
  await saved("#stage", [["SVG", "map.svg", "Chongqing, machinery, 2023"], ["PNG", "map.png", "PNG"]]);
});

await check("no server: the page says so", async () => {
  await at("#/corridor?from=CKG&to=TAS&lang=en");
  await seen("#results .card");
  expected = true;
  await page.setOfflineMode(true);
  await page.select("#sector", "TEX");
  await page.click("#panel button.main");
  await seen(".problem");
  need((await text(".problem")).includes("landbridge serve"), await text(".problem"));
  await page.setOfflineMode(false);
  await page.click("#panel button.main");
  await seen("#results .card");
  expected = false;
});

await browser.close();
console.log(JSON.stringify({ checks, faults }));
process.exit(faults.length > 0 ? 1 : 0);
