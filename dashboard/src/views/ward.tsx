// The ward at a glance: a tile for each incubator with what it measures beside what was set, its alarms and texts, and
// whether any of it is still true. What is old is greyed, hatched and told in words; an old alarm is never shown as a
// present one, nor as gone.

import type { JSX } from "preact";
import type { Device, Series } from "../api.ts";
import type { Instant } from "../clock.ts";
import { FormatAge, FormatAgo, FormatValue, kNothing } from "../format.ts";
import { useNow, useTopics } from "../hooks.ts";
import { hub } from "../live.ts";
import { Guard } from "../parts/guard.tsx";
import { Icon } from "../parts/icons.tsx";
import { Notice } from "../parts/notice.tsx";
import { FreshnessNow, Number_ } from "../parts/value.tsx";
import { DeviceHref } from "../route.ts";
import { DeviceAgeS } from "../stale.ts";
import { Find } from "../summary.ts";

export function IsIncubator(device: Device): boolean {
  return device.kind === "incubator";
}

export function Incubators(): Device[] {
  return [...hub.devices.values()].filter(IsIncubator)
    .sort((a, b) => (a.bed ?? "\uffff").localeCompare(b.bed ?? "\uffff", "en", { numeric: true }) || a.key.localeCompare(b.key));
}

// What is measured, and the field that says what was asked for; a tile shows those that the device has.
const kMeasured: [label: string, field: string, set_point: string][] = [
  ["Air", "air_temp", "set_air_temp"],
  ["Skin", "skin_temp_central", "set_skin_temp"],
  ["Skin, peripheral", "skin_temp_peripheral", ""],
  ["Humidity", "humidity_relative", "set_humidity"],
  ["Oxygen", "oxygen_concentration", "set_oxygen"],
  ["Weight", "body_weight", ""],
];

function Shown(series: Series | undefined, now: Instant): { text: string; unit: string } {
  if (!series || FreshnessNow(series, now) === "none") return { text: kNothing, unit: "" };
  return FormatValue(series, hub.values.get(series.id)!.value);
}

function Measured({ device, now, silent }: { device: Device; now: Instant; silent: boolean }): JSX.Element {
  return (
    <dl class="bed-values">
      {kMeasured.map(([label, field, set_field]) => {
        const series = Find(device, field);
        const wanted = set_field ? Find(device, set_field) : undefined;
        if (!series && !wanted) return null;
        const known = series ? FreshnessNow(series, now) : "none";
        const fresh = silent && known === "fresh" ? "old" : known;
        const shown = Shown(series, now);
        const set = Shown(wanted, now);
        return (
          <div key={field} class={fresh}>
            <dt>{label}</dt>
            <dd><Number_ text={shown.text} unit={shown.unit} fresh={fresh} /></dd>
            <dd class="set">{wanted && set.text !== kNothing && <>set {set.text}{set.unit && <span class="unit">{set.unit}</span>}</>}</dd>
          </div>
        );
      })}
    </dl>
  );
}

// Alarms as the device lists them: flags named alarm_*.
function Alarms({ device, now, silent }: { device: Device; now: Instant; silent: boolean }): JSX.Element | null {
  const on = device.series.filter((s) => s.field.startsWith("alarm_") && s.kind === "flag" && hub.values.get(s.id)?.value === true);
  const text = Find(device, "texts");
  const words = text && !silent && FreshnessNow(text, now) === "fresh" ? hub.values.get(text.id)?.value : undefined;
  if (on.length === 0 && !words) return null;
  const old = (s: Series) => silent || FreshnessNow(s, now) !== "fresh";
  return (
    <ul class="alarms">
      {on.map((s) => (
        <li key={s.id} class={old(s) ? "old" : "alarm"}><bdi>{s.name || s.field}</bdi>{old(s) && " (was on when last heard)"}</li>
      ))}
      {typeof words === "string" && words && <li class="text"><bdi>{words}</bdi></li>}
    </ul>
  );
}

// Where it is, whether it is heard, and what the link says.
export function BedTile({ device, now, whole = false }: { device: Device; now: Instant; whole?: boolean }): JSX.Element {
  const age = DeviceAgeS(hub.ages.get(device.key), now);
  const link = Find(device, "link_state");
  const state = link ? hub.values.get(link.id)?.value : undefined;
  const lost = hub.link !== "live";
  const silent = lost || device.availability !== "online" || (typeof state === "string" && state !== "ok");
  const why = lost ? "no contact with the hub" : typeof state === "string" && state !== "ok" ? "link " + state.replace(/_/g, " ")
    : device.availability === "online" ? "" : "not heard";
  return (
    <article class={"bed" + (silent ? " silent" : "")} data-key={device.key}>
      <header>
        <h2><bdi>{device.bed ?? device.place ?? ""}</bdi>{!device.bed && !device.place && <span class="aside">no bed</span>}</h2>
        {whole ? <span class="aside"><bdi>{device.title}</bdi></span> : <a href={DeviceHref(device.key)}><bdi>{device.title}</bdi></a>}
      </header>
      {silent && <p class="bed-lost"><Icon name="no_clock" size={18} /><strong>Values are old: {why}</strong></p>}
      <Measured device={device} now={now} silent={silent} />
      <Alarms device={device} now={now} silent={silent} />
      <footer>
        <span>{age === null ? "never heard" : "last frame " + (silent ? FormatAge(age) + " ago" : FormatAgo(age))}</span>
        {typeof state === "string" && <span>link {silent && state === "ok" ? "was " : ""}{state.replace(/_/g, " ")}</span>}
      </footer>
      <Notice small />
    </article>
  );
}

export function WardPage(): JSX.Element {
  useTopics("devices", "link");
  const now = useNow();
  const all = Incubators();
  const silent = all.filter((d) => d.availability !== "online").length;
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>Ward</h1>
        <p class="aside">{all.length} {all.length === 1 ? "incubator" : "incubators"}{silent ? `, ${silent} not heard` : ""}</p>
        {hub.session?.scope === "operate" && <a class="quiet" href="#/audit">Audit log</a>}
      </div>
      <Notice />
      {all.length === 0 && <p class="empty">{hub.snapshots === 0 ? "One moment" : "No incubator was heard yet."}</p>}
      <div class="beds">{all.map((d) => <Guard key={d.key} what={d.title}><BedTile device={d} now={now} /></Guard>)}</div>
    </>
  );
}
