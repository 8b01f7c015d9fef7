import { describe, expect, it } from "vitest";

import { FrameReader, type Message } from "./frame.js";

const STREAM = [
  "retry: 2731\n",
  'id: 1-0-tag\nevent: ready\ndata: {"cursor":"1-0-tag","head":"2-0-tag"}\n\n',
  ": keepalive\n",
  'id: 2-0-tag\r\ndata: {"id":"a",\r\ndata: "description":"ö"}\r\n\r\n',
  'id: 3-0-tag\revent: status\rdata:{"ids":["a"],"status":"read","updatedAt":"x"}\r\r',
  'id: 4-0-tag\nevent: live\ndata: {"cursor":"4-0-tag","summary":{"unread":{},"read":{"debug":1}}}\n\n',
  'id: 5-0-tag\nevent: news\ndata: {}\n\n',
  "id: 6-0-tag\ndata: no JSON\n\n",
  'id: 7-0-tag\nevent: reset\ndata: {"cursor":"7-0-tag","reason":"too_old"}\n\n',
  'id: 8-0-tag\nevent: expiring\ndata: {"at":"2026-08-01T11:00:30Z"}\n\n',
  'id: 9-0-tag\nevent: deleted\ndata: {"ids":["a"]}\n\n',
  "retry: 4000\n",
  'id: 10-0-tag\ndata: {"id":"cut off"}\n',
].join("");

function read(pieces: Iterable<string>): Message[] {
  const reader = new FrameReader();
  return [...pieces].flatMap((piece) => [...reader.read(piece)]);
}

describe("FrameReader", () => {
  it("reads the frames of a stream", () => {
    const kinds = read([STREAM]).map((message) =>
      message.kind === "retry" ? message.delay : `${message.frame.kind} ${message.frame.cursor}`,
    );
    expect(kinds).toEqual([
      2731,
      "ready 1-0-tag",
      "event 2-0-tag",
      "status 3-0-tag",
      "live 4-0-tag",
      "unknown 5-0-tag",
      "unknown 6-0-tag",
      "reset 7-0-tag",
      "expiring 8-0-tag",
      "deleted 9-0-tag",
      4000,
    ]);
  });

  it("reads the same frames however the stream is split", () => {
    const whole = read([STREAM]);
    expect(read(STREAM)).toEqual(whole);
    for (let place = 0; place <= STREAM.length; place += 1) {
      const pieces = [STREAM.slice(0, place), "", STREAM.slice(place)];
      expect(read(pieces), `cut at ${place}`).toEqual(whole);
    }
  });

  it("reads updates, and passes over those that lack what a page shows", () => {
    const event = {
      id: "a",
      operationId: "a",
      severity: "error",
      status: "unread",
      category: "backup",
      action: "write",
      description: "",
      createdAt: "2026-08-01T10:00:00Z",
      updatedAt: "2026-08-01T10:00:00Z",
    };
    const frameOf = (data: unknown) =>
      read([`id: 2-0-tag\nevent: updated\ndata: ${JSON.stringify(data)}\n\n`])[0];
    const change = { event, unread: { error: 1 }, read: { error: -1 } };
    expect(frameOf(change)).toEqual({
      kind: "frame",
      frame: { kind: "updated", cursor: "2-0-tag", change },
    });
    expect(frameOf({ event })).toMatchObject({ frame: { kind: "updated", change: { event } } });
    for (const bad of [null, 1, [], {}, { event: null }, { event: "a" }, { event: { ...event, description: 1 } }]) {
      expect(frameOf(bad), JSON.stringify(bad)).toEqual({
        kind: "frame",
        frame: { kind: "unknown", cursor: "2-0-tag" },
      });
    }
  });

  it("joins several lines of data", () => {
    const [message] = read(['data: {"id":\ndata: "b"}\n\n']);
    expect(message).toMatchObject({ frame: { kind: "event", event: { id: "b" } } });
  });
});
