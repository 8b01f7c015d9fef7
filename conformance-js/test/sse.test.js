import assert from "node:assert/strict";
import { test } from "node:test";

import { SseParser } from "../src/sse.js";

const STREAM =
  "\uFEFFretry: 2731\n" +
  ": keepalive\n" +
  "id: 1-0-a\nevent: status\ndata: {}\n\n" +
  "data:first\r\ndata: second\r\n\r\n" +
  "id: 2-0-a\rdata\r\r" +
  "id: 3-0-a\nevent: nothing\n\n" +
  "id: 4-\0\nunknown: x\ndata: last\n\n" +
  "id: 5-0-a\ndata: cut o";

const FRAMES = [
  { name: "status", data: "{}", cursor: "1-0-a" },
  { name: "message", data: "first\nsecond", cursor: "1-0-a" },
  { name: "message", data: "", cursor: "2-0-a" },
  { name: "message", data: "last", cursor: "3-0-a" },
];

/** @param {string[]} pieces */
function read(pieces) {
  const frames = [];
  const parser = new SseParser((frame) => frames.push(frame));
  for (const piece of pieces) {
    parser.push(piece);
  }
  return { frames, lastEventId: parser.lastEventId };
}

test("parses a stream by the standard", () => {
  assert.deepEqual(read([STREAM]), { frames: FRAMES, lastEventId: "3-0-a" });
});

test("parses a stream independent of chunk boundaries", () => {
  assert.deepEqual(read([...STREAM]).frames, FRAMES);
  for (let cut = 0; cut <= STREAM.length; cut += 1) {
    assert.deepEqual(read([STREAM.slice(0, cut), STREAM.slice(cut)]).frames, FRAMES, `${cut}`);
  }
});
