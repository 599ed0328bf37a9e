// The audit log, newest first, for those who may operate the hub.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Ask, type ApiError, type Audit, type AuditEntry } from "../api.ts";
import { FormatTime, Words } from "../format.ts";
import { useAsk } from "../hooks.ts";

export function AuditPage(): JSX.Element {
  const { data, error } = useAsk<Audit>("/audit?limit=100");
  const [older, set_older] = useState<AuditEntry[]>([]);
  const [next, set_next] = useState<number | null | undefined>();
  const [problem, set_problem] = useState("");
  const before = next === undefined ? data?.next_before : next;
  const more = async () => {
    try {
      const page = await Ask<Audit>("/audit?limit=100&before=" + before);
      set_older([...older, ...page.entries]);
      set_next(page.next_before);
    } catch (failed) {
      set_problem((failed as ApiError).message);
    }
  };
  const entries = [...(data?.entries ?? []), ...older];
  return (
    <>
      <div class="page-head"><h1 tabIndex={-1}>Audit log</h1></div>
      <p class="lead">Each entry names the one before it by its hash. Whether the log is whole says <code>vesta audit verify</code>.</p>
      {(error || problem) && <p class="error" role="alert">{error?.message ?? problem}</p>}
      {data && data.health.error !== "" && <p class="error" role="alert">{data.health.error}</p>}
      <ol class="audit">
        {entries.map((e) => (
          <li key={e.number}>
            <span class="aside">{e.number}</span>
            <time>{FormatTime(Date.parse(e.time))}{e.clock === "synchronised" ? "" : " ?"}</time>
            <strong>{Words(e.action)}</strong>
            <span><bdi>{e.actor}</bdi></span>
            <span class="details">{Object.entries(e.details).map(([name, text]) => <span key={name}>{name} <bdi>{text}</bdi></span>)}</span>
          </li>
        ))}
      </ol>
      {before != null && <p class="load"><button type="button" onClick={() => void more()}>Show older entries</button></p>}
    </>
  );
}
