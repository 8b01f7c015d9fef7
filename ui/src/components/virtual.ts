import type { ReactiveController, ReactiveControllerHost } from "lit";

/** A row to render. */
export interface VirtualRow {
  readonly index: number;
  /** The offset from the top of the list, in pixels. */
  readonly start: number;
}

/** What a list tells about its rows. */
export interface VirtualOptions {
  readonly scroller: () => HTMLElement | null | undefined;
  /** The assumed height of a row before it is measured, in pixels. */
  readonly estimate: number;
  /** The number of rows that are rendered above and below the visible ones. */
  readonly overscan: number;
}

/**
 * Decides which rows of a long list are in the document, and where. Rows have any height; it is measured once they are
 * rendered and remembered by key.
 */
export class VirtualRows implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #options: VirtualOptions;
  readonly #heights = new Map<string, number>();
  readonly #observed = new Set<Element>();
  #observer: ResizeObserver | undefined;
  #count = 0;
  #keyOf: (index: number) => string = String;
  /** The offset of each row, and at the end that below the last one. Those up to {@link #known} are up to date. */
  #starts = new Float64Array(1);
  #known = 0;
  #gap = 0;
  /** The rendered rows. */
  #shown = "";
  #height = 0;

  constructor(host: ReactiveControllerHost, options: VirtualOptions) {
    this.#host = host;
    this.#options = options;
    // The first rows are rendered without waiting for a measurement.
    this.#height = innerHeight;
    host.addController(this);
  }

  hostConnected(): void {
    this.#observer = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        if (target.isConnected) {
          this.#take(target);
        }
      }
    });
  }

  hostDisconnected(): void {
    this.#observer?.disconnect();
    this.#observed.clear();
  }

  /** Measures the rendered rows, and again when they change. */
  hostUpdated(): void {
    const scroller = this.#options.scroller();
    if (!scroller) {
      return;
    }
    const rows = [scroller, ...scroller.querySelectorAll("[data-index]")];
    for (const row of this.#observed) {
      if (!row.isConnected) {
        this.#observer?.unobserve(row);
        this.#observed.delete(row);
      }
    }
    for (const row of rows) {
      this.#take(row);
      if (!this.#observed.has(row)) {
        this.#observed.add(row);
        this.#observer?.observe(row);
      }
    }
  }

  /** Sets the rows. */
  set(count: number, keyOf: (index: number) => string): void {
    this.#count = count;
    this.#keyOf = keyOf;
    this.#starts = new Float64Array(count + 1);
    this.#starts[0] = this.#gap;
    this.#known = 0;
  }

  /** The space above the first row, in pixels. */
  set gap(gap: number) {
    this.#gap = gap;
    this.#starts[0] = gap;
    this.#known = 0;
  }

  /** The height of all rows. */
  get total(): number {
    return this.startOf(this.#count);
  }

  /** The offset of a row. */
  startOf(index: number): number {
    const starts = this.#starts;
    for (; this.#known < index; this.#known += 1) {
      const height = this.#heights.get(this.#keyOf(this.#known)) ?? this.#options.estimate;
      starts[this.#known + 1] = (starts[this.#known] ?? 0) + height;
    }
    return starts[index] ?? 0;
  }

  /** The first row of which a part is below an offset. */
  at(offset: number): number {
    let [low, high] = [0, this.#count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.startOf(middle + 1) > offset) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return Math.max(low, 0);
  }

  /** The rows to render. */
  get rows(): readonly VirtualRow[] {
    const [first, end] = this.#range();
    this.#shown = `${first} ${end}`;
    return Array.from({ length: end - first }, (_, n) => ({ index: first + n, start: this.startOf(first + n) }));
  }

  /** Renders other rows if the reader has scrolled far enough. */
  scrolled(): void {
    if (this.#range().join(" ") !== this.#shown) {
      this.#host.requestUpdate();
    }
  }

  /** Scrolls as little as makes a row visible. */
  scrollTo(index: number): void {
    const scroller = this.#options.scroller();
    if (scroller) {
      const [start, end] = [this.startOf(index), this.startOf(index + 1)];
      const top = Math.min(Math.max(scroller.scrollTop, end - this.#height), start);
      scroller.scrollTo({ top });
      this.scrolled();
    }
  }

  #range(): [number, number] {
    const { scroller, overscan } = this.#options;
    const top = scroller()?.scrollTop ?? 0;
    const first = Math.max(this.at(top) - overscan, 0);
    return [first, Math.min(this.at(top + this.#height) + overscan + 1, this.#count)];
  }

  /** Takes the height of a row or of the visible area. */
  #take(element: Element): void {
    const height = (element as HTMLElement).offsetHeight;
    const scroller = this.#options.scroller();
    if (element === scroller) {
      if (height !== this.#height) {
        this.#height = height;
        this.scrolled();
      }
      return;
    }
    const index = Number((element as HTMLElement).dataset["index"]);
    const key = this.#keyOf(index);
    const before = this.#heights.get(key) ?? this.#options.estimate;
    this.#heights.set(key, height);
    if (height === before) {
      return;
    }
    // An open row that closes takes its part above the visible area along; one that opens is to be read from its top.
    const upTo = this.startOf(index) + (height < before ? 1 : before);
    this.#known = Math.min(this.#known, index);
    if (scroller && upTo <= scroller.scrollTop) {
      // What the reader looks at stays in place.
      scroller.scrollBy({ top: height - before });
    }
    this.#host.requestUpdate();
  }
}
