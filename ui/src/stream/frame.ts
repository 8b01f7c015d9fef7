import type {
  ContentChange,
  CountDelta,
  Cursor,
  Deletion,
  Event,
  ResetReason,
  StatusChange,
  Summary,
} from "../api/schema.js";

/**
 * The frames of the live stream (docs/streaming.md); frames with other names are `unknown`.
 * `E` is the type of its events.
 */
export type Frame<E = Event> = { readonly cursor: Cursor } & (
  | { readonly kind: "ready" }
  | { readonly kind: "live"; readonly summary: Summary }
  | { readonly kind: "event"; readonly event: E }
  | { readonly kind: "status"; readonly change: StatusChange }
  | { readonly kind: "deleted"; readonly change: Deletion }
  | { readonly kind: "updated"; readonly change: Update<E> }
  | { readonly kind: "reset"; readonly reason: ResetReason }
  | { readonly kind: "expiring"; readonly at: string }
  | { readonly kind: "unknown" }
);

/** The change of the counts by a frame. */
export type Delta = Partial<CountDelta>;

/** A change of content: the whole event as it is now. */
export type Update<E = Event> = Delta & { readonly event: E };

/** The DOM event that tells a host page of a live frame, and its detail; `undefined` for other frames. */
export function toldToHost<E>(frame: Frame<E>): readonly [string, E] | undefined {
  switch (frame.kind) {
    case "event":
      return ["tidings-event", frame.event];
    case "updated":
      return ["tidings-update", frame.change.event];
    default:
      return undefined;
  }
}

/** The texts of an event that the page relies on. */
const SHOWN = [
  "id",
  "operationId",
  "severity",
  "status",
  "category",
  "action",
  "description",
  "createdAt",
  "updatedAt",
];

/** A parsed part of a Server-Sent Events stream. */
export type Message =
  | { readonly kind: "frame"; readonly frame: Frame }
  /** The delay before the next connection, in milliseconds. */
  | { readonly kind: "retry"; readonly delay: number };

/**
 * Parses Server-Sent Events (HTML standard §9.2.6) from chunks that can end anywhere.
 *
 * The parser discards an event that is cut off at the end of the stream, and
 * data that is not valid JSON.
 */
export class FrameReader {
  #rest = "";
  #afterReturn = false;
  #cursor = "";
  #name = "";
  #data: string[] = [];

  /** Parses a chunk and yields the messages that it completes. */
  *read(piece: string): Generator<Message> {
    let text = this.#rest + piece;
    if (piece) {
      // The LF of a CR LF that was split between two chunks.
      if (this.#afterReturn && text.startsWith("\n")) {
        text = text.slice(1);
      }
      this.#afterReturn = piece.endsWith("\r");
    }
    const lines = text.split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const message = this.#take(line);
      if (message) {
        yield message;
      }
    }
  }

  #take(line: string): Message | undefined {
    if (line === "") {
      return this.#dispatch();
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    switch (field) {
      case "id":
        this.#cursor = value;
        return undefined;
      case "event":
        this.#name = value;
        return undefined;
      case "data":
        this.#data.push(value);
        return undefined;
      case "retry":
        return /^\d+$/.test(value) ? { kind: "retry", delay: Number(value) } : undefined;
      default:
        return undefined;
    }
  }

  #dispatch(): Message | undefined {
    const [name, data] = [this.#name, this.#data.join("\n")];
    const isEmpty = this.#data.length === 0;
    this.#name = "";
    this.#data = [];
    if (isEmpty) {
      return undefined;
    }
    return { kind: "frame", frame: frameOf(name, this.#cursor, data) };
  }
}

function frameOf(name: string, cursor: Cursor, data: string): Frame {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return { kind: "unknown", cursor };
  }
  switch (name) {
    case "":
      return { kind: "event", cursor, event: value as Event };
    case "ready":
      return { kind: "ready", cursor };
    case "live":
      return { kind: "live", cursor, summary: (value as { summary: Summary }).summary };
    case "status":
      return { kind: "status", cursor, change: value as StatusChange };
    case "deleted":
      return { kind: "deleted", cursor, change: value as Deletion };
    case "updated":
      return isUpdate(value) ? { kind: "updated", cursor, change: value } : { kind: "unknown", cursor };
    case "reset":
      return { kind: "reset", cursor, reason: (value as { reason: ResetReason }).reason };
    case "expiring":
      return { kind: "expiring", cursor, at: (value as { at: string }).at };
    default:
      return { kind: "unknown", cursor };
  }
}

/** An update replaces an event on the screen, so it must have what the page shows. */
function isUpdate(value: unknown): value is ContentChange {
  const event = (value as Partial<ContentChange> | null)?.event as Record<string, unknown> | undefined;
  return SHOWN.every((name) => typeof event?.[name] === "string");
}
