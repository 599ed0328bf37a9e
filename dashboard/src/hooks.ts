// Ties views to what the page knows.

import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { ApiError, Ask } from "./api.ts";
import { Now, type Instant } from "./clock.ts";
import { hub } from "./live.ts";

// Draws the component again when one of the topics changed.
export function useTopics(...topics: string[]): void {
  const [, again] = useReducer<number, void>((n) => n + 1, 0);
  useEffect(() => {
    const ends = topics.map((topic) => hub.On(topic, again));
    // What changed between the drawing and this moment would be missed otherwise.
    again();
    return () => ends.forEach((end) => end());
  }, [topics.join("\n")]);
}

// One timer serves all ages on the page, so that they step together.
const tickers = new Set<(now: Instant) => void>();
let timer: ReturnType<typeof setInterval> | undefined;

export function useNow(): Instant {
  const [now, set] = useState(Now);
  useEffect(() => {
    tickers.add(set);
    timer ??= setInterval(() => {
      const instant = Now();
      tickers.forEach((ticker) => ticker(instant));
    }, 1000);
    return () => {
      tickers.delete(set);
      if (tickers.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
  // A value that came since the last tick must not have a negative age.
  const fresh = Now();
  return fresh.mono_ms - now.mono_ms < 1500 ? fresh : now;
}

export interface Answer<T> {
  data: T | undefined;
  error: ApiError | undefined;
  again: () => void;
}

// Asks the hub when `path` changes, keeps the last answer while the next is under way; repeats each `every_ms`.
export function useAsk<T>(path: string, every_ms = 0): Answer<T> {
  const [state, set] = useState<{ data?: T; error?: ApiError }>({});
  const [round, again] = useReducer<number, void>((n) => n + 1, 0);
  useEffect(() => {
    const stop = new AbortController();
    Ask<T>(path, { signal: stop.signal }).then(
      (data) => set({ data }),
      (error: ApiError) => stop.signal.aborted || set((old) => ({ ...old, error })),
    );
    const repeat = every_ms ? setTimeout(() => again(), every_ms) : undefined;
    return () => {
      stop.abort();
      clearTimeout(repeat);
    };
  }, [path, round]);
  return { data: state.data, error: state.error, again };
}

// True once the element came near the visible part: what nobody looks at asks nothing of the hub.
export function useSeen<E extends Element>(): [{ current: E | null }, boolean] {
  const ref = useRef<E>(null);
  const [seen, set] = useState(false);
  useEffect(() => {
    if (seen || !ref.current) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((e) => e.isIntersecting)) set(true);
    }, { rootMargin: "200px" });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [seen]);
  return [ref, seen];
}
