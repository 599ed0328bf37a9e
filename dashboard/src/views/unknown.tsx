// Frames that were not understood: how many by source and reason, and their bytes, so that the reader can see why and
// show them to somebody who knows the protocol.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, Ask, Send, type ArchiveRow, type Late, type Unknown, type UnknownFrame, type UnknownObject } from "../api.ts";
import { FormatBytes, FormatNumber, FormatTime, HexLines } from "../format.ts";
import { useAsk, useTopics } from "../hooks.ts";
import { Icon } from "../parts/icons.tsx";
import { LateProgress } from "../parts/late.tsx";

const kPage = 50;
const kLateEvery_ms = 2000;
// A filter by reason may have to look through many frames of other reasons; not through all at one click.
const kPagesAtOnce = 6;
const kHexLinesFirst = 8;
const kHexLinesMost = 4096;

function Hex({ frame }: { frame: UnknownFrame }): JSX.Element {
  const [all, set_all] = useState(false);
  const width = matchMedia("(min-width: 640px)").matches ? 16 : 8;
  const { lines, left_out } = HexLines(frame.hex, width, all ? kHexLinesMost : kHexLinesFirst);
  return (
    <>
      <pre class="hex" tabIndex={0} aria-label="Bytes as hex, and as text beside">
        {lines.map((line) => (
          <span class="hex-line" key={line.offset}>
            <span class="hex-offset">{line.offset}</span>
            <span class="hex-bytes">{line.hex.padEnd(3 * width - 1)}</span>
            <span class="hex-text">{line.text}</span>
            {"\n"}
          </span>
        ))}
      </pre>
      {left_out > 0 && (
        all ? <p class="aside">{left_out} bytes more are not shown.</p>
          : <button type="button" class="quiet" onClick={() => set_all(true)}><Icon name="plus" size={16} />Show {left_out} bytes more</button>
      )}
    </>
  );
}

interface Filter {
  source: string;
  reason: string;
}

