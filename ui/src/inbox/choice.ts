/** Which events are selected: some by their ids, or all that match. */
export class Choice {
  #ids = new Set<string>();
  /** Where a range begins. */
  #anchor: string | undefined;
  #all = false;

  get isEmpty(): boolean {
    return !this.#all && this.#ids.size === 0;
  }

  /** Whether all that match are selected, loaded or not. */
  get isAll(): boolean {
    return this.#all;
  }

  get ids(): readonly string[] {
    return [...this.#ids];
  }

  has(id: string): boolean {
    return this.#all || this.#ids.has(id);
  }

  toggle(id: string): void {
    this.#leaveAll();
    if (!this.#ids.delete(id)) {
      this.#ids.add(id);
    }
    this.#anchor = id;
  }

  /** Selects all from where the last one was selected to `id`, in the order on screen. */
  extend(id: string, order: readonly string[]): void {
    this.#leaveAll();
    const [from, to] = [order.indexOf(this.#anchor ?? id), order.indexOf(id)];
    const begin = from < 0 ? to : from;
    for (const other of order.slice(Math.min(begin, to), Math.max(begin, to) + 1)) {
      this.#ids.add(other);
    }
    this.#anchor ??= id;
  }

  selectAll(): void {
    this.#ids.clear();
    this.#all = true;
  }

  clear(): void {
    this.#ids.clear();
    this.#anchor = undefined;
    this.#all = false;
  }

  /** Those that are gone are not selected. */
  forget(ids: readonly string[]): void {
    for (const id of ids) {
      this.#ids.delete(id);
    }
  }

  #leaveAll(): void {
    if (this.#all) {
      this.clear();
    }
  }
}
