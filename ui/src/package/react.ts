import {
  type HTMLAttributes,
  type ReactElement,
  type ReactNode,
  type Ref,
  createElement,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";

import { type EventFilter, keyOf } from "../api/filter.js";
import type { TidingsBell as BellElement } from "../components/bell.js";
import type { TidingsInbox as InboxElement } from "../components/inbox.js";
import { Inbox } from "../inbox/inbox.js";
import { sessionOf } from "../inbox/session.js";
import { totalOf } from "../stream/counts.js";
import {
  type AccessProps,
  BELL_DEFAULTS,
  BELL_EVENTS,
  type BellProps,
  INBOX_DEFAULTS,
  INBOX_EVENTS,
  type InboxProps,
  type TidingsEvents,
  loadElements,
  setProps,
} from "./props.js";
import { type InboxView, viewOf } from "./view.js";

export type { InboxView } from "./view.js";

/** The handlers of DOM events, such as `onOpen` for `tidings-open`. */
type Handlers<Name extends keyof TidingsEvents> = {
  readonly [Each in Name as `on${Capitalize<Each>}`]?:
    | ((event: CustomEvent<TidingsEvents[Each]>) => void)
    | undefined;
};

/** Attributes that any element has, such as `className` and `id`. */
type Common<Props, Element> = Props &
  Omit<HTMLAttributes<HTMLElement>, keyof Props | "children"> & {
    readonly children?: ReactNode;
    readonly ref?: Ref<Element> | undefined;
  };

export type TidingsBellProps = Common<BellProps & Handlers<(typeof BELL_EVENTS)[number]>, BellElement>;
export type TidingsInboxProps = Common<InboxProps & Handlers<(typeof INBOX_EVENTS)[number]>, InboxElement>;

type Values = Readonly<Record<string, unknown>>;

const handlerOf = (name: string): string => `on${name.charAt(0).toUpperCase()}${name.slice(1)}`;

function useElement<Element extends HTMLElement>(
  tag: string,
  defaults: Values,
  events: readonly string[],
  { children, ref, className, ...props }: Common<Values, Element>,
): ReactElement {
  const element = useRef<Element>(null);
  const last = useRef<Values>({});
  const current = useRef<Values>(props);
  useImperativeHandle(ref, () => element.current as Element, []);
  useLayoutEffect(() => {
    current.current = props;
    if (element.current) {
      // A page with a handler runs actions itself.
      const all = { ...props, hostActions: props["hostActions"] ?? props["onAction"] !== undefined };
      setProps(element.current, defaults, all, last.current);
      last.current = all;
    }
  });
  useEffect(() => {
    const stop = new AbortController();
    for (const name of events) {
      const listen = (event: Event): void => {
        // A bell that contains an inbox reports its events too, but a wrapper around both does not.
        if (event.target === element.current) {
          (current.current[handlerOf(name)] as ((event: Event) => void) | undefined)?.(event);
        }
      };
      element.current?.addEventListener(`tidings-${name}`, listen, stop);
    }
    return () => stop.abort();
  }, [events]);
  useEffect(() => void loadElements(), []);
  const handlers = new Set(events.map(handlerOf));
  const others = Object.entries(props).filter(([name]) => !(name in defaults) && !handlers.has(name));
  return createElement(
    tag,
    {
      ...Object.fromEntries(others),
      ...(className === undefined ? {} : { class: className }),
      ref: element,
      // The element adds attributes of its own.
      suppressHydrationWarning: true,
    },
    children,
  );
}

/** The element `tidings-bell`. */
export function TidingsBell(props: TidingsBellProps): ReactElement {
  return useElement<BellElement>("tidings-bell", BELL_DEFAULTS, BELL_EVENTS, props as Common<Values, BellElement>);
}

/** The element `tidings-inbox`. */
export function TidingsInbox(props: TidingsInboxProps): ReactElement {
  return useElement<InboxElement>("tidings-inbox", INBOX_DEFAULTS, INBOX_EVENTS, props as Common<Values, InboxElement>);
}

/** The number of unread events; `undefined` until the server has told it. */
export function useUnreadCount({ server, getToken }: AccessProps = {}): number | undefined {
  const subscribe = useCallback(
    (changed: () => void) => {
      const session = sessionOf(server, getToken);
      const leave = session.listen({ changed });
      // The session's state records failures.
      session.open().catch(() => undefined);
      return leave;
    },
    [server, getToken],
  );
  const count = (): number | undefined => {
    const { counts } = sessionOf(server, getToken);
    return counts && totalOf(counts.unread);
  };
  return useSyncExternalStore(subscribe, count, () => undefined);
}

/** The inbox as a model, for a page that renders it itself; `undefined` on a server and during the first render. */
export function useInbox({
  server,
  getToken,
  filter = {},
}: AccessProps & { readonly filter?: EventFilter | undefined } = {}): InboxView | undefined {
  const [version, changed] = useReducer((count: number) => count + 1, 0);
  const [inbox, setInbox] = useState<Inbox>();
  const key = keyOf(filter);
  // An equal filter in another object changes nothing.
  const wanted = useMemo(() => filter, [key]);
  const first = useRef(wanted);
  first.current = wanted;
  useEffect(() => {
    const opened = new Inbox(sessionOf(server, getToken), changed);
    opened.open(first.current);
    setInbox(opened);
    return () => {
      opened.close();
      setInbox(undefined);
    };
  }, [server, getToken]);
  useEffect(() => {
    if (inbox && inbox.filter !== wanted) {
      inbox.show(wanted);
    }
  }, [inbox, wanted]);
  return useMemo(() => inbox && viewOf(inbox), [inbox, version]);
}
