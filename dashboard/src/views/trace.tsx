// How a value came about: bytes, decoder, exact value, time, bed. What is not known says why.

import type { JSX } from "preact";
import type { Trace } from "../api.ts";
import { FormatTime, HexLines, kNothing } from "../format.ts";
import { useAsk } from "../hooks.ts";
import { hub } from "../live.ts";
import { Notice } from "../parts/notice.tsx";
import { DeviceHref, type Route } from "../route.ts";
import { IsIncubator } from "./ward.tsx";

const kHexLines = 256;

function Facts({ rows }: { rows: [string, JSX.Element | string | number][] }): JSX.Element {
  return <dl class="about">{rows.map(([name, text]) => <div key={name}><dt>{name}</dt><dd><bdi>{text}</bdi></dd></div>)}</dl>;
}

export function TracePage({ route }: { route: Route }): JSX.Element {
  const time = route.query.get("time");
  const query = new URLSearchParams(route.query.has("number") ? { number: route.query.get("number")! } : { series: route.key, ...(time ? { time } : {}) });
  const { data, error } = useAsk<Trace>("/trace?" + query);
  const device = data && hub.devices.get(data.reading.device);
  const when = (iso: string | null) => (iso ? FormatTime(Date.parse(iso)) : kNothing);
  const reading = data?.reading;
  return (
    <>
      {reading && <p class="crumbs"><a href={DeviceHref(reading.device)}><bdi>{device?.title ?? reading.device}</bdi></a></p>}
      <div class="page-head"><h1 tabIndex={-1}>How this value came about</h1></div>
      {device && IsIncubator(device) && <Notice />}
      {error && <p class="error" role="alert">{error.message}</p>}
      {data && reading && (
        <>
          <section class="panel"><h2>Value</h2><Facts rows={[
            ["Field", reading.name], ["Value", (reading.value === null ? kNothing : String(reading.value)) + (reading.unit ? " " + reading.unit : "")],
            ["As on the wire", reading.mantissa !== null ? `${reading.mantissa} × 10^${reading.exponent}` : reading.code !== null ? "code " + reading.code : kNothing],
            ["Quality", reading.quality + (reading.late ? ", late" : "") + (reading.repaired ? ", repaired" : "")],
            ["Number in the journal", reading.number],
          ]} /></section>
          <section class="panel"><h2>Time and place</h2><Facts rows={[
            ["Time", when(data.time.time)], ["Which is", data.time.text], ["Received", when(data.time.received)],
            ["Delay", data.time.delay_s + " s"],
            ["Bed", data.bed ? `${data.bed.bed}, since ${when(data.bed.begin)}` : "none was said"],
          ]} /></section>
          <section class="panel"><h2>Decoder</h2>{data.decoder ? <Facts rows={[
            ["Decoder", data.decoder.decoder], ["Tables", data.decoder.tables], ["Source", data.decoder.source], ["Since", when(data.decoder.since)],
          ]} /> : <p>Not known: the reading is older than the hub's notes of it.</p>}</section>
          <section class="panel"><h2>Frame</h2>
            <p class="aside">{data.frame.text}</p>
            {data.frame.hex !== undefined && (
              <>
                <Facts rows={[["Number", String(data.frame.id)], ["Source", data.frame.source ?? ""], ["Received", when(data.frame.received ?? null)], ["Readings in it", data.frame.readings ?? 0]]} />
                <pre class="hex" tabIndex={0} aria-label="Bytes as hex, and as text beside">
                  {HexLines(data.frame.hex, 16, kHexLines).lines.map((line) => (
                    <span class="hex-line" key={line.offset}><span class="hex-offset">{line.offset}</span><span class="hex-bytes">{line.hex.padEnd(47)}</span><span class="hex-text">{line.text}</span>{"\n"}</span>
                  ))}
                </pre>
              </>
            )}
          </section>
        </>
      )}
    </>
  );
}
