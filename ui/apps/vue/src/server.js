import { createSSRApp } from "vue";
import { renderToString } from "vue/server-renderer";

import App from "./App.vue";

/** The page as HTML, as a server sends it before any script runs. */
export const render = (server) => renderToString(createSSRApp(App, { server }));
