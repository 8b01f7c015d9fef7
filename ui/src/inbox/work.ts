import { ApiError } from "../api/error.js";
import type { Frame } from "../stream/frame.js";

/** A bulk change in progress. */
export interface Job {
  /** The action shown to the reader. */
  readonly name: string;
  /** The known number of affected events. */
  readonly count: number;
  /** The number of changes that the stream has reported. */
  readonly done: number;
}

/** Runs bulk changes one after the other and tracks their progress by the stream. */
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

  /** Starts after all earlier changes have ended. */
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
