// Says at which bed a device stands. What was said stays in the log: a stay begins and ends, it is never changed.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError, Send, type Beds, type Device } from "../api.ts";
import { FormatTime } from "../format.ts";
import { useAsk } from "../hooks.ts";
import { hub } from "../live.ts";

export function BedForm({ device }: { device: Device }): JSX.Element {
  const { data, again } = useAsk<Beds>("/beds?device=" + encodeURIComponent(device.key));
  const [bed, set_bed] = useState("");
  const [error, set_error] = useState("");
  const say = async (call: string, body: Record<string, string>) => {
    try {
      set_error("");
      await Send("POST", "/beds/" + call, { device: device.key, ...body });
      set_bed("");
    } catch (problem) {
      set_error((problem as ApiError).message);
    }
    again();
  };
  const operate = hub.session?.scope === "operate";
  const stays = [...(data?.stays ?? [])].reverse().slice(0, 10);
  return (
    <section class="panel">
      <h2>Bed</h2>
      <p>{device.bed ? <>At <strong><bdi>{device.bed}</bdi></strong></> : "At no bed"}</p>
      {operate && (
        <form class="custom" onSubmit={(e) => { e.preventDefault(); void say("begin", { bed: bed.trim() }); }}>
          <label>Stands at<input list="beds" value={bed} maxLength={64} required onInput={(e) => set_bed(e.currentTarget.value)} /></label>
          <datalist id="beds">{(data?.beds ?? []).map((name) => <option key={name} value={name} />)}</datalist>
          <button type="submit" class="main">From now on</button>
          {device.bed && <button type="button" onClick={() => void say("end", {})}>At no bed any more</button>}
        </form>
      )}
      {error && <p class="error" role="alert">{error}</p>}
      {stays.length > 0 && (
        <ul class="stays">
          {stays.map((s) => (
            <li key={s.id}><bdi>{s.bed}</bdi> <span class="aside">{FormatTime(Date.parse(s.begin))} – {s.end ? FormatTime(Date.parse(s.end)) : "now"}, <bdi>{s.by}</bdi></span></li>
          ))}
        </ul>
      )}
    </section>
  );
}
