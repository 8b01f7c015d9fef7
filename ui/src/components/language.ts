import type { LitElement, PropertyValues, ReactiveController } from "lit";

import { type PartialStrings, setLanguage, strings, watchLanguage } from "../strings/strings.js";

/** Renders an element again after the texts have changed. */
class Translated implements ReactiveController {
  readonly #host: LitElement;
  readonly #isOutermost: boolean;
  #lang = "";
  #leave: (() => void) | undefined;

  constructor(host: LitElement, isOutermost: boolean) {
    this.#host = host;
    this.#isOutermost = isOutermost;
  }

  hostConnected(): void {
    this.#leave = watchLanguage(() => {
      this.#mark();
      this.#host.requestUpdate();
    });
    this.#mark();
  }

  hostDisconnected(): void {
    this.#leave?.();
  }

  #mark(): void {
    // A `lang` attribute of the host page stays.
    if (this.#isOutermost && this.#host.lang === this.#lang) {
      this.#host.lang = this.#lang = strings.locale;
    }
  }
}

/**
 * Makes an element follow the texts of the page. An outermost element says which language its texts are in, whatever
 * that of the host page is.
 */
export function translate(host: LitElement, isOutermost = false): void {
  host.addController(new Translated(host, isOutermost));
}

/** An element with properties for the texts of the page. */
interface Speaker {
  readonly strings: PartialStrings | null | undefined;
  readonly locale: string | null | undefined;
}

/** Applies the properties of an element that have changed. */
export function speak(element: Speaker, changed: PropertyValues): void {
  setLanguage({
    ...(changed.has("strings") ? { strings: element.strings } : {}),
    ...(changed.has("locale") ? { locale: element.locale } : {}),
  });
}
