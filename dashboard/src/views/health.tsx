// Sources and outputs: does data flow, since when, how much was lost and why, and what to do about it.

import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Counts, Health, Output, Source } from "../api.ts";
import { ElapsedS, HubNow_ms } from "../clock.ts";
import { FormatAge, FormatAgo, FormatBytes, FormatInterval, FormatNumber, FormatTime, kNothing } from "../format.ts";
import { useAsk, useNow, useTopics } from "../hooks.ts";
import { hub } from "../live.ts";
import { Icon } from "../parts/icons.tsx";

const kHealthEvery_ms = 10_000;

const kSourceWords = new Map(Object.entries({
  stopped: "stopped", opening: "opening", open: "open", waiting: "waiting to try again", failed: "failed",
}));

type Mood = "good" | "idle" | "warn" | "bad";

function Pill({ mood, children }: { mood: Mood; children: ComponentChildren }): JSX.Element {
  return <span class={"pill " + mood}>{mood === "good" || mood === "idle" ? <span class="dot" /> : <Icon name="warning" size={14} />}{children}</span>;
}

function Fact({ name, children, mood = "" }: { name: string; children: ComponentChildren; mood?: string }): JSX.Element {
  return <div class={"fact " + mood}><dt>{name}</dt><dd>{children}</dd></div>;
}

function Count(n: number): string {
  return FormatNumber(n, 0);
}

function Reasons({ title, counts }: { title: string; counts: Counts }): JSX.Element | null {
  const list = Object.entries(counts).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  if (list.length === 0) return null;
  return (
    <p class="reasons">
      <span>{title}</span>
      {list.map(([reason, n]) => <span class="reason" key={reason}><bdi>{reason.replace(/_/g, " ")}</bdi> <b class="digits">{Count(n)}</b></span>)}
    </p>
  );
}

// The age as it was told, counted on; when it was not told, from the hub's stamp by the hub's clock.
function AgeOf(told_s: number | null | undefined, stamp: string | null, since_s: number): number | null {
  if (told_s !== null && told_s !== undefined) return told_s + since_s;
  return stamp === null ? null : Math.max(0, (HubNow_ms() - Date.parse(stamp)) / 1000);
}

// Open, but silent for longer than its rhythm allows: "running" must mean that data flows.
function Silent(source: Source, age_s: number | null): boolean {
  if (source.state !== "open") return false;
  if (age_s === null) return true;
  return age_s > Math.max(60, 3 * (source.interval_s ?? 40));
}

function SourceCard({ source, since_s }: { source: Source; since_s: number }): JSX.Element {
  const age = AgeOf(source.last_frame_age_s, source.last_frame, since_s);
  const silent = Silent(source, age);
  const mood: Mood = source.state === "open" ? (silent ? "warn" : "good") : source.state === "failed" ? "bad"
    : source.state === "stopped" && !source.error ? "idle" : "warn";
  const words = silent ? (age === null ? "open, nothing heard yet" : "open, but silent") : kSourceWords.get(source.state) ?? source.state;
  return (
    <article class={"panel item " + mood}>
      <header>
        <h3><bdi>{source.name}</bdi></h3>
        <Pill mood={mood}>{words}</Pill>
        <p class="where"><bdi>{`${source.protocol} over ${source.type}, ${source.where}`}</bdi></p>
      </header>
      {source.error && <p class="error"><bdi>{source.error}</bdi></p>}
      {source.hint && <p class="hint"><bdi>{source.hint}</bdi></p>}
      <dl class="facts">
        <Fact name="Last frame" mood={silent ? "warn" : ""}>{age === null ? "none yet" : FormatAgo(age)}</Fact>
        <Fact name="Rhythm">{FormatInterval(source.interval_s)}</Fact>
        <Fact name="Frames understood"><span class="digits">{Count(source.frames_accepted)}</span></Fact>
        <Fact name="Readings"><span class="digits">{Count(source.readings)}</span></Fact>
        {source.commit_each_frame && source.commit_p99_s != null && (
          <Fact name="Each frame on disk within"><span class="digits">{source.commit_p99_s} s</span></Fact>
        )}
        {(source.frames_pending ?? 0) > 0 && <Fact name="Not on disk yet"><span class="digits">{Count(source.frames_pending!)}</span></Fact>}
        {(source.frames_refused ?? 0) > 0 && <Fact name="Frames refused" mood="warn"><span class="digits">{Count(source.frames_refused!)}</span></Fact>}
        <Fact name="Bytes">{FormatBytes(source.bytes)}</Fact>
        <Fact name="Opened"><span class="digits">{Count(source.opens)}×</span></Fact>
        <Fact name="In this state since">{FormatTime(Date.parse(source.state_since), false)}</Fact>
        {source.unknown_objects > 0 && <Fact name="Unknown objects"><span class="digits">{Count(source.unknown_objects)}</span></Fact>}
        {(source.refused_connections ?? 0) > 0 && <Fact name="Connections refused" mood="warn"><span class="digits">{Count(source.refused_connections ?? 0)}</span></Fact>}
        {source.refused_readings > 0 && <Fact name="Readings refused" mood="warn"><span class="digits">{Count(source.refused_readings)}</span></Fact>}
      </dl>
      <Reasons title="Frames rejected" counts={source.frames_rejected} />
      <Reasons title="Frames discarded" counts={source.frames_discarded} />
      <Reasons title="Also counted" counts={source.counters ?? {}} />
    </article>
  );
}

