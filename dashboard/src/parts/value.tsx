// One value with its unit, and the marks that tell fresh from old. An old value is grey, bears a struck-out clock and
// says since when; that it is old reaches a screen reader as words.

import type { JSX } from "preact";
import type { Series } from "../api.ts";
import type { Instant } from "../clock.ts";
import { FormatAge, FormatAgo, FormatTime, FormatValue, kNothing } from "../format.ts";
import { hub } from "../live.ts";
import { TraceHref } from "../route.ts";
import { AgeS, FreshnessOf, type Freshness } from "../stale.ts";
import { Icon } from "./icons.tsx";

export function FreshnessNow(series: Series, now: Instant): Freshness {
  return FreshnessOf(series, hub.values.get(series.id), hub.link, now);
}

export function Number_({ text, unit, fresh }: { text: string; unit: string; fresh: Freshness }): JSX.Element {
  return (
    <span class={"num " + fresh}>
      {fresh === "old" && <Icon name="no_clock" size={16} />}
      {fresh === "old" && <span class="sr">old value </span>}
      <span class="digits">{text}</span>
      {unit && <span class="unit">{unit}</span>}
    </span>
  );
}

// A row of a list of values: name, value, age.
export function ValueRow({ series, now }: { series: Series; now: Instant }): JSX.Element {
  const held = hub.values.get(series.id);
  const fresh = FreshnessNow(series, now);
  const shown = fresh === "none" ? { text: kNothing, unit: "" } : FormatValue(series, held!.value);
  const age = held ? AgeS(held, now) : undefined;
  let note = "";
  if (!held) note = "never heard";
  else if (fresh === "none") note = "not available";
  else if (fresh === "old") note = "no data for " + FormatAge(age!);
  else note = FormatAgo(age!);
  const quality = held && held.quality !== "ok" && held.quality !== "unavailable" ? held.quality.replace(/_/g, " ") : "";
  const title = held ? FormatTime(held.time_ms) + (quality ? ", " + quality : "") : "";
  return (
    <div class={"row " + fresh} title={title}>
      <dt><bdi>{series.name || series.field}</bdi></dt>
      <dd>
        {held ? (
          <a class="traced" href={TraceHref(series.id, held.time_ms)} title="How this value came about">
            <Number_ text={shown.text} unit={shown.unit} fresh={fresh} />
          </a>
        ) : <Number_ text={shown.text} unit={shown.unit} fresh={fresh} />}
        {quality && <em class="quality">{quality}</em>}
      </dd>
      <dd class="age">{note}</dd>
    </div>
  );
}
