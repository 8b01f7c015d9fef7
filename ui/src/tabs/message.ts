import type { Summary } from "../api/schema.js";
import type { Frame } from "../stream/frame.js";
import type { StreamState } from "../stream/follow.js";

/** A frame, and the cursor of the one before it: who is at another place has missed something. */
export interface Step {
  readonly from: string;
  readonly frame: Frame;
}

/** What the tabs of a browser say to each other. */
export type TabMessage =
  /** A tab that shows everything up to `cursor` wants to go on from there. */
  | { readonly kind: "hello"; readonly tab: string; readonly cursor: string }
  /**
   * To that tab: what came since, and the counts at the end of it. Without steps there is a gap, and the
   * tab has to list anew.
   */
  | {
      readonly kind: "welcome";
      readonly tab: string;
      readonly steps: readonly Step[] | null;
      readonly summary: Summary | null;
      readonly state: StreamState;
    }
  | ({ readonly kind: "step" } & Step)
  /** The tab that has the connection is there, and this is how it goes. */
  | { readonly kind: "alive"; readonly leader: string; readonly state: StreamState };
