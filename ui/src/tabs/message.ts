import type { Summary } from "../api/schema.js";
import type { Frame } from "../stream/frame.js";
import type { StreamState } from "../stream/follow.js";

/** A frame with the cursor of its predecessor; a tab at another cursor has missed a frame. */
export interface Step {
  readonly from: string;
  readonly frame: Frame;
}

/** The messages between tabs. */
export type TabMessage =
  /** A tab that is up to date at `cursor` asks for later steps. */
  | { readonly kind: "hello"; readonly tab: string; readonly cursor: string }
  /**
   * The reply: later steps and the counts after them. Without steps there is a gap, and the
   * tab must reload its list.
   */
  | {
      readonly kind: "welcome";
      readonly tab: string;
      readonly steps: readonly Step[] | null;
      readonly summary: Summary | null;
      readonly state: StreamState;
    }
  | ({ readonly kind: "step" } & Step)
  /** The leader's heartbeat with the state of its connection. */
  | { readonly kind: "alive"; readonly leader: string; readonly state: StreamState };