export function UnknownPage(): JSX.Element {
  useTopics("link");
  const late = useAsk<Late>("/redecode", kLateEvery_ms);
  const [archive, set_archive] = useState<ArchiveRow[] | undefined>();
  const [frames, set_frames] = useState<UnknownFrame[]>([]);
  const [filter, set_filter] = useState<Filter | undefined>();
  const [next, set_next] = useState<string | undefined>();
  const [busy, set_busy] = useState(true);
  const [error, set_error] = useState("");
  const [objects, set_objects] = useState<UnknownObject[]>([]);

  const load = async (from: UnknownFrame[], wanted: Filter | undefined, start?: string, stop?: AbortSignal) => {
    set_busy(true);
    set_error("");
    const list = [...from];
    let before = start;
    let rest = true;
    try {
      for (let page = 0; page < kPagesAtOnce && rest && list.length - from.length < kPage; ++page) {
        const query = new URLSearchParams({ limit: String(kPage) });
        if (wanted) query.set("source", wanted.source);
        if (before !== undefined) query.set("before", before);
        const answer = await Ask<Unknown>("/unknown?" + query, stop ? { signal: stop } : {});
        if (stop?.aborted) return;
        if (page === 0 && from.length === 0) {
          set_archive(answer.archive);
          set_objects(answer.objects ?? []);
        }
        list.push(...answer.frames.filter((f) => !wanted || f.reason === wanted.reason));
        // The hub may answer with fewer than asked for when frames are long: it says itself whether there are more.
        const older = answer.next_before === undefined ? cursor(answer.frames) : answer.next_before;
        rest = answer.next_before === undefined ? answer.frames.length === kPage : older !== null;
        before = older === null || older === undefined ? before : String(older);
      }
      set_frames(list);
      set_next(rest ? before : undefined);
    } catch (problem) {
      if (stop?.aborted) return;
      set_error((problem as ApiError).message);
    }
    set_busy(false);
  };
  const cursor = (list: UnknownFrame[]) => (list.length ? String(list[list.length - 1]!.id) : undefined);

  useEffect(() => {
    const stop = new AbortController();
    set_frames([]);
    void load([], filter, undefined, stop.signal);
    return () => stop.abort();
  }, [filter?.source, filter?.reason]);

  const decode = async () => {
    try {
      await Send<Late>("POST", "/redecode", { source: filter?.source ?? "" });
      late.again();
    } catch (problem) {
      set_error((problem as ApiError).message);
    }
  };
  // What was understood meanwhile leaves the list.
  useEffect(() => {
    if (late.data && late.data.runs > 0 && !late.data.running) void load([], filter);
  }, [late.data?.runs, late.data?.running]);

  const is = (row: ArchiveRow) => filter?.source === row.source && filter.reason === row.reason;
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Unknown frames</h1>
        <button type="button" class="quiet" disabled={busy} onClick={() => void load([], filter)}>Look again</button>
        <button type="button" class="quiet" disabled={late.data?.running ?? false} onClick={() => void decode()}>Decode again</button>
      </div>
      <p class="lead">Frames that arrived and were not understood. They are kept, within bounds, until a key, a setting or a newer Vesta can read them.</p>
      <LateProgress late={late.data} />
      {archive && archive.length > 0 && (
        <div class="panel scroll">
          <table class="archive">
            <thead><tr><th scope="col">Source</th><th scope="col">Reason</th><th scope="col" class="right">Frames</th><th scope="col" class="right">Size</th><th scope="col" class="wide">Oldest</th><th scope="col" class="wide">Newest</th></tr></thead>
            <tbody>
              {archive.map((row, i) => (
                <tr key={i} class={is(row) ? "chosen" : ""}>
                  <td><button type="button" class="link" aria-pressed={is(row)} onClick={() => set_filter(is(row) ? undefined : { source: row.source, reason: row.reason })}><bdi>{row.source}</bdi></button></td>
                  <td><bdi>{row.reason.replace(/_/g, " ")}</bdi></td>
                  <td class="right digits">{FormatNumber(row.frames, 0)}</td>
                  <td class="right digits">{FormatBytes(row.bytes)}</td>
                  <td class="wide digits">{FormatTime(Date.parse(row.oldest), false)}</td>
                  <td class="wide digits">{FormatTime(Date.parse(row.newest), false)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {objects.length > 0 && (
        <section class="panel scroll">
          <h2>Unknown objects in understood frames</h2>
          <table class="archive">
            <thead><tr><th scope="col">Source</th><th scope="col">Object</th><th scope="col">Newest content</th><th scope="col" class="right">Seen</th></tr></thead>
            <tbody>
              {objects.map((object, i) => (
                <tr key={i}>
                  <td><bdi>{object.source}</bdi></td>
                  <td class="digits"><bdi>{object.code}</bdi></td>
                  <td class="digits"><bdi>{object.example}</bdi></td>
                  <td class="right digits">{FormatNumber(object.count, 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {filter && <p class="aside">Only <bdi>{filter.reason.replace(/_/g, " ")}</bdi> of <bdi>{filter.source}</bdi>. <button type="button" class="link" onClick={() => set_filter(undefined)}>Show all</button></p>}
      <div class="frames" aria-busy={busy}>
        {frames.map((frame) => (
          <article class="panel frame" key={frame.id}>
            <header>
              <h2><bdi>{frame.source}</bdi></h2>
              <span class="reason"><bdi>{frame.verdict}: {frame.reason.replace(/_/g, " ")}</bdi></span>
              <span class="aside digits">{FormatTime(Date.parse(frame.received))}</span>
              <span class="aside digits">{FormatNumber(Math.floor(frame.hex.length / 2), 0)} bytes</span>
            </header>
            <Hex frame={frame} />
          </article>
        ))}
      </div>
      {error && <p class="error" role="alert">{error} <button type="button" onClick={() => void load(frames, filter, next)}>Try again</button></p>}
      {!busy && !error && frames.length === 0 && <p class="empty">{archive && archive.length > 0 ? "None among the newest frames." : "Every frame was understood."}</p>}
      {next !== undefined && !error && <p class="load"><button type="button" disabled={busy} onClick={() => void load(frames, filter, next)}>{busy ? "Loading" : "Load older frames"}</button></p>}
      {busy && frames.length === 0 && <p class="load aside">Loading</p>}
    </>
  );
}