function OutputCard({ output, since_s }: { output: Output; since_s: number }): JSX.Element {
  const mood: Mood = output.connected ? "good" : "warn";
  const oldest = output.oldest_unsent_age_s === undefined ? undefined : output.oldest_unsent_age_s + since_s;
  return (
    <article class={"panel item " + mood}>
      <header>
        <h3><bdi>{output.name}</bdi></h3>
        <Pill mood={mood}>{output.connected ? "connected" : "not connected"}</Pill>
        <p class="where"><bdi>{`${output.type}, ${output.where}`}</bdi></p>
      </header>
      <p class="class"><bdi>{output.delivery_class}</bdi></p>
      {output.error && <p class="error"><bdi>{output.error}</bdi></p>}
      <dl class="facts">
        <Fact name="Waiting" mood={!output.connected && output.waiting > 0 ? "warn" : ""}><span class="digits">{Count(output.waiting)}</span></Fact>
        <Fact name="Oldest unsent">{output.waiting === 0 ? "nothing waits" : oldest === undefined ? kNothing : FormatAge(oldest)}</Fact>
        <Fact name="Accepted"><span class="digits">{Count(output.accepted)}</span></Fact>
        <Fact name="Sent"><span class="digits">{Count(output.sent)}</span></Fact>
        <Fact name="Acknowledged"><span class="digits">{Count(output.acknowledged)}</span></Fact>
        <Fact name="Connected"><span class="digits">{Count(output.connects)}×</span></Fact>
        <Fact name="In this state since">{FormatTime(Date.parse(output.state_since), false)}</Fact>
      </dl>
      <Reasons title="Dropped" counts={output.dropped} />
      <Reasons title="Failed attempts" counts={output.failed ?? {}} />
    </article>
  );
}

export function HealthPage(): JSX.Element {
  useTopics("sources", "outputs", "link");
  const now = useNow();
  const health = useAsk<Health>("/health", kHealthEvery_ms);
  useEffect(() => void hub.AskHealth(), []);
  const h = health.data;
  const lost = hub.link === "lost";
  const mood: Mood = h?.status === "ok" ? "good" : h?.status === "failing" ? "bad" : "warn";
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Sources and outputs</h1>
        {h && !lost && <Pill mood={mood}>{h.status === "ok" ? "all is well" : h.status}</Pill>}
      </div>
      <section class="panel summary" aria-label="Hub">
        {h && h.reasons.length > 0 && <ul class="why">{h.reasons.map((r, i) => <li key={i}><bdi>{r}</bdi></li>)}</ul>}
        <dl class="facts">
          <Fact name="Version">{h?.version ?? kNothing}</Fact>
          <Fact name="Running for">{h ? FormatAge(h.uptime_s) : kNothing}</Fact>
          <Fact name="Memory">{h ? FormatBytes(h.memory_rss_bytes) : kNothing}</Fact>
          <Fact name="Clock" mood={h && !h.clock_synchronised ? "warn" : ""}>{h ? (h.clock_synchronised ? "synchronised" : "not synchronised") : kNothing}</Fact>
        </dl>
        {health.error && <p class="error">{health.error.message}</p>}
      </section>
      <h2 class="section">Sources</h2>
      <div class="items">
        {hub.sources?.map((s, i) => <SourceCard key={s.name + i} source={s} since_s={ElapsedS(hub.sources_at, now)} />)}
        {hub.sources?.length === 0 && <p class="empty">No source is configured.</p>}
      </div>
      <h2 class="section">Outputs</h2>
      <div class="items">
        {hub.outputs?.map((o, i) => <OutputCard key={o.name + i} output={o} since_s={ElapsedS(hub.outputs_at, now)} />)}
        {hub.outputs?.length === 0 && <p class="empty">No output is configured: readings are kept and shown, not handed on.</p>}
      </div>
    </>
  );
}
