// A device at a glance: what matters most for its kind in large figures, the last hour as a line, today's use, and all
// values on demand. Made from the field table alone, see summary.ts.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { Device, Series } from "../api.ts";
import type { Instant } from "../clock.ts";
import { FormatAge, FormatAgo, FormatPower, FormatValue, kNothing, Words } from "../format.ts";
import { useNow, useSeen, useTopics } from "../hooks.ts";
import { hub } from "../live.ts";
import { DeviceHref } from "../route.ts";
import { DeviceAgeS, DeviceTrouble, type Freshness } from "../stale.ts";
import {
  DayCounters, DirectionOf, Find, Grouped, kDirectionWords, kPhases, NetPower, PowerFields, Ranked, Usual, type PowerPair,
} from "../summary.ts";
import { Icon } from "./icons.tsx";
import { Notice } from "./notice.tsx";
import { Bars, Spark, type SparkInput } from "./spark.tsx";
import { Today } from "./today.tsx";
import { FreshnessNow, Number_, ValueRow } from "./value.tsx";

const kSecondFigures = 4;

// The worst freshness of several values: a sum is as old as its oldest part.
function Worst(series: (Series | undefined)[], now: Instant): Freshness {
  let worst: Freshness = "fresh";
  for (const s of series) {
    if (!s) continue;
    const fresh = FreshnessNow(s, now);
    if (fresh === "none") return "none";
    if (fresh === "old") worst = "old";
  }
  return worst;
}

function Newest(series: Series): number | undefined {
  const value = hub.values.get(series.id)?.value;
  return typeof value === "number" ? value : undefined;
}

function PowerHero({ pair, now }: { pair: PowerPair; now: Instant }): JSX.Element {
  const used = pair.import ? [pair.import, pair.export] : [pair.net];
  const net = NetPower(pair, Newest);
  const fresh = net === undefined ? "none" : Worst(used, now);
  const way = net === undefined ? undefined : DirectionOf(net);
  const shown = net === undefined ? { text: kNothing, unit: "" } : FormatPower(Math.abs(net));
  const icon = way === "import" ? "down" : way === "export" ? "up" : "even";
  return (
    <div class={"hero " + fresh + (way ? " " + way : "")}>
      <div class="hero-figure">
        <Number_ text={shown.text} unit={shown.unit} fresh={fresh} />
      </div>
      <div class="hero-words">
        {way && <Icon name={icon} size={18} />}
        {way === undefined ? "net power not known" : (fresh === "old" ? "was " : "") + kDirectionWords[way]}
      </div>
    </div>
  );
}

function Hero({ series, now }: { series: Series; now: Instant }): JSX.Element {
  const fresh = FreshnessNow(series, now);
  const shown = fresh === "none" ? { text: kNothing, unit: "" } : FormatValue(series, hub.values.get(series.id)!.value);
  return (
    <div class={"hero " + fresh}>
      <div class="hero-figure"><Number_ text={shown.text} unit={shown.unit} fresh={fresh} /></div>
      <div class="hero-words"><bdi>{series.name || series.field}</bdi></div>
    </div>
  );
}

