// The page in a real Chromium against the stub hub, which misbehaves on command.

import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";
import { CloseBrowser, Open, Shifted, Violations, type Look, type Opened } from "./browser.ts";
import { StubHub } from "./stub.ts";
import { HostileHouse, kHostile } from "./stub_world.ts";

const kMeter = "#/device/p1_e0044007382246019";
const kViews = ["", kMeter, "#/health", "#/unknown"];
const kCard = ".card >> nth=0";
const kWait = { timeout: 20_000 };

let stub: StubHub;
let url: string;
let open: Opened[] = [];

beforeEach(async () => {
  stub = new StubHub();
  url = await stub.Start();
});
afterEach(async () => {
  for (const o of open) await o.close();
  open = [];
  await stub.Stop();
});
after(CloseBrowser);

async function Visit(hash = "", look: Look = {}): Promise<Opened> {
  const opened = await Open(url + hash, look);
  open.push(opened);
  return opened;
}

// No error in the console but those that a broken connection makes by itself, no violation, nobody else asked.
async function AssertClean(opened: Opened): Promise<void> {
  assert.deepEqual(await Violations(opened.page), []);
  assert.deepEqual(opened.foreign, []);
  assert.deepEqual(opened.problems.filter((p) => !p.startsWith("Failed to load resource")), []);
}

test("cards show the net power in words, today's use, and values that move", async () => {
  const o = await Visit();
  const card = o.page.locator(kCard);
  await card.locator(".hero .digits").waitFor(kWait);
  assert.match(await card.locator(".hero-words").innerText(), /taken from the grid|fed into the grid|in balance/);
  await card.locator(".fact", { hasText: "Taken today" }).locator(".digits").waitFor(kWait);
  const before = await card.locator(".hero .digits").innerText();
  await o.page.waitForFunction((text) => document.querySelector(".hero .digits")?.textContent !== text, before, kWait);
  assert.equal(await card.locator(".hero.fresh").count(), 1);
  await AssertClean(o);
});

test("hostile texts stay texts, on every view", async () => {
  stub.things = HostileHouse();
  stub.text_everywhere = kHostile;
  const o = await Visit();
  for (const hash of ["", kMeter, "#/health", "#/unknown", "#/device/__proto__", "#/device/" + encodeURIComponent(kHostile)]) {
    await o.page.goto(url + hash);
    await o.page.locator("h1").waitFor(kWait);
    if (hash === "") await o.page.locator(kCard).getByRole("button", { name: /Show all/ }).click();
    if (hash === "#/unknown") await o.page.locator(".frame").first().waitFor(kWait);
    await o.page.getByText(hash === "#/unknown" ? "Unknown frames" : hash.endsWith("__") ? "toString" : "<img src=x", { exact: false }).first().waitFor(kWait);
    assert.equal(await o.page.locator("main img, main script, main iframe, a[href^='javascript']").count(), 0, hash);
    const wide = await o.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${hash} is ${wide} px too wide`);
  }
  assert.equal(await o.page.title(), "Vesta");
  await AssertClean(o);
});

test("a bus: nodes, items, who asks whom, commands, and which bytes of unknown frames move", async () => {
  const o = await Visit("#/bus/boat");
  const shunt = o.page.locator(".bus-node", { hasText: "MSH House shunt" });
  await shunt.locator("tr", { hasText: "State of Charge" }).getByText("75.50 %").waitFor(kWait);
  assert.match(await shunt.locator("tr", { hasText: "Time" }).innerText(), /01:01:01/);
  assert.match(await shunt.locator("tr", { hasText: "Remaining" }).innerText(), /\u2013/);
  const asks = o.page.locator("#asks");
  assert.match(await asks.locator("tr", { hasText: "MSH House shunt" }).innerText(), /50840A or INT Mass Combi/);
  assert.match(await asks.locator("tr", { hasText: "7F1297" }).innerText(), /no such node ever spoke/);
  assert.match(await o.page.locator("#commands tbody tr").innerText(), /Power[^]*50840A/);
  assert.deepEqual(await o.page.locator("#unknown td mark").allInnerTexts(), ["FF"]);
  const combi = o.page.locator(".bus-node", { hasText: "INT Mass Combi" });
  assert.equal(await combi.locator("tbody tr").count(), 40);
  await combi.getByRole("button", { name: "Show 20 items more" }).click();
  assert.equal(await combi.locator("tbody tr").count(), 60);
  await AssertClean(o);
});

test("a bus that is not there says so, and hostile names on one stay texts", async () => {
  stub.text_everywhere = kHostile;
  const o = await Visit("#/bus/none");
  await o.page.locator(".error").waitFor(kWait);
  for (const look of [{}, { width: 390, height: 844, dark: true }]) {
    const other = await Visit("#/bus/boat", look);
    await other.page.locator(".bus-node").first().waitFor(kWait);
    assert.equal(await other.page.locator("main img, main script, main iframe").count(), 0);
    const wide = await other.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} px too wide`);
    await AssertClean(other);
  }
});

