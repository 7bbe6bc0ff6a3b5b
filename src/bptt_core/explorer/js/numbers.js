// The table of the numbers that are shown, as Python wrote them.

import { written } from "./wire.js";

function element(tag, ...inside) {
  const made = document.createElement(tag);
  made.append(...inside);
  return made;
}

export class NumberTable {
  /** @param {HTMLDetailsElement} details  @param {Column[]} columns */
  constructor(details, columns) {
    this.details = details;
    this.table = details.querySelector("table");
    this.names = columns.map(({ name }) => name);
    this.rows = [];
  }

  /** Show some columns of numbers; a row that lies outside the axes is left out. */
  fill(cells) {
    this.rows = [];
    for (let i = 0; i < (cells[0]?.length ?? 0); i++) {
      const line = cells.map((column) => written(column[i]));
      if (line[0] && line.slice(1).some((text) => text)) this.rows.push(line);
    }
    if (!this.details.open) return;
    const head = this.names.map((text) => Object.assign(element("th", text), { scope: "col" }));
    const lines = this.rows.map((line) =>
      element("tr", ...line.map((text) => element("td", text))),
    );
    this.table.replaceChildren(
      element("thead", element("tr", ...head)),
      element("tbody", ...lines),
    );
  }
}
