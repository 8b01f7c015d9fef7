import { ApiError } from "../api/error.js";
import type { Frame } from "../stream/frame.js";

/** A change of many events that is under way. */
export interface Job {
  /** What the reader is told is being done. */
  readonly name: string;
  /** How many events it is about, as far as is known. */
  readonly count: number;
  /** How many the stream has told of so far. */
  readonly done: number;
}

/** Changes many events, one change after the other, and knows how far it is by what the stream says. */
export class Work {
  readonly #changed: () => void;
  readonly #failed: (error: ApiError) => void;
  #queue: Promise<void> = Promise.resolve();
  #job: Job | undefined;

  constructor(changed: () => void, failed: (error: ApiError) => void) {
    this.#changed = changed;
    this.#failed = failed;
  }

  get job(): Job | undefined {
    return this.#job;
  }

  /** Begins when what was added before has ended. */
  add(name: string, count: number, change: () => Promise<unknown>): Promise<void> {
    const run = async (): Promise<void> => {
      this.#job = { name, count, done: 0 };
      this.#changed();
      try {
        await change();
      } catch (error) {
        this.#failed(error instanceof ApiError ? error : new ApiError(String(error), 0, "unreadable"));
      } finally {
        this.#job = undefined;
        this.#changed();
      }
    };
    this.#queue = this.#queue.then(run);
    return this.#queue;
  }

  take(frame: Frame): void {
    if (this.#job && (frame.kind === "status" || frame.kind === "deleted")) {
      const done = Math.min(this.#job.done + frame.change.ids.length, this.#job.count);
      this.#job = { ...this.#job, done };
      this.#changed();
    }
  }
}
