import assert from "node:assert/strict";
import { test } from "node:test";
import { EventParser, type StreamEvent } from "../src/events.ts";

const stream =
  "retry: 2500\n\n: ping\n\nid: b1-1\nevent: snapshot\ndata: {\"a\":1}\n\n" +
  "id: b1-2\r\nevent: values\r\ndata: one\r\ndata: two\r\n\r\ndata:bare\rid\r\rid: b1-9\n\n";
const expected: StreamEvent[] = [
  { id: "b1-1", type: "snapshot", data: '{"a":1}' },
  { id: "b1-2", type: "values", data: "one\ntwo" },
  { id: "", type: "message", data: "bare" },
];

test("any cut of the stream gives the same events", () => {
  for (let size = 1; size <= stream.length; ++size) {
    const events: StreamEvent[] = [];
    const parser = new EventParser((e) => events.push(e));
    for (let at = 0; at < stream.length; at += size) parser.Push(stream.slice(at, at + size));
    assert.deepEqual(events, expected, `chunks of ${size}`);
    assert.equal(parser.last_id, "b1-9");
    assert.equal(parser.retry_ms, 2500);
  }
});

test("an event half received is no event", () => {
  const events: StreamEvent[] = [];
  const parser = new EventParser((e) => events.push(e));
  parser.Push("data: cut off\n");
  assert.deepEqual(events, []);
});

test("an event without end is refused before it eats the memory", () => {
  const parser = new EventParser(() => {});
  const chunk = "x".repeat(8 * 1024 * 1024);
  assert.throws(() => {
    for (let i = 0; i < 10; ++i) parser.Push("data: " + chunk + "\n");
  });
});
