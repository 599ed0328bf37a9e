import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Build, kMaxPageBytes } from "../build.mjs";

const kRoot = process.env["VESTA_DASHBOARD"]!;

test("the page is small, whole, and asks for nothing from elsewhere", async () => {
  const assets = await Build();
  const first = assets.filter((a) => !a.later);
  for (const path of ["/app.js", "/favicon.svg", "/index.html", "/style.css"]) assert.ok(first.some((a) => a.path === path), path);
  assert.ok(first.reduce((sum, a) => sum + a.gzip.length, 0) <= kMaxPageBytes);
  // What comes later is a fraction of the page, each.
  for (const a of assets) assert.ok(!a.later || (a.gzip.length < kMaxPageBytes / 5 && a.path.endsWith(".js")), a.path);
  for (const asset of assets) {
    const text = gunzipSync(asset.gzip).toString();
    // Names of XML vocabularies are no addresses.
    const addresses = (text.match(/https?:\/\/[^\s"'`)]+/g) ?? []).filter((a) => !a.startsWith("http://www.w3.org/"));
    assert.deepEqual(addresses, [], asset.path);
    assert.doesNotMatch(text, /\beval\(|new Function\(|@font-face|innerHTML=[^;]*\+/, asset.path);
  }
  const html = gunzipSync(assets.find((a) => a.path === "/index.html")!.gzip).toString();
  assert.doesNotMatch(html, /<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/);
});

test("the same input gives the same bytes", () => {
  const folder = mkdtempSync(join(tmpdir(), "vesta-build-"));
  try {
    const files = ["a.cc", "b.cc"].map((name) => join(folder, name));
    for (const file of files) execFileSync(process.execPath, ["build.mjs", "--cc", file], { cwd: kRoot });
    const [a, b] = files.map((file) => readFileSync(file, "utf8"));
    assert.equal(a, b);
    assert.match(a!, /std::span<const Asset> DashboardAssets\(\)/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function Luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

test("every pair of text and ground has contrast enough, by day and by night", () => {
  const css = readFileSync(join(kRoot, "src/style.css"), "utf8");
  const [day, night] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(
    (block) => new Map([...block[1]!.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((m) => [m[1]!, m[2]!])));
  const texts = ["text", "text-2", "old", "ember", "import", "export", "good", "warn", "bad"];
  const pairs = texts.flatMap((text) => ["ground", "surface", "surface-2"].map((ground) => [text, ground]));
  pairs.push(["warn", "warn-soft"], ["bad", "bad-soft"], ["text", "bad-soft"], ["text", "warn-soft"], ["ember", "ember-soft"], ["surface", "ember"], ["surface", "text"]);
  const weak: string[] = [];
  for (const [name, colours] of [["day", day], ["night", night]] as const) {
    for (const [text, ground] of pairs) {
      const [a, b] = [Luminance(colours!.get(text!)!), Luminance(colours!.get(ground!)!)];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) weak.push(`${name}: ${text} on ${ground} ${contrast.toFixed(2)}`);
    }
    // Lines and edges of controls need 3.
    for (const line of ["edge", "line-1", "line-2", "line-3", "line-4", "line-5", "line-6"]) {
      const [a, b] = [Luminance(colours!.get(line)!), Luminance(colours!.get("surface")!)];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 3) weak.push(`${name}: ${line} ${contrast.toFixed(2)}`);
    }
  }
  assert.deepEqual(weak, []);
});
