// What became of a device's readings since the hub was started.

import type { JSX } from "preact";
import { type Device, type DeviceCounts } from "../api.ts";
import { FormatNumber } from "../format.ts";
import { useAsk } from "../hooks.ts";

const kEvery_ms = 10_000;

export function DeviceCountsPanel({ device }: { device: Device }): JSX.Element | null {
  const { data } = useAsk<{ devices: DeviceCounts[] }>("/counts", kEvery_ms);
  const counts = data?.devices?.find((d) => d.device === device.key);
  if (!counts) return null;
  const rows: [string, number | null][] = [
    ["Received", counts.received], ["Stored", counts.stored], ["Delivered", counts.delivered], ["Waiting", counts.waiting],
    ["Frames rejected", counts.rejected],
  ];
  return (
    <section class="panel">
      <h2>Readings of this run</h2>
      <dl class="about">
        {rows.map(([name, n]) => n !== null && <div key={name}><dt>{name}</dt><dd class="digits">{FormatNumber(n, 0)}</dd></div>)}
      </dl>
    </section>
  );
}
