// Builds the page. As a module: Build() gives the finished assets. As a program:
//   node build.mjs --cc FILE   writes them as the C++ source of DashboardAssets()
//   node build.mjs             prints each asset and the whole, gzip'd; fails above the size the page may have
// The same input gives the same bytes, on any machine.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const kRoot = dirname(realpathSync(fileURLToPath(import.meta.url)));
// What is loaded at first: a page for a phone on a boat's slow link.
export const kMaxPageBytes = 60_000;

export async function Build({ minify = true } = {}) {
  const result = await build({
    absWorkingDir: kRoot,
    entryPoints: { app: "src/main.tsx", style: "src/style.css" },
    bundle: true,
    minify,
    write: false,
    outdir: "out",
    format: "esm",
    splitting: true,
    metafile: true,
    chunkNames: "[name]-[hash]",
    target: ["es2021", "chrome100", "firefox100", "safari15"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    charset: "utf8",
    logLevel: "warning",
  });
  const of = (ending) => Buffer.from(result.outputFiles.find((f) => f.path.endsWith(ending)).contents);
  const scripts = result.outputFiles.map((f) => basename(f.path)).filter((name) => name.endsWith(".js")).sort();
  const first = FirstScripts(result.metafile);
  const files = [
    ...scripts.map((name) => ["/" + name, "text/javascript; charset=utf-8", of("/" + name)]),
    ["/favicon.svg", "image/svg+xml", readFileSync(join(kRoot, "src/favicon.svg"))],
    ["/index.html", "text/html; charset=utf-8", readFileSync(join(kRoot, "src/index.html"))],
    ["/style.css", "text/css; charset=utf-8", of("style.css")],
  ];
  return files.map(([path, content_type, bytes]) => {
    const gzip = gzipSync(bytes, { level: 9 });
    gzip[9] = 0xff; // the header's operating system byte: unknown, wherever it was built
    const etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}"`;
    const later = path.endsWith(".js") && !first.has(path.slice(1));
    return { path, content_type, gzip, etag, size: bytes.length, later };
  });
}

// What a browser loads before anything is shown: the entry and what it imports at once. Views that few need come later.
function FirstScripts(metafile) {
  const found = new Set();
  const take = (path) => {
    if (found.has(basename(path))) return;
    found.add(basename(path));
    for (const i of metafile.outputs[path].imports) if (i.kind === "import-statement") take(i.path);
  };
  take("out/app.js");
  return found;
}

function CcText(assets) {
  const out = [
    "// Made from dashboard/ by dashboard/build.mjs. Not to be edited.",
    '#include "hub/web/assets.h"',
    "",
    "namespace vesta::hub {",
    "namespace {",
    "",
  ];
  assets.forEach((asset, i) => {
    // As a literal, since that is quick to compile; octal, since a hex escape would swallow the digits behind it.
    const octal = (byte) => "\\" + byte.toString(8).padStart(3, "0");
    out.push(`constexpr char kBytes${i}[] =`);
    for (let at = 0; at < asset.gzip.length; at += 24) {
      out.push(`    "${Array.from(asset.gzip.subarray(at, at + 24), octal).join("")}"`);
    }
    out.push("    ;");
  });
  out.push("", "const Asset kAssets[] = {");
  assets.forEach((asset, i) => {
    const text = JSON.stringify;
    const bytes = `{kBytes${i}, sizeof kBytes${i} - 1}`;
    out.push(`    {${text(asset.path)}, ${text(asset.content_type)}, ${bytes}, ${text(asset.etag)}},`);
  });
  out.push("};", "", "}  // namespace", "", "std::span<const Asset> DashboardAssets() { return kAssets; }", "");
  out.push("}  // namespace vesta::hub", "");
  return out.join("\n");
}

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) {
  const assets = await Build();
  const total = assets.filter((a) => !a.later).reduce((sum, a) => sum + a.gzip.length, 0);
  const [option, file] = process.argv.slice(2);
  if (option === "--cc" && file) {
    writeFileSync(file, CcText(assets));
  } else {
    for (const a of assets) console.log(`${a.path}  ${a.size} bytes, ${a.gzip.length} gzip'd${a.later ? ", later" : ""}`);
    console.log(`page  ${total} bytes gzip'd, limit ${kMaxPageBytes}`);
  }
  if (total > kMaxPageBytes) {
    console.error(`The page has ${total} bytes gzip'd; it may have ${kMaxPageBytes}.`);
    process.exit(1);
  }
}
