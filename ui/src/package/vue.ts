import {
  type MaybeRefOrGetter,
  type PropType,
  type Ref,
  type ShallowRef,
  defineComponent,
  getCurrentInstance,
  h,
  onMounted,
  onScopeDispose,
  onUnmounted,
  ref,
  shallowRef,
  toValue,
  watch,
  watchEffect,
} from "vue";

import type { GetToken } from "../api/credential.js";
import { type EventFilter, isSame } from "../api/filter.js";
import type { Links } from "../components/links.js";
import { Inbox } from "../inbox/inbox.js";
import { sessionOf } from "../inbox/session.js";
import { totalOf } from "../stream/counts.js";
import type { PartialStrings } from "../strings/strings.js";
import {
  type AccessProps,
  BELL_DEFAULTS,
  BELL_EVENTS,
  INBOX_DEFAULTS,
  INBOX_EVENTS,
  type TidingsEvents,
  loadElements,
  setProps,
} from "./props.js";
import { type InboxView, viewOf } from "./view.js";

export type { InboxView } from "./view.js";

/** Without a default of its own, Vue would make `false` of a boolean property that is not given. */
const flag = { type: Boolean, default: undefined };

const COMMON = {
  server: String,
  getToken: Function as PropType<GetToken>,
  theme: String as PropType<"light" | "dark">,
  eventLink: Function as PropType<NonNullable<Links["eventLink"]>>,
  hostActions: flag,
  resolveLink: Function as PropType<NonNullable<Links["resolveLink"]>>,
  strings: Object as PropType<PartialStrings>,
  locale: String,
};

type Emits<Name extends keyof TidingsEvents> = {
  [Each in Name]: (event: CustomEvent<TidingsEvents[Each]>) => true;
};

/** Declares that a component emits these events. */
function emitsOf<const Name extends keyof TidingsEvents>(names: readonly Name[]): Emits<Name> {
  return Object.fromEntries(names.map((name) => [name, () => true])) as unknown as Emits<Name>;
}

type Values = Readonly<Record<string, unknown>>;
type Slots = Readonly<Record<string, (() => unknown) | undefined>>;

/** Renders an element, with named slots in elements of their own. */
function useElement(
  tag: string,
  defaults: Values,
  events: readonly string[],
  props: Values,
  emit: (name: string, event: Event) => void,
  slots: Slots,
) {
  const element = shallowRef<HTMLElement>();
  // A page with a handler runs actions itself.
  const hasAction = getCurrentInstance()?.vnode.props?.["onAction"] !== undefined;
  const stop = new AbortController();
  onMounted(() => {
    const { value } = element;
    if (!value) {
      return;
    }
    for (const name of events) {
      const listen = (event: Event): void => {
        if (event.target === value) {
          emit(name, event);
        }
      };
      value.addEventListener(`tidings-${name}`, listen, stop);
    }
    let last: Values = {};
    watch(
      () => ({ ...props, hostActions: props["hostActions"] ?? hasAction }),
      (now) => {
        setProps(value, defaults, now, last);
        last = now;
      },
      { immediate: true, flush: "post" },
    );
    void loadElements();
  });
  onUnmounted(() => stop.abort());
  return () =>
    h(
      tag,
      { ref: element },
      Object.entries(slots).map(([name, slot]) =>
        name === "default" ? (slot?.() as never) : h("span", { slot: name }, slot?.() as never),
      ),
    );
}

/** The element `tidings-bell`. */
export const TidingsBell = defineComponent({
  name: "TidingsBell",
  props: { ...COMMON, open: flag, noDrawer: flag },
  emits: emitsOf(BELL_EVENTS),
  setup: (props, { emit, slots }) =>
    useElement("tidings-bell", BELL_DEFAULTS, BELL_EVENTS, props, emit as never, slots as Slots),
});

/** The element `tidings-inbox`. */
export const TidingsInbox = defineComponent({
  name: "TidingsInbox",
  props: {
    ...COMMON,
    pageKeys: flag,
    filter: Object as PropType<EventFilter>,
    eventId: String,
  },
  emits: emitsOf(INBOX_EVENTS),
  setup: (props, { emit, slots }) =>
    useElement("tidings-inbox", INBOX_DEFAULTS, INBOX_EVENTS, props, emit as never, slots as Slots),
});

/** The number of unread events; `undefined` until the server has told it. */
export function useUnreadCount(access: MaybeRefOrGetter<AccessProps> = {}): Readonly<Ref<number | undefined>> {
  const unread = ref<number>();
  onMounted(() => {
    watchEffect((cleanUp) => {
      const { server, getToken } = toValue(access);
      const session = sessionOf(server, getToken);
      const changed = (): void => {
        unread.value = session.counts && totalOf(session.counts.unread);
      };
      cleanUp(session.listen({ changed }));
      changed();
      // The session's state records failures.
      session.open().catch(() => undefined);
    });
  });
  return unread;
}

/** The inbox as a model, for a page that renders it itself; `undefined` on a server and before it is mounted. */
export function useInbox(
  options: MaybeRefOrGetter<AccessProps & { readonly filter?: EventFilter | undefined }> = {},
): Readonly<ShallowRef<InboxView | undefined>> {
  const view = shallowRef<InboxView>();
  onMounted(() => {
    let inbox: Inbox | undefined;
    const filterOf = (): EventFilter => toValue(options).filter ?? {};
    watch(
      () => [toValue(options).server, toValue(options).getToken] as const,
      ([server, getToken]) => {
        inbox?.close();
        const opened = new Inbox(sessionOf(server, getToken), () => {
          view.value = viewOf(opened);
        });
        inbox = opened;
        opened.open(filterOf());
        view.value = viewOf(opened);
      },
      { immediate: true },
    );
    watch(filterOf, (filter) => {
      if (inbox && !isSame(inbox.filter, filter)) {
        inbox.show(filter);
      }
    });
    onScopeDispose(() => inbox?.close());
  });
  return view;
}
