import { StrictMode } from "react";
import { renderToString } from "react-dom/server";

import { App } from "./app.js";

/** The page as HTML, as a server sends it before any script runs. */
export const render = (server: string): string =>
  renderToString(
    <StrictMode>
      <App server={server} />
    </StrictMode>,
  );
