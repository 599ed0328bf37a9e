// Compiles what is in tests/ and runs it, since Node 18 reads no TypeScript.
//   node test.mjs              every tests/*.test.ts with node --test; VESTA_BIN=path adds the real hub
//   node test.mjs NAME...      only tests/NAME.test.ts
//   node test.mjs pictures     takes docs/pictures/*.png from the demo of VESTA_BIN
//   node test.mjs stub [PORT]  serves the page on the stub hub, to look at while working on it
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const kRoot = fileURLToPath(new URL(".", import.meta.url));
const kPrograms = { pictures: "pictures.ts", stub: "stub_main.ts" };

const [first, ...rest] = process.argv.slice(2);
const program = Object.hasOwn(kPrograms, first ?? "") ? kPrograms[first] : undefined;
const all = readdirSync(join(kRoot, "tests")).filter((name) => name.endsWith(".test.ts"));
const kHubTest = "hub.test.ts";
const with_hub = Boolean(process.env.VESTA_BIN);
const names = program ? [program] : first ? [first, ...rest].map((name) => name + ".test.ts") : all.filter((name) => with_hub || name !== kHubTest);
const unknown = names.filter((name) => !program && !all.includes(name));
if (unknown.length) {
  console.error(`No such test: ${unknown.join(", ")}. There are: ${all.join(", ")}`);
  process.exit(2);
}

if (!program && !with_hub) {
  if (names.includes(kHubTest)) {
    console.error("hub.test.ts needs VESTA_BIN, the built program.");
    process.exit(2);
  }
  console.log("VESTA_BIN is not set: the page is tested against the stub hub only.");
}

// Inside node_modules so that the compiled tests find what they import; own folder so that two runs do not meet.
mkdirSync(join(kRoot, "node_modules/.cache"), { recursive: true });
const out = mkdtempSync(join(kRoot, "node_modules/.cache/tests-"));
let status = 1;
try {
  await build({
    absWorkingDir: kRoot,
    entryPoints: names.map((name) => "tests/" + name),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node18",
    format: "esm",
    external: ["playwright-core", "esbuild"],
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
    plugins: [{
      name: "build-script-stays-outside",
      setup(b) {
        b.onResolve({ filter: /\/build\.mjs$/ }, () => ({ path: new URL("build.mjs", import.meta.url).href, external: true }));
      },
    }],
  });
  const files = names.map((name) => join(out, name.replace(/\.ts$/, ".mjs")));
  const args = program ? [...files, ...rest] : ["--test", ...files];
  const env = { ...process.env, VESTA_DASHBOARD: kRoot };
  status = spawnSync(process.execPath, args, { stdio: "inherit", env }).status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
process.exit(status);