test("a device that makes no sense breaks its own card at the most", async () => {
  const odd = stub.things[1]!;
  Object.assign(odd, { title: "Odd", place: null, model: 7, manufacturer: {}, parent: 5, interval_s: "x" });
  Object.assign(odd.fields[0]!, { name: null, unit: null, decimals: "x", quantity: null, kind: null, states: 3, stale_after_s: null });
  const o = await Visit();
  await o.page.locator(".card", { hasText: "House bank" }).locator(".hero.fresh").waitFor(kWait);
  await o.page.locator(kCard).locator(".hero.fresh").waitFor(kWait);
});

test("a value goes old before the reader's eyes when nothing comes any more", async () => {
  for (const f of stub.things[0]!.fields) f.stale_after_s = 4;
  const o = await Visit();
  const card = o.page.locator(kCard);
  await card.locator(".hero.fresh").waitFor(kWait);
  stub.frozen = true;
  await card.locator(".hero.old").waitFor(kWait);
  assert.equal(await card.locator(".hero .no-fresh, .hero.fresh").count(), 0);
  assert.match(await card.locator(".heard").innerText(), /^no data for \d+ s$/);
  assert.match(await card.locator(".hero").innerText(), /old value/);
  assert.match(await card.locator(".hero-words").innerText(), /^was /);
  const seconds = async () => Number(/(\d+) s/.exec(await card.locator(".heard").innerText())![1]);
  const first = await seconds();
  await o.page.waitForFunction((s) => Number(/(\d+) s/.exec(document.querySelector(".heard")!.textContent!)![1]) > s, first, kWait);
  stub.frozen = false;
  await card.locator(".hero.fresh").waitFor(kWait);
  await AssertClean(o);
});

test("an offline device is marked as such from the start", async () => {
  const o = await Visit();
  const card = o.page.locator(".card", { hasText: "Engine room" });
  await card.locator(".hero.old").waitFor(kWait);
  assert.match(await card.locator(".heard").innerText(), /offline, no data for 1[23] min/);
});

test("contact lost: all is old and said so; back again: the stream is resumed and all is fresh", async () => {
  const o = await Visit();
  await o.page.locator(kCard).locator(".hero.fresh").waitFor(kWait);
  stub.refuse = true;
  stub.DropConnections();
  await o.page.getByText("This page lost contact with the hub: the values are old.").waitFor(kWait);
  assert.equal(await o.page.locator(".hero.fresh").count(), 0);
  assert.match(await o.page.locator(kCard).locator(".heard").innerText(), /last known values/);
  stub.refuse = false;
  await o.page.getByRole("button", { name: "Try now" }).click();
  await o.page.locator(kCard).locator(".hero.fresh").waitFor(kWait);
  assert.equal(await o.page.locator(".lost").count(), 0);
  assert.match(stub.resumed.at(-1) ?? "", /^b1-\d+$/);
  await AssertClean(o);
});

test("a short break is no alarm, and a restarted hub is taken anew", async () => {
  const o = await Visit();
  await o.page.locator(kCard).locator(".hero.fresh").waitFor(kWait);
  stub.things[0]!.name = "After the restart";
  stub.Restart();
  await o.page.getByRole("link", { name: "After the restart" }).waitFor(kWait);
  assert.equal(await o.page.locator(".lost").count(), 0);
  assert.equal(stub.streams_opened, 2);
});

test("a slow hub: the page waits without pretending, then shows", async () => {
  stub.slow_ms = 1200;
  const o = await Visit();
  await o.page.locator(".card.ghost").first().waitFor(kWait);
  await o.page.locator(kCard).locator(".hero.fresh").waitFor(kWait);
  assert.equal(await o.page.locator(".card.ghost").count(), 0);
  await AssertClean(o);
});

test("a browser clock hours off does not change an age", async () => {
  stub.hub_ahead_ms = 5 * 3_600_000;
  const o = await Visit();
  await o.page.locator(kCard).locator(".hero.fresh").waitFor(kWait);
  assert.match(await o.page.locator(kCard).locator(".heard").innerText(), /^(now|[1-5] s ago)$/);
});

