import assert from "node:assert/strict";
import { test } from "node:test";
import { ExportHref } from "../src/parts/export_form.tsx";

test("an export is asked for by key, form and span", () => {
  assert.equal(ExportHref("medibus_b1", "csv", "", "", false), "/api/v1/export?format=csv&device=medibus_b1");
  const href = new URL(ExportHref("a&b", "fhir", "2026-01-01T00:00", "2026-01-02T00:00", true), "http://hub");
  assert.equal(href.searchParams.get("device"), "a&b");
  assert.equal(Number(href.searchParams.get("to")) - Number(href.searchParams.get("from")), 86_400_000);
  assert.equal(href.searchParams.get("pseudonymous"), "true");
});

test("a span that is upside down is no export", () => {
  assert.equal(ExportHref("d", "csv", "2026-01-02T00:00", "2026-01-01T00:00", false), "");
});
