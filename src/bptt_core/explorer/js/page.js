// A published page: every figure on it, without a kernel.

import { Address } from "./address.js";
import { mount } from "./mount.js";

const HERE = document.currentScript.src;
let asked;

/** What only some readers need, aside.js: it stands in the page, or else beside this script. */
function aside() {
  asked ??= new Promise((done) => {
    const onload = () => done(globalThis.bpttShare);
    if (globalThis.bpttShare) return onload();
    const src = HERE.replace("explorer", "share");
    document.head.append(Object.assign(document.createElement("script"), { src, onload }));
  });
  return asked;
}

async function bring(root) {
  const figure = await mount(root, (made) => new Address(made));
  const share = async () => (await aside()).addShare(figure);
  const below = root.querySelector(".gtt-more");
  if (figure) below.addEventListener("toggle", share, { capture: true, once: true });
}

async function mountAll() {
  document.querySelectorAll(".gtt-explorer").forEach(bring);
  if (!/[?&](present|embed)\b/.test(location.search)) return;
  document.documentElement.classList.add("gtt-alone"); // nothing else is seen meanwhile
  (await aside()).standAlone();
}

document.addEventListener("gtt:table", ({ target }) => bring(target)); // it came later
if (document.readyState === "loading") addEventListener("DOMContentLoaded", mountAll);
else mountAll();