test("login: asked for, refused in words, let in; a lost session asks again", async () => {
  stub.password = "correct horse";
  const o = await Visit();
  const field = o.page.getByLabel("Password");
  await field.waitFor(kWait);
  assert.equal(await o.page.locator(".card").count(), 0);
  await field.fill("wrong");
  await field.press("Enter");
  await o.page.getByText("That is not the password.").waitFor(kWait);
  await field.fill("correct horse");
  await field.press("Enter");
  await o.page.locator(kCard).locator(".hero.fresh").waitFor(kWait);
  await o.context.clearCookies();
  stub.DropConnections();
  await field.waitFor(kWait);
  await AssertClean(o);
});

test("an address that changes while the page starts is followed", async () => {
  const o = await Visit();
  for (let i = 0; i < 5; ++i) {
    await o.page.goto(url + "?" + i, { waitUntil: "commit" });
    await o.page.evaluate(() => {
      new MutationObserver((_, observer) => {
        if (!document.querySelector("header.top")) return;
        observer.disconnect();
        location.hash = "#/health";
      }).observe(document, { childList: true, subtree: true });
    });
    await o.page.getByRole("heading", { name: "Sources and outputs", level: 1 }).waitFor(kWait);
  }
});

test("rename: for who may operate only; the new name stands everywhere", async () => {
  const o = await Visit(kMeter);
  await o.page.getByRole("button", { name: "Name and place" }).click();
  await o.page.getByLabel("Name", { exact: true }).fill("Main meter");
  await o.page.getByLabel("Place").fill("Cellar");
  await o.page.getByRole("button", { name: "Save" }).click();
  await o.page.getByRole("heading", { name: "Main meter" }).waitFor(kWait);
  assert.equal(stub.things[0]!.place, "Cellar");
  stub.scope = "read";
  await o.page.reload();
  await o.page.getByRole("heading", { name: "Main meter" }).waitFor(kWait);
  assert.equal(await o.page.getByRole("button", { name: "Name and place" }).count(), 0);
  await AssertClean(o);
});

test("charts: ranges, zoom by drag, and back", async () => {
  const o = await Visit(kMeter);
  const plot = o.page.locator(".plot");
  await o.page.locator(".plot:not(.busy) canvas").waitFor(kWait);
  await o.page.getByRole("button", { name: "1 h", exact: true }).click();
  await o.page.waitForFunction(() => location.hash.includes("range=1h"), undefined, kWait);
  await o.page.locator(".plot:not(.busy) canvas").waitFor(kWait);
  assert.match((await plot.getAttribute("aria-label"))!, /Power imported: lowest [\d.]+, highest [\d.]+, last [\d.]+ kW/);
  const box = (await o.page.locator(".u-over").boundingBox())!;
  await o.page.mouse.move(box.x + box.width * 0.25, box.y + 50);
  await o.page.mouse.down();
  await o.page.mouse.move(box.x + box.width * 0.5, box.y + 60, { steps: 6 });
  await o.page.mouse.up();
  await o.page.waitForFunction(() => location.hash.includes("from="), undefined, kWait);
  const query = new URLSearchParams(new URL(o.page.url()).hash.split("?")[1]);
  const minutes = (Number(query.get("to")) - Number(query.get("from"))) / 60_000;
  assert.ok(minutes > 13 && minutes < 17, `a quarter of an hour was drawn over, ${minutes} minutes shown`);
  await o.page.getByRole("button", { name: "Back" }).click();
  await o.page.waitForFunction(() => location.hash.includes("range=1h"), undefined, kWait);
  await o.page.getByRole("button", { name: "Voltage, L2" }).waitFor({ state: "detached" });
  await o.page.getByRole("link", { name: "Voltage" }).click();
  await o.page.getByRole("button", { name: "Voltage, L2" }).click();
  assert.equal(await o.page.getByRole("button", { name: "Voltage, L2" }).getAttribute("aria-pressed"), "false");
  await AssertClean(o);
});

test("a chart asks for no more points than it has pixels", async () => {
  const o = await Visit("", { width: 768 });
  const asked: URLSearchParams[] = [];
  o.page.on("request", (r) => {
    if (r.url().includes("/readings?")) asked.push(new URL(r.url()).searchParams);
  });
  await o.page.goto(url + kMeter + "?range=1y");
  await o.page.locator(".plot:not(.busy) canvas").waitFor(kWait);
  const year = asked.filter((q) => Date.parse(q.get("to")!) - Date.parse(q.get("from")!) > 3e10);
  assert.equal(year.length, 2);
  for (const q of year) assert.ok(Number(q.get("points")) <= 768 && Number(q.get("points")) > 400, q.get("points")!);
});

