// Without a kernel the page's address holds the setting, #lab=name&setting=value, and a link can hold one too.

import { near } from "./controls.js";

export class Address {
  /** @param {Figure} figure */
  constructor(figure) {
    const { name, controls, root } = figure;
    this.name = name;
    this.controls = controls;
    this.root = root;
    this.timer = 0;
    const read = () => {
      const query = this.queryOf(location);
      if (query.has("lab") && query.get("lab") !== name) return;
      figure.set(this.changes(query), false);
      if (query.has("lab")) this.arrive();
    };
    read();
    addEventListener("hashchange", read);
    document.addEventListener("click", (event) => {
      const link = event.target.closest('a[href^="#lab="]');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const query = this.queryOf(link);
      if (query.get("lab") !== name) return;
      if (this.inView()) event.preventDefault(); // the page stays where it is, and so does its history
      figure.follow(this.changes(query));
    });
  }

  queryOf({ hash }) {
    return new URLSearchParams(hash.slice(1));
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
      this.replace(moved ? this.fragment() : location.pathname + location.search);
    }, 300);
  }

  /** Another address for where the reader is: the place on the page is the reader's from now on. */
  replace(address) {
    try {
      history.replaceState({ ...history.state, gtt: 1 }, "", address);
    } catch {
      // some viewers forbid it
    }
  }

  /** What a link asks for, {number of a control: value}: one address, one picture. */
  changes(query) {
    const { list, start } = this.controls;
    const changes = query.has("lab") ? { ...start } : {};
    list.forEach(({ name, symbol, options, values }, k) => {
      const text = query.get(name) ?? query.get(symbol);
      if (text === null || text.trim() === "") return;
      if (options ? values.includes(text) : Number.isFinite(Number(text)))
        changes[k] = options ? text : values[near(values, Number(text))];
    });
    return changes;
  }

  /** Whether most of the pictures is in the window. */
  inView() {
    const { top, bottom } = this.root.querySelector(".gtt-panels").getBoundingClientRect();
    return Math.min(bottom, innerHeight) - Math.max(top, 0) > (bottom - top) / 2;
  }

  /** The reader came here by a link, and not back to where the page was left. */
  arrive() {
    if (!history.state?.gtt && !this.inView()) this.root.scrollIntoView({ block: "nearest" });
    this.replace(location.hash);
  }
}
