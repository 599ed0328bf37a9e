// One device: its charts, all its values, what it says of itself, and its name and place, which the reader may change.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, Send, type Device } from "../api.ts";
import { HubNow_ms } from "../clock.ts";
import { FormatClock, FormatDay, FormatInterval, FormatTime, kNothing, Words } from "../format.ts";
import { useNow, useTopics } from "../hooks.ts";
import { hub } from "../live.ts";
import { Trouble, ValueGroups } from "../parts/card.tsx";
import { Chart } from "../parts/chart.tsx";
import { Icon } from "../parts/icons.tsx";
import { Later } from "../parts/later.tsx";
import { Notice } from "../parts/notice.tsx";
import { DeviceHref, kRanges, Moved, RangeOf, Scaled, type Route } from "../route.ts";
import { DeviceAgeS } from "../stale.ts";
import { ChartGroups, DefaultSeries, PowerFields } from "../summary.ts";
import { BedTile, IsIncubator } from "./ward.tsx";

const kLongestName = 100;
const DeviceRecords = Later(() => import("../parts/device_records.tsx").then((m) => m.DeviceRecords));

function Rename({ device, done }: { device: Device; done: () => void }): JSX.Element {
  const [name, set_name] = useState(device.name);
  const [place, set_place] = useState(device.place);
  const [error, set_error] = useState("");
  const [busy, set_busy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const save = async (event: Event) => {
    event.preventDefault();
    set_busy(true);
    try {
      hub.PutDevice(await Send<Device>("PATCH", "/devices/" + encodeURIComponent(device.key), { name: name.trim(), place: place.trim() }));
      done();
    } catch (problem) {
      set_error((problem as ApiError).message);
      set_busy(false);
    }
  };
  return (
    <form class="rename" onSubmit={save} onKeyDown={(e) => e.key === "Escape" && done()}>
      <label>Name<input ref={first} value={name} maxLength={kLongestName} placeholder={device.model || Words(device.kind)}
        onInput={(e) => set_name(e.currentTarget.value)} /></label>
      <label>Place<input value={place} maxLength={kLongestName} onInput={(e) => set_place(e.currentTarget.value)} /></label>
      <div class="buttons">
        <button type="submit" class="main" disabled={busy}>Save</button>
        <button type="button" onClick={done}>Cancel</button>
      </div>
      {error && <p class="error" role="alert">{error}</p>}
    </form>
  );
}

function LocalInput(ms: number): string {
  return FormatDay(ms) + "T" + FormatClock(ms, false);
}

function Charts({ device, route }: { device: Device; route: Route }): JSX.Element | null {
  const groups = ChartGroups(device);
  const group = groups.find((g) => g.id === route.query.get("of")) ?? groups[0];
  const range = RangeOf(route.query, HubNow_ms());
  const [chosen, set_chosen] = useState<Map<string, Set<number>>>(new Map());
  const [depth, set_depth] = useState(0); // zooms in this visit, each one step of "back"
  const [from, set_from] = useState("");
  const [to, set_to] = useState("");
  const [custom, set_custom] = useState(false);
  useEffect(() => {
    const view = RangeOf(route.query, HubNow_ms());
    set_from(LocalInput(view.from_ms));
    set_to(LocalInput(view.to_ms));
  }, [route.query.toString()]);
  if (!group) return null;
  const pair = group.series[0]?.quantity === "power" ? PowerFields(device) : undefined;
  const usual = pair?.import ? [pair.import, ...(pair.export ? [pair.export] : [])] : DefaultSeries(group);
  const visible = chosen.get(group.id) ?? new Set(usual.map((s) => s.id));
  const hidden = new Set(group.series.filter((s) => !visible.has(s.id)).map((s) => s.id));
  const toggle = (id: number) => {
    const next = new Set(visible);
    if (!next.delete(id)) next.add(id);
    set_chosen(new Map(chosen).set(group.id, next));
  };
  const go = (query: Record<string, string>) => {
    location.hash = DeviceHref(device.key, { of: group.id, ...query }).slice(1);
  };
  const view = ({ from_ms, to_ms }: { from_ms: number; to_ms: number }) => {
    set_depth(depth + 1);
    go({ from: String(from_ms), to: String(to_ms) });
  };
  const back = () => {
    if (depth > 0) {
      set_depth(depth - 1);
      history.back();
    } else go({});
  };
  const range_query: Record<string, string> = range.rolling
    ? { range: range.name } : { from: String(range.from_ms), to: String(range.to_ms) };
  const show_custom = (event: Event) => {
    event.preventDefault();
    const [a, b] = [Date.parse(from), Date.parse(to)];
    if (b > a) view({ from_ms: a, to_ms: b });
  };
  return (
    <section class="panel" aria-label="Charts">
      <div class="tabs" role="group" aria-label="What to draw">
        {groups.map((g) => (
          <a key={g.id} class="tab" aria-current={g === group ? "true" : undefined} href={DeviceHref(device.key, { of: g.id, ...range_query })}>
            {g.title}{g.unit && <span class="unit">{g.unit}</span>}
          </a>
        ))}
      </div>
      <div class="ranges">
        <div class="segments" role="group" aria-label="Range">
          {kRanges.map(([name, label]) => (
            <button key={name} type="button" aria-pressed={range.name === name} onClick={() => go({ range: name })}>{label}</button>
          ))}
          <button type="button" aria-pressed={range.name === "custom"} aria-expanded={custom} onClick={() => set_custom(!custom)}>From–to</button>
        </div>
        <div class="steps" role="group" aria-label="Move and zoom">
          <button type="button" aria-label="Earlier" title="Earlier" onClick={() => view(Moved(range, -0.5, HubNow_ms()))}><Icon name="left" /></button>
          <button type="button" aria-label="Later" title="Later" disabled={range.rolling} onClick={() => view(Moved(range, 0.5, HubNow_ms()))}><Icon name="right" /></button>
          <button type="button" aria-label="Zoom in" title="Zoom in" onClick={() => view(Scaled(range, 0.5, HubNow_ms()))}><Icon name="plus" /></button>
          <button type="button" aria-label="Zoom out" title="Zoom out" onClick={() => view(Scaled(range, 2, HubNow_ms()))}><Icon name="minus" /></button>
          <button type="button" disabled={range.rolling} onClick={back}>Back</button>
        </div>
      </div>
      {custom && (
        <form class="custom" onSubmit={show_custom}>
          <label>From<input type="datetime-local" value={from} onInput={(e) => set_from(e.currentTarget.value)} /></label>
          <label>To<input type="datetime-local" value={to} onInput={(e) => set_to(e.currentTarget.value)} /></label>
          <button type="submit" class="main" disabled={!(Date.parse(to) > Date.parse(from))}>Show</button>
        </form>
      )}
      <Chart key={group.id} series={group.series} hidden={hidden} on_toggle={toggle} range={range} unit={group.unit}
        on_zoom={(from_ms, to_ms) => view({ from_ms, to_ms })} />
    </section>
  );
}

export function DevicePage({ route }: { route: Route }): JSX.Element {
  useTopics("device/" + route.key, "devices", "session", "link");
  const now = useNow();
  const [renaming, set_renaming] = useState(false);
  const device = hub.devices.get(route.key);
  if (!device) {
    return (
      <div class="empty">
        <h1 tabIndex={-1}>{hub.snapshots === 0 ? "One moment" : "No such device"}</h1>
        {hub.snapshots > 0 && <p>The hub does not know <bdi>{route.key}</bdi>. <a href="#/">All devices</a></p>}
      </div>
    );
  }
  const parent = device.parent ? hub.devices.get(device.parent) : undefined;
  const children = [...hub.devices.values()].filter((d) => d.parent === device.key);
  const facts: [string, JSX.Element | string][] = [
    ["Place", device.place], ["Kind", Words(device.kind)], ["Manufacturer", device.manufacturer], ["Model", device.model],
    ["Serial number", device.serial], ["Firmware", device.firmware],
    ["Identity", device.identity + (device.identity_on_wire ? "" : " (by its place on the bus)")],
    ["Protocol", device.protocol], ["Source", device.source], ["Rhythm", FormatInterval(device.interval_s)],
    ["Last heard", hub.ages.get(device.key)?.age_at_arrival_s != null ? FormatTime(HubNow_ms() - 1000 * (DeviceAgeS(hub.ages.get(device.key), now) ?? 0)) : kNothing],
  ];
  return (
    <>
      <p class="crumbs"><a href="#/">Devices</a></p>
      <div class="page-head">
        <h1 tabIndex={-1}><bdi>{device.title}</bdi></h1>
        <Trouble device={device} now={now} />
        {hub.session?.scope === "operate" && !renaming && (
          <button type="button" class="quiet" onClick={() => set_renaming(true)}><Icon name="pencil" size={16} />Name and place</button>
        )}
      </div>
      {renaming && <Rename device={device} done={() => set_renaming(false)} />}
      {IsIncubator(device) && <><Notice /><div class="beds"><BedTile device={device} now={now} whole /></div></>}
      <Charts key={device.key} device={device} route={route} />
      <div class="panel"><h2>All values</h2><ValueGroups device={device} now={now} /></div>
      <DeviceRecords device={device} />
      <section class="panel">
        <h2>About</h2>
        <dl class="about">
          {facts.filter(([, text]) => text !== "").map(([name, text]) => <div key={name}><dt>{name}</dt><dd><bdi>{text}</bdi></dd></div>)}
          {parent && <div><dt>Heard through</dt><dd><a href={DeviceHref(parent.key)}><bdi>{parent.title}</bdi></a></dd></div>}
          {children.length > 0 && <div><dt>Heard through this</dt><dd>{children.map((c) => <a key={c.key} href={DeviceHref(c.key)}><bdi>{c.title}</bdi></a>)}</dd></div>}
        </dl>
      </section>
    </>
  );
}