test("sources and outputs: state, silence, reasons, hints, what waits", async () => {
  const o = await Visit("#/health");
  const radio = o.page.locator(".item", { hasText: "wlan1mon" });
  await radio.waitFor(kWait);
  assert.match(await radio.innerText(), /open, but silent/);
  assert.match(await o.page.locator(".item", { hasText: "ser2net.lan:2001" }).innerText(), /Nothing listens on port 2001/);
  assert.match(await o.page.locator(".item", { hasText: "hci0" }).innerText(), /no key 1.204/);
  const cloud = await o.page.locator(".item", { hasText: "broker.example.org" }).innerText();
  assert.match(cloud, /not connected/);
  assert.match(cloud, /every reading, at least once, original time/);
  assert.match(cloud, /Waiting\s+173.811/);
  assert.match(cloud, /Oldest unsent\s+1 h 30 min/);
  await AssertClean(o);
});

test("unknown frames are decoded again when asked for, and the page shows how far it is", async () => {
  const o = await Visit("#/unknown");
  await o.page.locator(".frame").first().waitFor(kWait);
  await o.page.getByRole("button", { name: "Decode again" }).click();
  await o.page.getByText("Decoding what garage heard before (asked for)").waitFor(kWait);
  await o.page.locator("progress[max='300']").waitFor(kWait);
  await o.page.getByText("Decoding what").waitFor({ ...kWait, state: "detached" });
  await o.close();
});

test("unknown frames: bytes beside text, older ones on demand, one reason alone", async () => {
  const o = await Visit("#/unknown");
  const frames = o.page.locator(".frame");
  await frames.first().waitFor(kWait);
  assert.equal(await frames.count(), 50);
  assert.match(await frames.first().locator(".hex").innerText(), /2f 49 53 6b.*\/ISk/);
  await o.page.getByRole("button", { name: "Load older frames" }).click();
  await o.page.waitForFunction(() => document.querySelectorAll(".frame").length === 100, undefined, kWait);
  await o.page.getByRole("button", { name: "meter" }).click();
  await o.page.waitForFunction(() => document.querySelectorAll(".frame").length === 20, undefined, kWait);
  assert.equal(await o.page.getByRole("button", { name: "Load older frames" }).count(), 0);
  await AssertClean(o);
});

test("all of it works by keyboard", async () => {
  const o = await Visit();
  await o.page.locator(kCard).locator(".hero.fresh").waitFor(kWait);
  for (let i = 0; i < 30; ++i) {
    await o.page.keyboard.press("Tab");
    if (await o.page.evaluate(() => document.activeElement?.textContent?.startsWith("Show all"))) break;
  }
  await o.page.keyboard.press("Enter");
  await o.page.locator(kCard).getByRole("heading", { name: "Diagnostic" }).waitFor(kWait);
  assert.equal(await o.page.getByRole("button", { name: "Show less" }).getAttribute("aria-expanded"), "true");
});

test("nothing is wider than the screen, from phone to desktop", async () => {
  for (const width of [360, 768, 1280]) {
    const o = await Visit("", { width });
    for (const hash of kViews) {
      await o.page.goto(url + hash);
      await o.page.locator("h1").waitFor(kWait);
      await o.page.locator(".digits").first().waitFor(kWait);
      const wide = await o.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${hash} at ${width} px is ${wide} px too wide`);
    }
    await o.close();
    open.pop();
  }
});

test("nothing jumps while values, lines and today's use come in", async () => {
  for (const width of [360, 1280]) {
    const o = await Visit("", { width });
    await o.page.locator(kCard).locator(".hero.fresh").waitFor(kWait);
    await o.page.locator(kCard).locator(".fact", { hasText: "Taken today" }).locator(".digits").waitFor(kWait);
    await o.page.locator(kCard).locator(".spark path").first().waitFor(kWait);
    const before = await o.page.locator(kCard).locator(".hero .digits").innerText();
    await o.page.waitForFunction((text) => document.querySelector(".hero .digits")?.textContent !== text, before, kWait);
    const shifted = await Shifted(o.page);
    assert.ok(shifted < 0.02, `layout shift ${shifted} at ${width} px`);
    await o.close();
    open.pop();
  }
});
