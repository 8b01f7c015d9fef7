import { createApp, createSSRApp } from "vue";

import App from "./App.vue";

const root = document.querySelector("#root");
const { server } = document.documentElement.dataset;
// A page that a server has rendered has an element in it already.
const create = root.firstElementChild ? createSSRApp : createApp;
create(App, { server }).mount(root);
