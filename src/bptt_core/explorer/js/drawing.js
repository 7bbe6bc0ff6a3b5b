// Drawing: one Artist for each item. What has not changed is left alone.

import { svgElement } from "./elements.js";
import { GAP, SHADES, UNITS } from "./wire.js";

const STYLES = ["opacity", "fill-opacity", "stroke-opacity"];
const same = (a, b) => a === b || (a?.byteOffset !== undefined && a.byteOffset === b?.byteOffset);

/** One path of circles instead of an element for each marker: it is redrawn faster. */
function dotsInstead(marks) {
  const dots = svgElement("path", { class: "gtt-dots", style: marks[0].getAttribute("style") });
  marks[0].parentNode.append(dots);
  for (const mark of marks) mark.remove();
  return dots;
}

/** A <text> instead of the outlines of one text. */
function textInstead(node, { size, anchor, fill, halo }) {
  const text = svgElement("text", { "font-size": size, "text-anchor": anchor });
  const rim = "paint-order:stroke;stroke:var(--gtt-paper, #fff);stroke-width:3;stroke-opacity:.8";
  text.style = `fill:${fill};${halo ? rim : ""}`;
  node.replaceChildren(...node.querySelectorAll("defs"), text); // other texts use its letters
  return text;
}

/** Put an element at a point of its picture: one write, wherever it stood. */
function moveTo(element, x, y) {
  element.setAttribute("transform", `translate(${x} ${y})`);
}

/** Parts of one group that change together: what is written to them is written to the group, at once. */
class Together {
  /** @param {SVGElement} group - whose parts read its properties, such as var(--0) */
  constructor(group) {
    this.group = group;
    this.values = {};
    this.changed = false;
  }

  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    this.changed = true;
  }

  write() {
    if (!this.changed) return;
    this.changed = false;
    this.group.style.cssText = Object.entries(this.values)
      .map(([name, value]) => `--${name}:${value}`)
      .join(";");
  }
}

/** The numbers of an axis, "flow.x.0" and so on, stand in one group. */
export function joinAxes(artists) {
  const axes = new Map();
  for (const artist of artists) {
    const [, axis, number] = artist.item.gid.match(/^(.+\.[xy])\.(\d+)$/) ?? [];
    if (!axis || !artist.text) continue;
    const key = `${artist.item.panel} ${axis}`;
    if (!axes.has(key)) {
      const group = svgElement("g", {});
      artist.node.before(group);
      axes.set(key, new Together(group));
    }
    artist.join(axes.get(key), number);
  }
  return [...axes.values(), ...artists.flatMap(({ shades }) => shades ?? [])];
}

