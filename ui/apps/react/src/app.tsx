import type { Event } from "@tidings/inbox";
import { TidingsBell, TidingsInbox, type TidingsInboxProps, useInbox, useUnreadCount } from "@tidings/inbox/react";
import { german } from "@tidings/inbox/strings/de";
import { useState } from "react";

/** The user's token comes from the backend of this app, which also says where the Tidings server is. */
const getToken = async (): Promise<string> => (await fetch("/token")).text();

/** Resources have pages of their own here. */
const resolveLink = (key: string, value: string): string | undefined =>
  key === "DeploymentName" ? `/deployments/${encodeURIComponent(value)}` : undefined;

const eventLink = ({ id }: Event): string => `/inbox?event=${id}`;

export function App({ server }: { readonly server: string }) {
  const access = { server, getToken };
  const unread = useUnreadCount(access);
  const view = useInbox({ ...access, filter: { severity: ["error"] } });
  const [isEnglish, setEnglish] = useState(false);
  const [opened, setOpened] = useState("");
  const [filter, setFilter] = useState<TidingsInboxProps["filter"]>();
  const language = isEnglish ? {} : { strings: german, locale: "de" };
  return (
    <>
      <header>
        <h1>Meine Anwendung</h1>
        <output className="unread">{unread === undefined ? "…" : `${unread} offen`}</output>
        <output className="opened">{opened}</output>
        <button type="button" onClick={() => setEnglish(!isEnglish)}>
          Sprache
        </button>
        <TidingsBell
          {...access}
          {...language}
          className="bell"
          eventLink={eventLink}
          resolveLink={resolveLink}
          onOpen={({ detail }) => setOpened(detail?.description ?? "Schublade")}
          onAction={({ detail }) => setOpened(`${detail.action.name}: ${detail.event.description}`)}
        />
      </header>
      <main className="inbox">
        <TidingsInbox {...access} {...language} filter={filter} onFilter={({ detail }) => setFilter(detail)}>
          <strong slot="title">Posteingang</strong>
        </TidingsInbox>
      </main>
      <aside>
        <ul className="errors">
          {view?.lines.map(({ event }) => <li key={event.id}>{event.description}</li>)}
        </ul>
      </aside>
    </>
  );
}
