// A notebook with a kernel: what anywidget calls.

import { Kernel } from "./kernel.js";
import { mount } from "./mount.js";
import { addShare } from "./share.js";

export async function render({ model, el }) {
  el.innerHTML = model.get("_html");
  const root = el.querySelector(".gtt-explorer");
  const figure = await mount(root, (made) => new Kernel(model, made));
  if (figure) addShare(figure);
  return () => figure?.home.end();
}