export class Artist {
  /** @param {Item} item  @param {SVGElement} svg - its picture  @param {string} uid - of the figure */
  constructor(item, svg, uid) {
    this.item = item;
    this.svg = svg;
    this.node = svg.querySelector(`[id="${uid}-${item.panel}-${item.gid}"]`);
    this.path = this.node.querySelector(":scope > path");
    const marks = item.radius ? [...this.node.querySelectorAll("use")] : [];
    const r = item.radius;
    this.dot = `m${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
    this.dots = marks.length ? dotsInstead(marks) : null;
    this.text = item.set ? textInstead(this.node, item.set) : null;
    if (this.text && !item.series.x) this.placeText(...item.at);
    this.shaded = item.series.shade ? this.shadedParts() : [];
    this.shades = item.kind === "boxes" && !item.below ? this.shadesTogether() : null;
    this.grips = []; // circles that stay on the points, for the pointer
    this.shown = {}; // the change drawn last
    this.end = -1; // and how many of its points
  }

  /** The nodes whose shade changes, each with its own colours, and nothing faint about them. */
  shadedParts() {
    for (const node of [this.node, ...this.node.querySelectorAll("*")])
      for (const style of STYLES) node.style.removeProperty(style);
    const painted = this.node.querySelectorAll("path");
    return (this.item.kind === "boxes" ? [...painted] : [this.node]).map((node) => ({
      node,
      painted: node === this.node ? [...painted] : [node],
      own: new Map([...painted].map(({ style }) => [style, [style.fill, style.stroke]])),
    }));
  }

  /** Boxes read their strength from their group. */
  shadesTogether() {
    for (const [i, { node }] of this.shaded.entries()) node.style.opacity = `var(--${i})`;
    return new Together(this.node);
  }

  /** Become one number of an axis. */
  join(axis, number) {
    this.axis = axis;
    this.number = number;
    axis.group.append(this.node);
    this.text.style.transform = `translate(var(--x${number}), var(--y${number}))`;
    this.text.style.visibility = `var(--v${number})`;
  }

  /** @param {Change} change  @param {number} end - how many of its points are drawn */
  draw(change, end = change.x?.length) {
    const { shown } = this;
    const moved =
      change.x && !(this.end === end && same(change.x, shown.x) && same(change.y, shown.y));
    if (moved && this.item.kind === "label") this.move(change.x[0], change.y[0]);
    else if (moved) this.trace(change.x, change.y, end);
    if (change.shade && !same(change.shade, shown.shade)) this.shade(change.shade);
    if (this.text && change.word !== shown.word) this.write(change.word);
    this.shown = change;
    this.end = end;
  }

  move(x, y) {
    const { at, set } = this.item;
    const hidden = x === GAP || y === GAP;
    this.axis?.set(`v${this.number}`, hidden ? "hidden" : "visible");
    if (!this.axis) this.node.style.visibility = hidden ? "hidden" : "";
    if (hidden) return;
    if (set) this.placeText(x, y);
    else moveTo(this.node, (x - at[0]) / UNITS, (y - at[1]) / UNITS);
  }

  placeText(x, y) {
    const { offset } = this.item.set;
    const [left, top] = [x / UNITS + offset[0], y / UNITS + offset[1]];
    if (!this.axis) return moveTo(this.text, left, top);
    this.axis.set(`x${this.number}`, `${left}px`);
    this.axis.set(`y${this.number}`, `${top}px`);
  }

  write(word) {
    this.text.textContent = word;
  }

  trace(x, y, end) {
    let line = "";
    let dots = "";
    let pen = "M";
    for (let i = 0; i < end; i++) {
      const drawn = x[i] !== GAP && y[i] !== GAP;
      const [left, top] = drawn ? [x[i] / UNITS, y[i] / UNITS] : [-999, -999];
      if (this.grips[i]) moveTo(this.grips[i], left, top);
      if (drawn) line += `${pen}${left} ${top}`;
      if (drawn && this.dots) dots += `M${left} ${top}${this.dot}`;
      pen = drawn ? "L" : "M";
    }
    if (line && this.item.kind === "area") line += "Z";
    this.path?.setAttribute("d", line);
    this.dots?.setAttribute("d", dots);
  }

  shade(levels) {
    const { below } = this.item;
    this.shaded.forEach(({ node, painted, own }, i) => {
      const strength = Math.abs(levels[i]) / SHADES;
      if (this.shades) this.shades.set(i, strength);
      else node.style.opacity = strength;
      if (!below) return;
      for (const { style } of painted) {
        const [fill, stroke] = own.get(style);
        const instead = (colour) => (levels[i] < 0 && colour && colour !== "none" ? below : colour);
        style.fill = instead(fill);
        style.stroke = instead(stroke);
      }
    });
  }
}

/** Write a sentence: *stressed words* are strong, and W_hh has an index. */
export function say(element, sentence) {
  const tag = (name, text) => Object.assign(document.createElement(name), { textContent: text });
  const indexed = (text) =>
    text.split(/_(\w+)/).map((part, i) => (i % 2 ? tag("sub", part) : part));
  element.replaceChildren(
    ...sentence.split("*").flatMap((text, i) => (i % 2 ? tag("strong", text) : indexed(text))),
  );
}
