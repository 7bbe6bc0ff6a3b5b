// The pointer: markers that can be dragged, and pictures that take a click. The nearest setting whose point lies under
// the pointer is taken.

import { valueAt } from "./controls.js";
import { UNITS } from "./wire.js";

/** Where an event is on a picture, in its points. */
function onPicture(svg, event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
}

/**
 * The setting of some controls at which one of the points comes nearest to where the pointer is: one of the grid, and
 * with a kernel then a step of the sliders near it.
 * @param {{x: Numbers, y: Numbers}} item - its part of the table
 * @param {number[]} points - numbers of the points
 * @param {Controls} controls
 * @param {number[]} free - the controls that may change
 */
function nearest({ x, y }, points, where, controls, free) {
  const at = controls.at();
  let best = Number.POSITIVE_INFINITY;
  let found = at;
  const search = (step, reach, middle, depth = 0) => {
    if (depth < free.length) {
      const a = free[depth];
      const last = controls.list[a].values.length - 1;
      for (let i = -reach; i <= reach; i++) {
        at[a] = middle[a] + i * step;
        if (at[a] >= 0 && at[a] <= last) search(step, reach, middle, depth + 1);
      }
      return;
    }
    for (const k of points) {
      const [left, top] = [x, y].map((numbers) => numbers.between(at, k) / UNITS);
      const away = Math.hypot(left - where.x, top - where.y);
      if (away >= best) continue;
      best = away;
      found = [...at];
    }
  };
  const longest = Math.max(...free.map((a) => controls.list[a].values.length));
  search(1, longest, [...at]);
  if (controls.step < 1) search(controls.step, 9, found);
  return Object.fromEntries(free.map((a) => [a, valueAt(controls.list[a], found[a])]));
}

/** Circles on the points of an artist; a finger or a mouse drags them. */
export function addGrips(artist, numbers, controls, set) {
  const { item, svg, dots } = artist;
  artist.grips = Array.from({ length: numbers.x.n }, (_, k) => {
    const circle = document.createElementNS(svg.namespaceURI, "circle");
    circle.setAttribute("class", "gtt-grip");
    circle.setAttribute("r", 15);
    if (dots) circle.style.fill = dots.style.fill;
    svg.append(circle);
    circle.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      circle.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    circle.addEventListener("pointermove", (event) => {
      if (circle.hasPointerCapture(event.pointerId))
        set(nearest(numbers, [k], onPicture(svg, event), controls, item.drag));
    });
    return circle;
  });
}

/** A click or a tap on the picture of an artist brings its nearest point there. */
export function listen({ item, svg }, numbers, controls, set) {
  const points = Array.from({ length: numbers.x.n }, (_, k) => k);
  svg.classList.add("gtt-click");
  svg.addEventListener("click", (event) => {
    if (event.target.classList.contains("gtt-grip")) return; // it is dragged
    set(nearest(numbers, points, onPicture(svg, event), controls, item.click));
  });
}
