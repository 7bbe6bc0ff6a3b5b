// A published page: every figure on it, without a kernel.

import { Address } from "./address.js";
import { standAlone } from "./alone.js";
import { mount } from "./mount.js";

function mountAll() {
  standAlone();
  for (const root of document.querySelectorAll(".gtt-explorer"))
    mount(root, (figure) => new Address(figure));
}

if (document.readyState === "loading") addEventListener("DOMContentLoaded", mountAll);
else mountAll();
