// The pointer: markers that can be dragged. The nearest setting whose point lies under the pointer is taken.

import { UNITS } from "./wire.js";

/** Where an event is on a picture, in its points. */
function onPicture(svg, event) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
}

/**
 * The setting of some controls at which a point of an item comes nearest to where the pointer is.
 * @param {{x: Numbers, y: Numbers}} item - its part of the table
 * @param {number} k - number of the point
 * @param {Controls} controls
 * @param {number[]} free - the controls that may change
 */
function nearest({ x, y }, k, where, controls, free) {
  const at = controls.at();
  let best = Number.POSITIVE_INFINITY;
  let found = {};
  const search = (depth) => {
    if (depth < free.length) {
      for (let i = 0; i < controls.list[free[depth]].values.length; i++) {
        at[free[depth]] = i;
        search(depth + 1);
      }
      return;
    }
    const away = Math.hypot(
      x.data[x.row(at) + k] / UNITS - where.x,
      y.data[y.row(at) + k] / UNITS - where.y,
    );
    if (away >= best) return;
    best = away;
    found = Object.fromEntries(free.map((a) => [a, controls.list[a].values[at[a]]]));
  };
  search(0);
  return found;
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
        set(nearest(numbers, k, onPicture(svg, event), controls, item.drag));
    });
    return circle;
  });
}