// Each phase's net power as a bar from the middle: right taken, left fed in.
function Phases({ device, now }: { device: Device; now: Instant }): JSX.Element | null {
  const phases = kPhases
    .map((phase) => ({ phase, pair: PowerFields(device, phase), volts: Find(device, "voltage" + phase) }))
    .filter((p) => p.pair);
  if (phases.length < 2) return null;
  const nets = phases.map((p) => NetPower(p.pair!, Newest));
  // The scale steps by powers of two from 1 kW, so that bars do not dance with each reading.
  let scale = 1000;
  for (const net of nets) while (net !== undefined && Math.abs(net) > scale && scale < 1e9) scale *= 2;
  return (
    <dl class="phases">
      {phases.map(({ phase, pair, volts }, i) => {
        const net = nets[i];
        const fresh = net === undefined ? "none" : Worst([pair!.import ?? pair!.net, pair!.export], now);
        const share = net === undefined ? 0 : Math.min(1, Math.abs(net) / scale) * 50;
        const way = net === undefined ? "idle" : DirectionOf(net);
        const shown = net === undefined ? { text: kNothing, unit: "" } : FormatPower(net);
        const volt = volts && FreshnessNow(volts, now) !== "none" ? FormatValue(volts, hub.values.get(volts.id)!.value) : undefined;
        return (
          <div class={"phase " + fresh} key={phase}>
            <dt>{phase.slice(1).toUpperCase()}</dt>
            <dd>
              <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" x="0" y="3" width="100" height="2" />
                <rect class={way} x={net !== undefined && net < 0 ? 50 - share : 50} y="0" width={share} height="8" />
                <rect class="middle" x="49.7" y="0" width="0.6" height="8" />
              </svg>
              <span class="phase-power"><span class="digits">{shown.text}</span><span class="unit">{shown.unit}</span></span>
              {volts && <span class="phase-volts"><span class="digits">{volt?.text ?? kNothing}</span><span class="unit">{volts.unit}</span></span>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

// The first values of a card stand for the device: when they are old and none of them fresh, so is the card.
const kTelling = 3;

function TroubleOf(device: Device, now: Instant): string {
  const telling = Ranked(device).slice(0, kTelling).map((s) => FreshnessNow(s, now));
  const gone_stale = telling.includes("old") && !telling.includes("fresh");
  return DeviceTrouble(device, DeviceAgeS(hub.ages.get(device.key), now), gone_stale, hub.link);
}

export function Trouble({ device, now }: { device: Device; now: Instant }): JSX.Element {
  const age = DeviceAgeS(hub.ages.get(device.key), now);
  const trouble = TroubleOf(device, now);
  if (!trouble) {
    return <span class="heard" title="last heard"><span class="dot" />{age === null ? "not heard yet" : FormatAgo(age)}</span>;
  }
  const lost = hub.link === "lost" || hub.link === "locked";
  return (
    <span class="heard trouble">
      <Icon name="no_clock" size={16} />
      {lost && age !== null ? `${trouble}, ${FormatAge(age)} old` : trouble}
    </span>
  );
}

export function ValueGroups({ device, now }: { device: Device; now: Instant }): JSX.Element {
  const { groups, diagnostic } = Grouped(device);
  const List = ({ title, series, children }: { title: string; series: Series[]; children?: ComponentChildren }) => (
    <section class="values">
      <h3>{title}</h3>
      {children}
      <dl>{series.map((s) => <ValueRow key={s.id} series={s} now={now} />)}</dl>
    </section>
  );
  return (
    <div class="groups">
      {groups.map((g) => <List key={g.title} title={g.title} series={g.series} />)}
      {diagnostic.length > 0 && <List title="Diagnostic" series={diagnostic} />}
    </div>
  );
}

// What the card's line shows: the flow of power, else the first figure that is a number and can go both ways.
function SparkOf(pair: PowerPair | undefined, hero: Series | undefined): SparkInput | undefined {
  if (pair?.import) return { plus: pair.import, minus: pair.export };
  const series = pair?.net ?? hero;
  return series && series.kind === "gauge" && series.quantity !== "instant" ? { plus: series } : undefined;
}

export function Card({ device_key }: { device_key: string }): JSX.Element | null {
  useTopics("device/" + device_key, "link");
  const now = useNow();
  const [open, set_open] = useState(false);
  const [ref, seen] = useSeen<HTMLElement>();
  const device = hub.devices.get(device_key);
  if (!device) return null;
  const pair = device.kind === "electricity_meter" ? PowerFields(device) : undefined;
  const ranked = Ranked(device);
  const hero = pair ? undefined : ranked[0];
  const counters = DayCounters(device);
  const shown_above = new Set<Series | undefined>([hero, pair?.import, pair?.export, pair?.net, ...counters.flatMap((c) => c.parts)]);
  const hide_phases = pair !== undefined && PowerFields(device, "_l1") !== undefined && PowerFields(device, "_l2") !== undefined;
  const second = ranked
    .filter((s) => !shown_above.has(s) && s.kind !== "counter" && Usual(device, s) && !(hide_phases && /_l[123]$/.test(s.field)))
    .slice(0, kSecondFigures);
  const spark = SparkOf(pair, hero);
  const trouble = TroubleOf(device, now) !== "";
  const through = device.parent ? hub.devices.get(device.parent)?.title : undefined;
  const what = device.model || device.manufacturer || (through ? "through " + through : Words(device.kind));
  const where = [device.place, what].filter((t) => t && t !== device.title).join(" · ");
  const list_id = "all-" + device.key;
  return (
    <article ref={ref} class={"card" + (trouble ? " trouble" : "") + (hide_phases ? " wide-card" : "")} aria-label={device.title}>
      <header>
        <span class="badge"><Icon name={device.kind} size={22} /></span>
        <div class="titles">
          <h2><a href={DeviceHref(device.key)}><bdi>{device.title}</bdi></a></h2>
          <p class="where"><bdi>{where || kNothing}</bdi></p>
        </div>
        <Trouble device={device} now={now} />
      </header>
      {pair ? <PowerHero pair={pair} now={now} /> : hero ? <Hero series={hero} now={now} /> : <p class="hero none">no values yet</p>}
      {spark && <Spark input={spark} asked={seen} label={`The last hour of ${pair ? "net power" : hero!.name}`} />}
      {!spark && hero?.kind === "counter" && <Bars series={hero} asked={seen} />}
      {pair && <Phases device={device} now={now} />}
      {(counters.length > 0 || second.length > 0) && (
        <dl class="facts">
          {counters.map((c) => <Today key={c.label + c.parts[0]!.id} counter={c} device={device.key} asked={seen} />)}
          {second.map((s) => {
            const fresh = FreshnessNow(s, now);
            const shown = fresh === "none" ? { text: kNothing, unit: "" } : FormatValue(s, hub.values.get(s.id)!.value);
            return (
              <div class={"fact " + fresh} key={s.id}>
                <dt><bdi>{s.name || s.field}</bdi></dt>
                <dd><Number_ text={shown.text} unit={shown.unit} fresh={fresh} /></dd>
              </div>
            );
          })}
        </dl>
      )}
      {device.series.length > 0 && (
        <div class="more">
          <button type="button" class="quiet" aria-expanded={open} aria-controls={list_id} onClick={() => set_open(!open)}>
            <Icon name={open ? "minus" : "plus"} size={16} />
            {open ? "Show less" : device.series.length === 1 ? "Show the value" : `Show all ${device.series.length} values`}
          </button>
          <a class="quiet" href={DeviceHref(device.key)}>Charts<Icon name="right" size={16} /></a>
        </div>
      )}
      <div id={list_id} hidden={!open}>{open && <ValueGroups device={device} now={now} />}</div>
      {device.kind === "incubator" && <Notice small />}
    </article>
  );
}
