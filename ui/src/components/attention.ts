/** The time after a touch during which another touch is likely to be aimed, in milliseconds. */
const TOUCHED = 10_000;

/** The time after which a list that appeared under a resting pointer counts as looked at, in milliseconds. */
const SETTLED = 500;

/**
 * Tracks whether the reader points at a list, touches it or has the focus in it. While they do, no row
 * may move, or they would hit another row than the one they aim at.
 */
export class Attention {
  readonly #ended: () => void;
  #element: HTMLElement | null | undefined;
  #since = 0;
  #isAimed = false;
  #touched = -Infinity;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  /** `ended` is called when the reader may have left the list. */
  constructor(ended: () => void) {
    this.#ended = ended;
  }

  /** The area of the list and its overlays, if there is one. */
  watch(element: Element | null | undefined): void {
    if (element === this.#element) {
      return;
    }
    for (const [name, listener] of this.#listeners) {
      this.#element?.removeEventListener(name, listener as EventListener);
      element?.addEventListener(name, listener as EventListener);
    }
    this.#element = element as HTMLElement | null | undefined;
  }

  /** Reports that the list has become visible. */
  appeared(): void {
    this.#since = performance.now();
    this.#isAimed = false;
  }

  get isHere(): boolean {
    const element = this.#element;
    if (!element) {
      return false;
    }
    const now = performance.now();
    const isOver = element.matches(":hover") && (this.#isAimed || now - this.#since > SETTLED);
    const isTouched = now - this.#touched < TOUCHED;
    return isOver || isTouched || element.querySelector("tidings-list:focus-within") !== null;
  }

  readonly #moved = (): void => {
    this.#isAimed = true;
  };

  readonly #left = (): void => {
    this.#isAimed = false;
    this.#soon(0);
  };

  readonly #pressed = (event: PointerEvent): void => {
    this.#isAimed = true;
    if (event.pointerType !== "mouse") {
      this.#touched = performance.now();
      this.#soon(TOUCHED);
    }
  };

  readonly #listeners = [
    ["pointermove", this.#moved],
    ["pointerleave", this.#left],
    ["pointerdown", this.#pressed],
    ["focusout", this.#left],
  ] as const;

  #soon(time: number): void {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(this.#ended, time);
  }
}
