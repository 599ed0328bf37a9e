// History of a device as a file: span, form, and whether names and dates are hidden. The browser takes the file; the page
// never holds it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Device } from "../api.ts";

const kForms: [string, string][] = [
  ["csv", "CSV, a line a reading"], ["csv-wide", "CSV, a column a field"], ["jsonl", "JSON lines"], ["fhir", "FHIR R4"],
  ["day-log", "Day file of the original nodes"],
];

// "" when the span is empty or upside down.
export function ExportHref(device: string, form: string, from: string, to: string, hidden: boolean): string {
  const query = new URLSearchParams({ format: form, device });
  const [from_ms, to_ms] = [Date.parse(from), Date.parse(to)];
  if (from && to && !(to_ms > from_ms)) return "";
  if (from) query.set("from", String(from_ms));
  if (to) query.set("to", String(to_ms));
  if (hidden) query.set("pseudonymous", "true");
  return "/api/v1/export?" + query;
}

export function ExportForm({ device }: { device: Device }): JSX.Element {
  const [form, set_form] = useState("csv");
  const [from, set_from] = useState("");
  const [to, set_to] = useState("");
  const [hidden, set_hidden] = useState(false);
  const href = ExportHref(device.key, form, from, to, hidden);
  return (
    <section class="panel">
      <h2>Export</h2>
      <form class="custom" onSubmit={(e) => e.preventDefault()}>
        <label>From<input type="datetime-local" value={from} onInput={(e) => set_from(e.currentTarget.value)} /></label>
        <label>To<input type="datetime-local" value={to} onInput={(e) => set_to(e.currentTarget.value)} /></label>
        <label>Form
          <select value={form} onInput={(e) => set_form(e.currentTarget.value)}>
            {kForms.map(([id, text]) => <option key={id} value={id}>{text}</option>)}
          </select>
        </label>
        <label>Names and dates
          <select value={hidden ? "hidden" : "real"} onInput={(e) => set_hidden(e.currentTarget.value === "hidden")}>
            <option value="real">as they are</option>
            <option value="hidden">hidden, for research</option>
          </select>
        </label>
        {href ? <a class="tab" href={href} download>Download</a> : <span class="error" role="alert">The end lies before the beginning</span>}
      </form>
      <p class="aside">Empty: from the beginning, to now. Each export is noted in the audit log.</p>
    </section>
  );
}
