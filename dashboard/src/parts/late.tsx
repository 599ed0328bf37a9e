// How far archived frames are decoded again.

import type { JSX } from "preact";
import type { Late } from "../api.ts";
import { FormatNumber } from "../format.ts";

const kWhy: Record<string, string> = {
  key: "a key came",
  decoder: "the decoder is newer",
  asked: "asked for",
};

export function LateProgress({ late }: { late: Late | undefined }): JSX.Element | null {
  if (!late) return null;
  if (late.error) return <p class="error" role="alert">Decoding what was heard before: <bdi>{late.error}</bdi></p>;
  if (!late.running) return null;
  const most = Math.max(late.run_frames, late.run_tried);
  return (
    <p role="status">
      Decoding what <bdi>{late.source}</bdi> heard before ({kWhy[late.why] ?? late.why}):{" "}
      <progress value={late.run_tried} max={Math.max(most, 1)} />{" "}
      {FormatNumber(late.run_tried, 0)} of {FormatNumber(most, 0)} frames, {FormatNumber(late.readings, 0)} readings.
    </p>
  );
}
