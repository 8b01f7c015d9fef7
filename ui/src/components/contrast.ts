/** Red, green and blue from 0 to 255, and opacity from 0 to 1. */
type Colour = readonly [number, number, number, number];

/** The minimum contrast of a graphic (WCAG 2.2, 1.4.11). */
const ENOUGH = 3;

/** The luminance halfway between black and white as perceived; above it a background counts as light. */
const MIDDLE = 0.18;

/** How an icon contrasts with its background. */
export interface Seen {
  /** Whether the background is dark. */
  readonly isDark: boolean;
  /** Whether a colour contrasts enough with the background. */
  standsOut(colour: string): boolean;
}

/** Determines the background behind an element; `undefined` if it is an image. */
export function seenAt(element: Element): Seen | undefined {
  const behind = backdropOf(element);
  return (
    behind && {
      isDark: luminance(behind) < MIDDLE,
      standsOut: (colour) => contrast(over(colourOf(colour), behind), behind) >= ENOUGH,
    }
  );
}

/** The ancestors of an element in rendering order, innermost first. */
export function* around(element: Element): Generator<Element> {
  let next: Element | null = element;
  while (next) {
    const root: Node = next.getRootNode();
    next = next.assignedSlot ?? next.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
    if (next) {
      yield next;
    }
  }
}

function backdropOf(element: Element): Colour | undefined {
  let front: Colour = [0, 0, 0, 0];
  for (const each of around(element)) {
    const { backgroundColor, backgroundImage } = getComputedStyle(each);
    front = over(front, colourOf(backgroundColor));
    if (front[3] > 0.99) {
      return front;
    }
    if (backgroundImage !== "none") {
      return undefined;
    }
  }
  return over(front, canvas());
}

/** The browser's default page background. */
function canvas(): Colour {
  const scheme = getComputedStyle(document.documentElement).colorScheme;
  const isDark =
    scheme.includes("dark") &&
    (!scheme.includes("light") || matchMedia("(prefers-color-scheme: dark)").matches);
  return isDark ? [18, 18, 18, 1] : [255, 255, 255, 1];
}

/** Parses a computed colour. */
function colourOf(text: string): Colour {
  const parts = /^rgba?\(([^)]*)\)$/.exec(text)?.[1]?.split(/[\s,/]+/).map(Number);
  if (parts && parts.length >= 3 && parts.every((part) => !Number.isNaN(part))) {
    return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0, parts[3] ?? 1];
  }
  // Other CSS colour syntax is resolved by drawing it on a canvas.
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  if (!pen) {
    return [0, 0, 0, 0];
  }
  pen.fillStyle = text;
  pen.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0, alpha = 0] = pen.getImageData(0, 0, 1, 1).data;
  return [red, green, blue, alpha / 255];
}

function over(front: Colour, back: Colour): Colour {
  const alpha = front[3] + back[3] * (1 - front[3]);
  const mix = (index: 0 | 1 | 2): number =>
    alpha === 0 ? 0 : (front[index] * front[3] + back[index] * back[3] * (1 - front[3])) / alpha;
  return [mix(0), mix(1), mix(2), alpha];
}

function contrast(one: Colour, other: Colour): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** Relative luminance as defined by WCAG 2.2. */
function luminance([red, green, blue]: Colour): number {
  const linear = (value: number): number => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
