// Without a kernel the page's address holds the setting: #lab=name&setting=value.

import { near } from "./controls.js";

export class Address {
  /** @param {string} name - of the figure  @param {Controls} controls  @param {function(object)} set */
  constructor(name, controls, set, root) {
    this.name = name;
    this.controls = controls;
    this.set = set;
    this.root = root;
    this.timer = 0;
    this.read();
    addEventListener("hashchange", () => this.read(true));
  }

  /** What the address says of the setting that holds. */
  fragment() {
    const { list, now } = this.controls;
    const pairs = list.map(({ name }, k) => `&${name}=${encodeURIComponent(now[k])}`);
    return `#lab=${this.name}${pairs.join("")}`;
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { now, start } = this.controls;
      const moved = now.some((value, k) => value !== start[k]);
      if (!moved && !location.hash.startsWith(`#lab=${this.name}&`)) return; // it speaks of something else
      try {
        const bare = location.pathname + location.search;
        history.replaceState(history.state, "", moved ? this.fragment() : bare);
      } catch {
        // some viewers forbid it
      }
    }, 300);
  }

  /** Do as the address says; `asked` if it changed while the page was open. */
  read(asked = false) {
    const query = new URLSearchParams(location.hash.slice(1));
    const mine = query.get("lab") === this.name;
    if (query.has("lab") && !mine) return;
    const { list, start } = this.controls;
    const changes = mine ? { ...start } : {}; // one address, one picture
    list.forEach(({ name, symbol, options, values }, k) => {
      const text = query.get(name) ?? query.get(symbol);
      if (text === null || text.trim() === "") return;
      if (options ? values.includes(text) : Number.isFinite(Number(text)))
        changes[k] = options ? text : values[near(values, Number(text))];
    });
    this.set(changes);
    const [visit] = performance.getEntriesByType("navigation");
    const back = ["reload", "back_forward"].includes(visit?.type); // the reader's place is kept
    if (mine && (asked || !back)) this.root.scrollIntoView({ block: "nearest" });
  }
}
